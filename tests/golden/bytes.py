#!/usr/bin/env python3
"""Writes tests/golden/bytes.json: the test vectors of docs/spec/bytes.md.

A second implementation, from the specification, on the standard library alone. `bytes.py` prints the file; `bytes.py --check` compares it with the committed one.
"""
import hashlib
import json
import pathlib
import sys

# --- hashes --------------------------------------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def tagged(tag, message):
    prefix = sha256(tag.encode())
    return sha256(prefix, prefix, message)


def rotate(word, count):
    return (word << count | word >> (64 - count)) & (2**64 - 1) if count else word


def keccak_f(a):
    """Keccak-f[1600] on a 5x5 array a[x][y] of 64-bit lanes."""
    lfsr = 1
    for _ in range(24):
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        a = [[a[x][y] ^ c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1) for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, a[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x][y] = a[x][y], rotate(current, (t + 1) * (t + 2) // 2 % 64)
        a = [[a[x][y] ^ (~a[(x + 1) % 5][y] & a[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        for j in range(7):
            if lfsr & 1:
                a[0][0] ^= 1 << (2**j - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
    return a


def keccak256(message):
    rate = 136
    padded = bytearray(message + b"\0" * (rate - len(message) % rate))
    padded[len(message)] ^= 0x01
    padded[-1] ^= 0x80
    a = [[0] * 5 for _ in range(5)]
    for block in range(0, len(padded), rate):
        for lane in range(rate // 8):
            a[lane % 5][lane // 5] ^= int.from_bytes(padded[block + 8 * lane : block + 8 * lane + 8], "little")
        a = keccak_f(a)
    return b"".join(a[lane % 5][lane // 5].to_bytes(8, "little") for lane in range(4))


# --- the Merkle tree, level by level as section 3 says it ----------------------------------------


def merkle_levels(leaves):
    levels = [[sha256(b"\0", leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = [sha256(b"\1", below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(level + below[len(level) * 2 :])
    return levels


def merkle_root(leaves):
    top = merkle_levels(leaves)[-1]
    return sha256(b"\2", len(leaves).to_bytes(4, "big"), *top)


def merkle_path(leaves, index):
    path = []
    for level in merkle_levels(leaves)[:-1]:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index //= 2
    return path


# --- BIP-340 -------------------------------------------------------------------------------------

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def point_add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and a[1] != b[1]:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def point_multiply(scalar, point=G):
    result = None
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def number(value):
    return value.to_bytes(32, "big")


def even(scalar):
    """The scalar and its point, negated if need be so that y is even."""
    point = point_multiply(scalar)
    return (scalar, point) if point[1] % 2 == 0 else (N - scalar, point)


def sign(secret, digest):
    d, point = even(int.from_bytes(secret, "big"))
    mask = tagged("BIP0340/aux", bytes(32))
    nonce = tagged("BIP0340/nonce", bytes(x ^ y for x, y in zip(number(d), mask)) + number(point[0]) + digest)
    k, commitment = even(int.from_bytes(nonce, "big") % N)
    challenge = tagged("BIP0340/challenge", number(commitment[0]) + number(point[0]) + digest)
    s = (k + int.from_bytes(challenge, "big") * d) % N
    return number(commitment[0]) + number(s)


# --- texts ---------------------------------------------------------------------------------------


def hexa(data):
    return "0x" + data.hex()


def address_text(address):
    digits = address.hex()
    case = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(case[i], 16) >= 8 else c for i, c in enumerate(digits))


def decimal_text(value, places):
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return ("-" if value < 0 else "") + whole + ("." + fraction if fraction else "")


# --- the vectors ---------------------------------------------------------------------------------


def pattern(size):
    """`size` bytes: 0, 1, 2 and so on, modulo 251."""
    return bytes(i % 251 for i in range(size))


def integers():
    vectors = []
    for bits in (8, 16, 32, 64):
        for value in (0, 1, 0x7F, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1, 0x0123456789ABCDEF % 2**bits):
            vectors.append((f"u{bits}", value))
    vectors += [("i64", value) for value in (0, 1, -1, 2**63 - 1, -(2**63), -1_000_000)]
    return [
        {"type": t, "value": str(v), "bytes": hexa(v.to_bytes(int(t[1:]) // 8, "big", signed=t[0] == "i"))}
        for t, v in vectors
    ]


def merkle():
    vectors = []
    for count in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17, 33):
        leaves = [pattern(i * 7 % 40) + bytes([i]) for i in range(count)]
        chosen = sorted({0, count // 2, count - 2, count - 1} & set(range(count)))
        paths = [{"index": i, "path": [hexa(h) for h in merkle_path(leaves, i)]} for i in chosen]
        vectors.append({"leaves": [hexa(d) for d in leaves], "root": hexa(merkle_root(leaves)), "paths": paths})
    return vectors


def keys():
    vectors = []
    for seed in (bytes(32), pattern(32), b"\xff" * 32, sha256(b"alice"), sha256(b"bob")):
        secret = tagged("novate/seckey/v1", seed)
        public = number(even(int.from_bytes(secret, "big"))[1][0])
        address = tagged("novate/address/v1", public)[12:]
        digest = tagged("novate/example/v1", seed)
        vectors.append(
            {
                "seed": hexa(seed),
                "secret_key": hexa(secret),
                "public_key": hexa(public),
                "address": hexa(address),
                "address_text": address_text(address),
                "digest": hexa(digest),
                "signature": hexa(sign(secret, digest)),
            }
        )
    return vectors


def decimals():
    cases = [(0, 6), (1, 6), (-1, 6), (1_500_000, 6), (-2_000_000, 6), (10, 0), (123, 2), (5, 18)]
    cases += [(2**63 - 1, 6), (-(2**63), 6), (2**63 - 1, 18), (-(2**63), 0), (1000, 3), (100, 3)]
    return [{"value": str(v), "places": p, "text": decimal_text(v, p)} for v, p in cases]


REFUSED = [
    ("+1", 6, "1"),
    ("01", 6, "1"),
    ("1.50", 6, "1.5"),
    (".5", 6, "0.5"),
    ("1.", 6, "1"),
    ("-0", 6, "0"),
    ("-0.0", 6, "0"),
    ("00.100", 1, "0.1"),
    ("-000.0100", 2, "-0.01"),
    ("1.0000000000000000000000000000", 0, "1"),
    ("", 6, ""),
    ("-", 6, ""),
    (".", 6, ""),
    ("1e3", 6, ""),
    ("1,5", 6, ""),
    (" 1", 6, ""),
    ("1 ", 6, ""),
    ("0x1", 6, ""),
    ("--1", 6, ""),
    ("1.2.3", 6, ""),
    ("NaN", 6, ""),
    ("1.0000001", 6, ""),
    ("9223372036854.775808", 6, ""),
    ("-9223372036854.775809", 6, ""),
    ("99999999999999999999999999", 6, ""),
]


def document():
    messages = [b"", b"abc", pattern(55), pattern(56), pattern(64), pattern(65), pattern(136), pattern(1000)]
    tags = ["novate/header/v1", "novate/address/v1", "", "x" * 70]
    address_texts = [
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "dbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "D1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ]
    for text in address_texts:  # the examples of EIP-55
        assert address_text(bytes.fromhex(text)) == "0x" + text
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    return {
        "integers": integers(),
        "sha256": [{"message": hexa(m), "hash": hexa(sha256(m))} for m in messages],
        "keccak256": [{"message": hexa(m), "hash": hexa(keccak256(m))} for m in messages + [pattern(135), pattern(272)]],
        "tagged_hash": [
            {"tag": t, "message": hexa(m), "hash": hexa(tagged(t, m))} for t in tags for m in (b"", pattern(32), pattern(200))
        ],
        "merkle": merkle(),
        "keys": keys(),
        "address_text": [{"address": "0x" + t.lower(), "text": "0x" + t} for t in address_texts + ["0" * 40]],
        "decimals": decimals(),
        "decimals_refused": [{"text": t, "places": p, "canonical": c} for t, p, c in REFUSED],
    }


def main():
    text = json.dumps(document(), indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        committed = pathlib.Path(__file__).with_name("bytes.json").read_text()
        sys.exit(0 if committed == text else "tests/golden/bytes.json is not what bytes.py writes")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
