#!/usr/bin/env python3
"""Writes tests/golden/state.json: the test vectors of docs/spec/state.md sections 2 to 5.

A second implementation, from the specification, on the standard library. `state.py` prints the file; `state.py --check` compares it with the committed one.

A client that verifies proofs takes each entry of "states": its "rows" have the root "root", and every entry of its "proofs" is a proof against it. "shown" are the rows that the proof shows with their values, "absent" keys that it proves absent; it covers its "ranges". "refused" are bytes that are no proof at all.
"""
import hashlib
import json
import pathlib
import struct
import sys

ROW, INNER, EMPTY, CUT, KEY = range(5)


def sha256(data):
    return hashlib.sha256(data).digest()


def hexa(data):
    return "0x" + data.hex()


def u(size, value):
    return value.to_bytes(size, "big")


# --- 2 the root ----------------------------------------------------------------------------------


def bit(key, depth):
    return key[depth // 8] >> (7 - depth % 8) & 1


def split(rows):
    """The depth of two or more rows, and the rows on either side."""
    depth = next(d for d in range(256) if bit(rows[0][0], d) != bit(rows[-1][0], d))
    return depth, [r for r in rows if not bit(r[0], depth)], [r for r in rows if bit(r[0], depth)]


def root(rows):
    if not rows:
        return sha256(b"\x02")
    if len(rows) == 1:
        return sha256(b"\x00" + rows[0][0] + sha256(rows[0][1]))
    depth, left, right = split(rows)
    return sha256(b"\x01" + u(1, depth) + root(left) + root(right))


# --- 3 proofs ------------------------------------------------------------------------------------


def reach(key, depth, side):
    """First and last key that begin like `key` and have the bit `side` at `depth`."""
    low = int.from_bytes(key, "big") >> (256 - depth) << 1 | side
    free = 255 - depth
    return u(32, low << free), u(32, (low << free) + (1 << free) - 1)


def meets(ranges, first, last):
    return any(a <= last and first <= b for a, b in ranges)


def leaf(row, ranges):
    key, value = row
    if meets(ranges, key, key):
        return u(1, ROW) + key + u(2, len(value)) + value
    return u(1, KEY) + key + sha256(value)


def least(rows, ranges):
    if len(rows) == 1:
        return leaf(rows[0], ranges)
    depth, left, right = split(rows)
    return u(1, INNER) + u(1, depth) + least(left, ranges) + u(1, CUT) + root(right)


def node(rows, ranges):
    if len(rows) == 1:
        return leaf(rows[0], ranges)
    depth, *sides = split(rows)
    kept = [meets(ranges, *reach(rows[0][0], depth, i)) for i in (0, 1)]
    if not any(kept):
        return least(rows, ranges)
    written = [node(s, ranges) if k else u(1, CUT) + root(s) for s, k in zip(sides, kept)]
    return u(1, INNER) + u(1, depth) + written[0] + written[1]


def prove(rows, ranges):
    return b"\x01" + (node(rows, ranges) if rows else u(1, EMPTY))


# --- the vectors of sections 2 and 3 ---------------------------------------------------------------


def key(table, *fields):
    """Table u8, then big-endian fields (size, value), zeros behind."""
    return (u(1, table) + b"".join(u(s, v) for s, v in fields)).ljust(32, b"\x00")


def value(size, seed):
    return b"".join(sha256(b"%d %d" % (seed, i)) for i in range(size // 32 + 1))[:size]


def states():
    accounts = [(key(1, (8, a)), value(40, a)) for a in range(1, 6)]
    positions = [(key(2, (8, a), (4, m)), value(20 + a, 100 * a + m)) for a in range(1, 6) for m in range(a)]
    comb = [(bytes(32), b"zero")] + [(u(32, 1 << 255 - d), b"bit %d" % d) for d in range(256)]
    large = [(sha256(b"large %d" % i), value([0, 1, 1984][i % 3], i)) for i in range(9)]
    return [
        ("no rows", []),
        ("one row", accounts[:1]),
        ("two rows", accounts[:2]),
        ("accounts and positions", sorted(accounts + positions)),
        ("the deepest tree", sorted(comb)),
        ("empty and large values", sorted(large)),
    ]


def asked():
    """Name and ranges of each proof."""
    one = lambda k: (k, k)
    return [
        ("a row", [one(key(1, (8, 3)))]),
        ("a key that may be absent", [one(key(1, (8, 9)))]),
        ("all positions of account 4", [(key(2, (8, 4)), key(2, (8, 5), (4, 0))[:9] + b"\x00" * 23)]),
        ("a gap before all positions", [(key(1, (8, 100)), key(1, (8, 200)))]),
        ("some keys", [one(key(1, (8, 1))), one(key(1, (8, 4))), one(key(2, (8, 3), (4, 1))), one(key(2, (8, 3), (4, 7)))]),
        ("keys and a range", [one(bytes(32)), (key(1, (8, 2)), key(1, (8, 4))), one(b"\xff" * 32)]),
        ("everything", [(bytes(32), b"\xff" * 32)]),
    ]


def told(rows, ranges):
    """What a proof of these ranges says about some keys."""
    probes = [key(1, (8, 3)), key(1, (8, 9)), key(2, (8, 4), (4, 2)), key(2, (8, 4), (4, 9)), bytes(32), b"\xff" * 32]
    inside = [p for p in probes if meets(ranges, p, p)]
    return [p for p in inside if p not in dict(rows)]


def state_vectors():
    out = []
    for name, rows in states():
        proofs = []
        for what, ranges in asked():
            proofs.append({
                "name": what,
                "ranges": [[hexa(a), hexa(b)] for a, b in ranges],
                "bytes": hexa(prove(rows, ranges)),
                "shown": [hexa(k) for k, _ in rows if meets(ranges, k, k)],
                "absent": [hexa(k) for k in told(rows, ranges)],
            })
        listed = [{"key": hexa(k), "value": hexa(v)} for k, v in rows]
        out.append({"name": name, "rows": listed, "root": hexa(root(rows)), "proofs": proofs})
    return out


def refused():
    zero, high = bytes(32), b"\x80" + bytes(31)
    row = lambda k, v=b"": u(1, ROW) + k + u(2, len(v)) + v
    inner = lambda d, l, r: u(1, INNER) + u(1, d) + l + r
    cut = u(1, CUT) + bytes(32)
    good = inner(0, row(zero), row(high))
    forms = [
        ("nothing", b""),
        ("no node", b"\x01"),
        ("another version", b"\x02" + good),
        ("an unknown kind", b"\x01\x05"),
        ("bytes behind", b"\x01" + good + b"\x00"),
        ("cut short", b"\x01" + good[:-1]),
        ("a value too large", b"\x01" + row(zero, bytes(1985))),
        ("a depth that does not grow", b"\x01" + inner(1, row(zero), inner(1, cut, row(b"\x40" + bytes(31))))),
        ("both sides cut", b"\x01" + inner(0, cut, cut)),
        ("nothing but a cut", b"\x01" + cut),
        ("empty below an inner node", b"\x01" + inner(0, u(1, EMPTY), row(high))),
        ("sides exchanged", b"\x01" + inner(0, row(high), row(zero))),
        ("keys that part before the depth", b"\x01" + inner(1, row(zero), row(b"\xc0" + bytes(31)))),
        ("a key on the wrong side of a cut", b"\x01" + inner(0, cut, row(zero))),
    ]
    return [{"name": n, "bytes": hexa(b)} for n, b in forms]


# --- 4 the journal and 5 the head ------------------------------------------------------------------

ID = sha256(b"journal")[:16]


def segment_head(number, size):
    fields = b"NVJS" + u(4, 1) + ID + u(4, number) + u(4, size)
    return fields + sha256(fields)


def batches():
    """Three batches in a row; records are (type, bytes)."""
    out, previous = [], bytes(32)
    for sequence, records in enumerate([[(1, b"a record")], [(3, b""), (255, bytes(600))], [(2, b"last")]], 1):
        body = b"".join(struct.pack(">BI", t, len(b)) + b for t, b in records)
        size = 60 + len(body) + 32
        fields = b"NVJB" + ID[:8] + u(4, size) + u(8, sequence) + previous + u(4, len(records)) + body
        previous = sha256(ID + fields)
        listed = [{"type": t, "bytes": hexa(b)} for t, b in records]
        out.append({"records": listed, "bytes": hexa(fields + previous)})
    return out


def head():
    fields = u(4, 1) + u(8, 77) + sha256(b"block") + sha256(b"root") + u(8, 12345)
    return {"height": "77", "block_hash": hexa(sha256(b"block")), "root": hexa(sha256(b"root")), "rows": "12345", "bytes": hexa(fields + sha256(fields))}


def document():
    return {
        "states": state_vectors(),
        "refused": refused(),
        "journal": {"id": hexa(ID), "segment": 1, "size": 4096, "head": hexa(segment_head(1, 4096)), "batches": batches()},
        "head": head(),
    }


def main():
    text = json.dumps(document(), indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        committed = pathlib.Path(__file__).with_name("state.json").read_text()
        sys.exit(0 if committed == text else "tests/golden/state.json is not what state.py writes")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
