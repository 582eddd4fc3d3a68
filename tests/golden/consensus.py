#!/usr/bin/env python3
"""Writes tests/golden/consensus.json: the test vectors of docs/spec/consensus.md sections 2 to 9 and 17.

A second implementation, from the specification, on the standard library and bytes.py. `consensus.py` prints the file; `consensus.py --check` compares it with the committed one.
"""
import importlib
import json
import pathlib
import struct
import sys

base = importlib.import_module("bytes")  # tests/golden/bytes.py
tagged, sha256, hexa = base.tagged, base.sha256, base.hexa

CHAIN = sha256(b"chain")
NOTARIZE, NULLIFY, FINALIZE = 1, 2, 3
NAMES = {NOTARIZE: "notarize", NULLIFY: "nullify", FINALIZE: "finalize"}
CHUNK = 65536


def u(size, value):
    return value.to_bytes(size, "big")


def secret(i):
    return tagged("novate/seckey/v1", sha256(b"validator %d" % i))


def public(i):
    return base.number(base.even(int.from_bytes(secret(i), "big"))[1][0])


# --- 2 the validator set -------------------------------------------------------------------------


def valset(stakes):
    """Members (stake, key, number of the key) in canonical order."""
    return sorted(((s, public(i), i) for i, s in enumerate(stakes)), key=lambda m: (-m[0], m[1]))


def valset_bytes(members):
    return u(2, len(members)) + b"".join(u(2, i) + k + u(8, s) for i, (s, k, _) in enumerate(members))


# --- 6 leaders -----------------------------------------------------------------------------------


def schedule(members, chain, epoch, boundary):
    n, total = len(members), sum(m[0] for m in members)
    slots = [m[0] * 16 * n // total for m in members]
    rest = sorted(range(n), key=lambda i: (-(members[i][0] * 16 * n % total), i))
    for i in rest[: 16 * n - sum(slots)]:
        slots[i] += 1
    slots = [max(1, s) for s in slots]
    current, order = [0] * n, []
    for _ in range(sum(slots)):
        current = [c + s for c, s in zip(current, slots)]
        best = max(range(n), key=lambda i: (current[i], -i))
        current[best] -= sum(slots)
        order.append(best)
    offset = int.from_bytes(tagged("novate/leader/v1", chain + u(8, epoch) + boundary)[:8], "big") % len(order)
    return order, offset


# --- 3, 4, 5 headers, votes, certificates --------------------------------------------------------

HEADER = [
    ("chain_id", 32), ("epoch", 8), ("height", 8), ("view", 8), ("parent_view", 8), ("parent_hash", 32), ("proposer", 2), ("time_ms", 8), ("body_root", 32),
    ("body_size", 4), ("tx_count", 4), ("executed_height", 8), ("state_root", 32), ("justify_hash", 32), ("evidence_root", 32), ("valset_hash", 32),
    ("next_valset_hash", 32), ("params_hash", 32),
]


def header_bytes(fields):
    return u(2, 1) + b"".join(fields[name] if size == 32 else u(size, fields[name]) for name, size in HEADER)


def ballot(kind, epoch, view, parent_view=0, block_hash=bytes(32)):
    return kind, epoch, view, parent_view, block_hash


def ballot_bytes(b):
    return u(1, b[0]) + u(8, b[1]) + u(8, b[2]) + u(8, b[3]) + b[4]


def ballot_digest(chain, b):
    payload = chain + u(8, b[1]) + u(8, b[2])
    if b[0] != NULLIFY:
        payload += u(8, b[3]) + b[4]
    return tagged("novate/%s/v1" % NAMES[b[0]], payload)


def vote_bytes(b, members, signer):
    return ballot_bytes(b) + u(2, signer) + base.sign(secret(members[signer][2]), ballot_digest(CHAIN, b))


def certificate_bytes(b, members, signers):
    bitmap = bytearray(max(signers) // 8 + 1)
    for i in signers:
        bitmap[i // 8] |= 1 << i % 8
    digest = ballot_digest(CHAIN, b)
    return ballot_bytes(b) + u(1, len(bitmap)) + bytes(bitmap) + b"".join(base.sign(secret(members[i][2]), digest) for i in sorted(signers))


# --- 17 evidence ---------------------------------------------------------------------------------


def evidence_bytes(members, signer, first, second):
    """Two votes of one key, in the order of their ballots' bytes."""
    halves = sorted(ballot_bytes(b) + base.sign(secret(members[signer][2]), ballot_digest(CHAIN, b)) for b in (first, second))
    return members[signer][1] + b"".join(halves)


def evidence_list(items):
    items = sorted(items)
    return u(1, len(items)) + b"".join(items)


def evidence_root(items):
    return base.merkle_root(sorted(items))


def offences(members):
    """The four kinds, each by another validator."""
    pairs = [
        (ballot(NOTARIZE, 1, 4, 3, sha256(b"a")), ballot(NOTARIZE, 1, 4, 2, sha256(b"a"))),
        (ballot(NULLIFY, 1, 4), ballot(FINALIZE, 1, 4, 3, sha256(b"a"))),
        (ballot(FINALIZE, 1, 4, 3, sha256(b"a")), ballot(FINALIZE, 1, 4, 3, sha256(b"b"))),
        (ballot(NOTARIZE, 1, 4, 3, sha256(b"a")), ballot(FINALIZE, 1, 4, 3, sha256(b"b"))),
    ]
    return [evidence_bytes(members, i, *pair) for i, pair in enumerate(pairs)]


# --- 7 bodies ------------------------------------------------------------------------------------


def body_bytes(sizes):
    return b"".join(u(4, s) + base.pattern(s) for s in sizes)


def chunks(body):
    return [body[i : i + CHUNK] for i in range(0, len(body), CHUNK)]


# --- the vectors ---------------------------------------------------------------------------------


def header_fields(members, **changes):
    fields = {name: sha256(name.encode()) if size == 32 else i + 1 for i, (name, size) in enumerate(HEADER)}
    fields.update(chain_id=CHAIN, epoch=1, view=9, parent_view=7, proposer=2, valset_hash=tagged("novate/valset/v1", valset_bytes(members)), next_valset_hash=bytes(32))
    fields.update(changes)
    return fields


def shown(fields):
    return {name: hexa(v) if isinstance(v, bytes) else str(v) for name, v in fields.items()}


STAKES = [[1], [5, 5, 5, 5], [100, 1, 50, 7, 100, 3, 2], [2**61, 2**61 - 1], [1] * 16, [1000] + [1] * 8]


def valsets():
    vectors = []
    for stakes in STAKES:
        members = valset(stakes)
        order, offset = schedule(members, CHAIN, 3, sha256(b"boundary"))
        data = valset_bytes(members)
        vectors.append(
            {
                "stakes": [str(s) for s in stakes],
                "keys": [hexa(public(i)) for i in range(len(stakes))],
                "bytes": hexa(data),
                "hash": hexa(tagged("novate/valset/v1", data)),
                "epoch": 3,
                "boundary": hexa(sha256(b"boundary")),
                "cycle": len(order),
                "leaders": [order[(offset + view) % len(order)] for view in range(40)],
                "leader_of_last_view": order[(offset + 2**64 - 1) % len(order)],
            }
        )
    return vectors


def headers():
    vectors = []
    members = valset(STAKES[1])
    for changes in ({}, {"height": 2**64 - 1, "body_size": 2**32 - 1, "time_ms": 1790000000123}):
        fields = header_fields(members, **changes)
        data = header_bytes(fields)
        assert len(data) == 348
        vectors.append({"fields": shown(fields), "bytes": hexa(data), "hash": hexa(tagged("novate/header/v1", data))})
    return vectors


def votes(members):
    ballots = [ballot(NOTARIZE, 1, 9, 7, sha256(b"block")), ballot(NULLIFY, 1, 9), ballot(FINALIZE, 2, 2**63, 5, sha256(b"other"))]
    return [{"digest": hexa(ballot_digest(CHAIN, b)), "signer": i % len(members), "bytes": hexa(vote_bytes(b, members, i % len(members)))} for i, b in enumerate(ballots)]


def certificates():
    vectors = []
    for stakes, signers, valid in (([1], [0], True), (STAKES[1], [0, 2, 3], True), (STAKES[1], [0, 3], False), (STAKES[4], [0, 1, 2, 5, 7, 8, 9, 10, 12, 13, 15], True), (STAKES[5], [0], True), (STAKES[5], [1, 2, 3, 4, 5, 6, 7, 8], False)):
        members = valset(stakes)
        for b in (ballot(NOTARIZE, 1, 9, 7, sha256(b"block")), ballot(NULLIFY, 1, 8)):
            data = certificate_bytes(b, members, signers)
            vectors.append({"valset": hexa(valset_bytes(members)), "bytes": hexa(data), "hash": hexa(tagged("novate/justify/v1", data)), "quorum": valid})
    return vectors


def bodies():
    vectors = []
    for sizes in ([], [1], [200, 200, 7], [CHUNK - 4], [CHUNK - 3], [60000, 60000, 60000], [100] * 5000):
        body = body_bytes(sizes)
        parts = chunks(body)
        vectors.append(
            {
                "transaction_sizes": sizes if len(sizes) < 100 else [sizes[0]],
                "repeat": 1 if len(sizes) < 100 else len(sizes),
                "size": len(body),
                "root": hexa(base.merkle_root(parts)),
                "paths": [[hexa(h) for h in base.merkle_path(parts, i)] for i in range(len(parts))],
            }
        )
    return vectors


def handover(members):
    """The end of an epoch: header, its finalization in a later view, the next set."""
    following = valset_bytes(valset(STAKES[2]))
    header = header_bytes(header_fields(members, next_valset_hash=tagged("novate/valset/v1", following)))
    block_hash = tagged("novate/header/v1", header)
    return header, block_hash, header + certificate_bytes(ballot(FINALIZE, 1, 12, 9, block_hash), members, [0, 1, 3]) + following


def messages(members):
    """One of each, for four equal validators."""
    parent = ballot(NOTARIZE, 1, 7, 6, sha256(b"parent"))
    justify = certificate_bytes(parent, members, [0, 1, 2])
    skip = certificate_bytes(ballot(NULLIFY, 1, 8), members, [1, 2, 3])
    final = certificate_bytes(ballot(FINALIZE, 1, 6, 5, sha256(b"grandparent")), members, [0, 1, 3])
    items = offences(members)
    fields = header_fields(members, parent_hash=sha256(b"parent"), justify_hash=tagged("novate/justify/v1", justify), evidence_root=evidence_root(items))
    header = header_bytes(fields)
    leader_vote = vote_bytes(ballot(NOTARIZE, 1, 9, 7, tagged("novate/header/v1", header)), members, 2)
    first = header_bytes(header_fields(members, height=1, view=1, parent_view=0, justify_hash=bytes(32)))
    block = header + u(1, 1) + justify + evidence_list(items)
    body = body_bytes([60000, 60000, 60000])
    path = base.merkle_path(chunks(body), 1)
    block_hash = tagged("novate/header/v1", header)
    last, last_hash, ended = handover(members)
    again = ballot(NOTARIZE, 1, 12, 9, last_hash)
    notarized = certificate_bytes(ballot(NOTARIZE, 1, 9, 7, last_hash), members, [1, 2, 3])
    skips = b"".join(certificate_bytes(ballot(NULLIFY, 1, v), members, [0, 1, 2]) for v in (11, 10))
    listed = [
        (16, u(1, 0) + u(8, 1) + u(8, 9) + u(8, 7) + header + leader_vote[-64:] + u(1, 1) + justify + evidence_list(items) + u(1, 2) + skip + final),
        (16, u(1, 1) + u(8, 1) + u(8, 12) + u(8, 9) + last + vote_bytes(again, members, 2)[-64:] + u(1, 1) + justify + evidence_list([]) + u(1, 3) + notarized + skips),
        (17, vote_bytes(ballot(NULLIFY, 1, 9), members, 3)),
        (18, final),
        (19, u(8, 1) + u(8, 9) + u(8, 5) + u(8, 6) + sha256(b"grandparent") + u(8, 1790000000123) + u(1, NULLIFY)),
        *((20, item) for item in items),
        (21, u(8, 1) + u(2, 3) + u(8, 7) + u(8, 8) + u(8, 12)),
        (22, u(2, 2) + justify + skip),
        (22, u(2, 0)),
        (23, block_hash + u(4, 1) + u(1, len(path)) + b"".join(path) + chunks(body)[1][:500]),
        (24, u(1, 1) + block_hash + u(8, 0) + u(2, 4)),
        (24, u(1, 2) + bytes(32) + u(8, 17) + u(2, 128)),
        (25, u(1, 1) + final + u(2, 2) + first + u(1, 0) + u(1, 0) + block),
        (25, u(1, 0) + u(2, 0)),
        (26, u(8, 7)),
        (27, ended),
        (29, block_hash + u(4, 2) + u(4, 1)),
    ]
    return [{"type": t, "bytes": hexa(b)} for t, b in listed]


def records(members):
    """One of each, for four equal validators."""
    justify = certificate_bytes(ballot(NOTARIZE, 1, 7, 6, sha256(b"parent")), members, [0, 1, 2])
    final = certificate_bytes(ballot(FINALIZE, 1, 9, 7, sha256(b"block")), members, [0, 1, 3])
    header = header_bytes(header_fields(members))
    payloads = [(1, header + u(1, 1) + justify + evidence_list(offences(members)[1:])), (2, justify), (3, vote_bytes(ballot(FINALIZE, 1, 9, 7, sha256(b"block")), members, 1)), (4, header + final), (5, handover(members)[2]), (6, u(8, 2) + offences(members)[3])]
    return [{"type": t, "view": v, "bytes": hexa(struct.pack(">BI", t, len(p)) + p)} for (t, p), v in zip(payloads, (9, 7, 9, 9, 12, None))]


def document():
    members = valset(STAKES[1])
    return {
        "chain_id": hexa(CHAIN),
        "four": hexa(valset_bytes(members)),
        "valsets": valsets(),
        "headers": headers(),
        "votes": votes(members),
        "certificates": certificates(),
        "bodies": bodies(),
        "evidence": [{"offence": i + 1, "key": hexa(item[:32]), "bytes": hexa(item)} for i, item in enumerate(offences(members))],
        "messages": messages(members),
        "records": records(members),
    }


def main():
    text = json.dumps(document(), indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        committed = pathlib.Path(__file__).with_name("consensus.json").read_text()
        sys.exit(0 if committed == text else "tests/golden/consensus.json is not what consensus.py writes")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
