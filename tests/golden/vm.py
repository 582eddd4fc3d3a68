#!/usr/bin/env python3
"""Writes tests/golden/vm.json: test vectors of docs/spec/rows.md, receipts.md and transactions.md.

A second implementation, from the specification, on the standard library and bytes.py. `vm.py` prints the file; `vm.py --check` compares it with the committed one.
"""
import importlib
import json
import pathlib
import sys

base = importlib.import_module("bytes")  # tests/golden/bytes.py
tagged, sha256, hexa = base.tagged, base.sha256, base.hexa

CHAIN = sha256(b"chain")
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8, "money": 8, "price": 8, "lots": 8, "ratio": 8}


def put(kind, value):
    """A field by its type: an integer, or bytes of a fixed size (b20)."""
    if kind[0] == "b":
        assert len(value) == int(kind[1:])
        return value
    return value.to_bytes(SIZES[kind], "big", signed=kind not in ("u8", "u16", "u32", "u64"))


def pack(layout, values):
    return b"".join(put(kind, values[name]) for name, kind in layout)


class Numbers:
    """Values that are neither alike nor all small: made from a counter."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def take(self, kind):
        self.count += 1
        raw = sha256(b"%d %d" % (self.seed, self.count))
        if kind[0] == "b":
            return raw[: int(kind[1:])]
        bits = 8 * SIZES[kind] - (kind not in ("u8", "u16", "u32", "u64"))
        value = int.from_bytes(raw[:8], "big") >> (64 - bits)
        return -value if kind not in ("u8", "u16", "u32", "u64") and raw[9] & 1 else value


# --- rows ----------------------------------------------------------------------------------------

VWAP = [(f"vwap{i}_{name}", kind) for i in range(6) for name, kind in (("start_ms", "u64"), ("lots", "lots"), ("value", "money"))]

# Table number, fields of the key, fields of the value (docs/spec/rows.md).
TABLES = {
    "account": (0x01, [("account", "u64")], [("address", "b20"), ("cash", "money"), ("wallet", "money"), ("stage", "u8"), ("stage_height", "u64"), ("created_height", "u64")]),
    "position": (0x02, [("account", "u64"), ("market", "u32")], [("lots", "lots"), ("cost", "money")]),
    "address": (0x05, [("address", "b20")], [("account", "u64")]),
    "session": (0x06, [("account", "u64"), ("key_hash", "b16")], [("key", "b32"), ("scopes", "u32"), ("expires_ms", "u64")]),
    "feed": (0x08, [("feed", "u32")], [("symbol", "b24"), ("index", "money"), ("confidence", "money"), ("index_ms", "u64"), ("quorum_height", "u64"), ("fresh", "u8"), ("lost_ms", "u64"), ("range_initial", "ratio"), ("range_maintenance", "ratio")]),
    "report": (0x09, [("feed", "u32"), ("reporter", "u16")], [("price", "money"), ("confidence", "money"), ("time_ms", "u64")]),
    "param": (0x0A, [("param", "u16")], [("value", "i64")]),
    "chain": (0x0B, [], [("height", "u64"), ("time_ms", "u64")] + [(n, "money") for n in ("vault", "supply", "cash_sum", "wallet_sum", "realised_sum", "scrub_cash", "scrub_wallet")] + [(n, "u64") for n in ("next_account", "fee_account", "insurance_account", "faucet_account")] + [("safe_mode", "u8"), ("params_hash", "b32")]),
    "block_result": (0x0C, [("place", "u32")], [("height", "u64"), ("time_ms", "u64"), ("tx_count", "u32"), ("event_count", "u32"), ("receipts_root", "b32"), ("events_root", "b32")]),
    "root": (0x0D, [("place", "u32")], [("height", "u64"), ("root", "b32")]),
    "tombstone": (0x0E, [("market", "u32"), ("account", "u64"), ("client_id", "u64")], [("expires_ms", "u64")]),
    "reporter": (0x0F, [("reporter", "u16")], [("account", "u64"), ("stake", "u64")]),
    "staking": (0x11, [], [("epoch", "u64"), ("epoch_height", "u64"), ("pot", "money"), ("staked", "money"), ("scrub_staked", "money"), ("validators", "u32")]),
    "delegation": (0x13, [("account", "u64"), ("validator", "u64")], [("shares", "i64")]),
    "batch": (0x14, [("validator", "u64"), ("epoch", "u64")], [("tokens", "money"), ("shares", "i64")]),
    "unbonding": (0x15, [("account", "u64"), ("validator", "u64"), ("epoch", "u64")], [("shares", "i64"), ("release_ms", "u64")]),
    "market_state": (0x10, [("market", "u32")], [("status", "u8"), ("status_ms", "u64"), ("generation", "u32"), ("carry", "money"), ("realised", "money"), ("cost_sum", "money"), ("lots_sum", "lots"), ("open_interest", "lots"), ("scrub_lots", "lots"), ("scrub_cost", "money"), ("mark", "money"), ("index_value", "money"), ("basis", "money"), ("last_price", "price"), ("last_trade_ms", "u64"), ("mid_rested_ms", "u64"), ("mid", "money"), ("extended_from_ms", "u64"), ("extension_last_ms", "u64"), ("waiting_ioc", "u32"), ("funding_next_ms", "u64"), ("premium_at_ms", "u64"), ("premium", "money"), ("premium_sum_hi", "i64"), ("premium_sum_lo", "u64"), ("average_at_ms", "u64"), ("average_last", "money"), ("average_ms", "u64"), ("average_sum_hi", "i64"), ("average_sum_lo", "u64"), ("settlement", "money"), ("risk_index", "money"), ("risk_range", "ratio")] + VWAP),
}

# What the rules of the tables ask for.
FIXED = {
    "account": {"wallet": 77, "stage": 2},
    "session": {"scopes": 9},
    "feed": {"symbol": b"BTC".ljust(24, b"\0"), "fresh": 1},
    "chain": {"safe_mode": 1},
    "market_state": {"status": 4, "generation": 0xFFFFFF},
    "staking": {"pot": 12345, "staked": 2**60},
    "delegation": {"shares": 1},
    "batch": {"tokens": 99, "shares": 100},
    "unbonding": {"shares": 2**63 - 1},
}

MARKET = [("symbol", "b24"), ("feed", "u32"), ("tick_micro", "u64"), ("lots_per_unit", "u32"), ("tick_value", "money"), ("expires_ms", "u64"), ("settle_window_ms", "u64"), ("funding_interval_ms", "u64"), ("order_lots_max", "lots"), ("open_interest_max", "lots")]
ORDER = [("ordinal", "u8"), ("slot", "u32"), ("generation", "u32"), ("side", "u8"), ("flags", "u8"), ("price", "price"), ("lots", "lots"), ("placed_height", "u64"), ("expires_ms", "u64"), ("client_id", "u64"), ("tie", "u64")]


def row_key(table, fields):
    return (bytes([table]) + fields).ljust(32, b"\0")


def shown(values):
    return {name: hexa(v) if isinstance(v, bytes) else str(v) for name, v in values.items()}


def plain_row(name, seed):
    table, key_layout, layout = TABLES[name]
    numbers = Numbers(seed)
    values = {field: numbers.take(kind) for field, kind in layout}
    values.update(FIXED.get(name, {}))
    keys = {field: numbers.take(kind) for field, kind in key_layout}
    if name in ("block_result", "root"):
        keys["place"] = values["height"] % 4096
    if name == "session":
        keys["key_hash"] = sha256(values["key"])[:16]
    return {"table": name, "key_fields": shown(keys), "key": hexa(row_key(table, pack(key_layout, keys))), "fields": shown(values), "value": hexa(pack(layout, values))}


def market_row():
    values = {"symbol": b"ETH-27MAR26".ljust(24, b"\0"), "feed": 3, "tick_micro": 250000, "lots_per_unit": 1000, "tick_value": 250, "expires_ms": 1774598400000, "settle_window_ms": 1800000, "funding_interval_ms": 0, "order_lots_max": 5000, "open_interest_max": 900000}
    program = bytes.fromhex("4e5650310000000111002000")
    value = pack(MARKET, values) + put("u16", len(program)) + program
    return {"table": "market", "key_fields": {"market": "7"}, "key": hexa(row_key(0x03, put("u32", 7))), "fields": dict(shown(values), program=hexa(program)), "value": hexa(value)}


VALIDATOR = [("key", "b32"), ("node_key", "b32"), ("tokens", "money"), ("shares", "i64"), ("due", "money"), ("least", "money"), ("commission", "ratio"), ("commission_epoch", "u64"), ("status", "u8"), ("jailed_epoch", "u64")]
MEMBER = [("validator", "u64"), ("key", "b32"), ("stake", "money")]


def validator_row(seed, slashes):
    numbers = Numbers(seed)
    values = {name: numbers.take(kind) for name, kind in VALIDATOR}
    values.update(tokens=2**61, shares=2**62, due=7, least=10**9, commission=10**9, status=1 + len(slashes) % 3)
    value = pack(VALIDATOR, values) + put("u8", len(slashes)) + b"".join(put("u64", e) for e in slashes)
    return {"table": "validator", "key_fields": {"account": str(seed)}, "key": hexa(row_key(0x12, put("u64", seed))), "fields": shown(values), "slashes": [str(e) for e in slashes], "value": hexa(value)}


def set_row(of, page, count, height):
    numbers = Numbers(200 + page)
    members = [{"validator": 1 + i, "key": numbers.take("b32"), "stake": 1000 - i} for i in range(32 * page, min(count, 32 * page + 32))]
    value = put("u64", height) + put("u8", count) + put("u8", len(members)) + b"".join(pack(MEMBER, m) for m in members)
    return {"table": "set", "key_fields": {"set": str(of), "page": str(page)}, "key": hexa(row_key(0x16, put("u8", of) + put("u8", page))), "fields": {"height": str(height), "count": str(count)}, "members": [shown(m) for m in members], "value": hexa(value)}


def uptime_row(blocks, present):
    value = put("u32", blocks) + put("u8", len(present)) + b"".join(put("u32", p) for p in present)
    return {"table": "uptime", "key_fields": {}, "key": hexa(row_key(0x17, b"")), "fields": {"blocks": str(blocks), "count": str(len(present))}, "present": [str(p) for p in present], "value": hexa(value)}


def level_row(side, tick, lots):
    """One page; `lots` by tick."""
    page = tick // 64
    place = (page & (2**64 - 1)) ^ 2**63
    place = place ^ (2**64 - 1) if side == 1 else place
    occupied = sum(1 << (t - 64 * page) for t in lots)
    value = put("u64", occupied) + b"".join(put("lots", lots[t]) for t in sorted(lots))
    key = row_key(0x04, put("u32", 2) + put("u8", side) + put("u64", place))
    fields = {"occupied": str(occupied), "lots": {str(t - 64 * page): str(lots[t]) for t in sorted(lots)}}
    return {"table": "level", "key_fields": {"market": "2", "side": str(side), "tick": str(tick)}, "key": hexa(key), "fields": fields, "value": hexa(value)}


def orders_row(seed, count):
    numbers, orders = Numbers(seed), []
    for i in range(count):
        order = {name: numbers.take(kind) for name, kind in ORDER}
        order.update(ordinal=i if count == 16 else 2 * i + 1, slot=order["slot"] >> 8, generation=order["generation"] >> 8, side=1 + i % 2, flags=i, lots=1 + abs(order["lots"]) // 2)
        orders.append(order)
    key = row_key(0x07, put("u32", 1) + put("u64", 9) + put("u8", 15))
    value = put("u8", count) + b"".join(pack(ORDER, order) for order in orders)
    return {"table": "orders", "key_fields": {"market": "1", "account": "9", "page": "15"}, "key": hexa(key), "orders": [shown(o) for o in orders], "value": hexa(value)}


def rows():
    out = [plain_row(name, seed) for name in TABLES for seed in (1, 2)]
    out += [market_row(), level_row(1, 600000, {600000: 5}), level_row(2, -1, {-1: 2**62, -64: 1, -30: 77})]
    return out + [level_row(2, 64, {t: t for t in range(64, 128)}), orders_row(3, 1), orders_row(4, 16), validator_row(5, []), validator_row(6, [1, 2**40]), validator_row(7, list(range(3, 11))), set_row(0, 1, 40, 9), set_row(8, 0, 128, 448), uptime_row(1000, [0, 1000, 7])]


# --- receipts and events -------------------------------------------------------------------------

RECEIPT = [("hash", "b32"), ("account", "u64"), ("code", "u16"), ("fee", "money"), ("count", "u8")]
EVENTS = {
    1: [("account", "u64"), ("reason", "u8"), ("amount", "money"), ("counterparty", "u64")],
    2: [("account", "u64"), ("market", "u32"), ("order", "u64"), ("change", "u8"), ("side", "u8"), ("price", "price"), ("lots", "lots"), ("client_id", "u64")],
    3: [("account", "u64"), ("market", "u32"), ("order", "u64"), ("side", "u8"), ("maker", "u8"), ("price", "price"), ("lots", "lots"), ("fee", "money"), ("realised", "money")],
    4: [("market", "u32"), ("price", "price"), ("lots", "lots"), ("imbalance", "lots"), ("extended", "u8")],
    5: [("feed", "u32"), ("index", "money"), ("confidence", "money"), ("fresh", "u8")],
    6: [("market", "u32"), ("mark", "money"), ("index_value", "money")],
    7: [("market", "u32"), ("carry_delta", "money"), ("rate", "ratio")],
    8: [("account", "u64"), ("stage", "u8"), ("market", "u32"), ("lots", "lots"), ("price", "price"), ("equity", "money"), ("maintenance", "money"), ("amount", "money"), ("keeper", "u64")],
    9: [("account", "u64"), ("market", "u32"), ("lots", "lots"), ("value", "money"), ("realised", "money")],
    10: [("market", "u32"), ("status", "u8"), ("reason", "u8")],
    11: [("safe_mode", "u8")],
    12: [("account", "u64"), ("change", "u8"), ("amount", "money"), ("epoch", "u64")],
    13: [("epoch", "u64"), ("members", "u32"), ("stake", "money"), ("paid", "money")],
}


def receipt(seed, code, outcomes):
    numbers = Numbers(seed)
    values = {name: numbers.take(kind) for name, kind in RECEIPT}
    values.update(code=code, fee=100, count=len(outcomes))
    data = pack(RECEIPT, values) + b"".join(put("u16", c) + put("u64", r) for c, r in outcomes)
    return {"fields": shown(values), "outcomes": [{"code": str(c), "result": str(r)} for c, r in outcomes], "bytes": hexa(data)}


def receipts():
    return [receipt(1, 6001, []), receipt(2, 0, [(0, 2**63)]), receipt(3, 0, [(4000 + i, i) for i in range(64)])]


def receipt_groups():
    """The receipts of a block as leaves, and the paths of some of them."""
    out = []
    for count in (0, 1, 15, 16, 17, 33, 70):
        made = [bytes.fromhex(receipt(1000 + i, 0, [(0, i)] * (1 + i % 3))["bytes"][2:]) for i in range(count)]
        groups = [b"".join(put("u16", len(r)) + r for r in made[i : i + 16]) for i in range(0, count, 16)]
        chosen = sorted({i for i in (0, 15, 16, count - 1) if 0 <= i < count})
        paths = [{"index": i, "receipt": hexa(made[i]), "path": [hexa(h) for h in base.merkle_path(groups, i // 16)]} for i in chosen]
        out.append({"count": count, "groups": [{"bytes": hexa(g)} for g in groups], "root": hexa(base.merkle_root(groups)), "paths": paths})
    return out


def event(kind):
    numbers = Numbers(100 + kind)
    values = {name: numbers.take(t) for name, t in EVENTS[kind]}
    return {"kind": kind, "fields": shown(values), "bytes": hexa(put("u8", kind) + pack(EVENTS[kind], values))}


# --- transactions --------------------------------------------------------------------------------


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, value):
    """A field in canonical form: nothing for a default, a varint or length-delimited bytes."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value if value else b""
    return varint(number << 3) + varint(value) if value else b""


def message(*values):
    return b"".join(field(i + 1, v) for i, v in enumerate(values))


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def nested(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


TO, KEY = bytes(range(20)), bytes(range(32))
ACTIONS = [
    ("place", 1, message(3, 1, zigzag(600000), 25, 1, 0, 0, 0, 0)),
    ("place_full", 1, message(65535, 2, zigzag(-(2**53 - 1)), 2**31 - 1, 2, 1, 1, 1760000000000, 2**64 - 1)),
    ("place_ioc", 1, message(0, 2, zigzag(0), 1, 3)),
    ("cancel", 2, message(2**64 - 1)),
    ("cancel_client", 3, message(0, 17)),
    ("cancel_all", 4, message(5)),
    ("cancel_all_first", 4, message()),
    ("cancel_all_every", 4, message(0, 1)),
    ("deposit", 5, message(2**61)),
    ("withdraw", 6, message(1)),
    ("transfer", 7, message(TO, 1000000)),
    ("faucet", 8, message(bytes(20), 5)),
    ("session_set", 9, message(KEY, 15, 1760000000000)),
    ("session_revoke", 10, message(KEY)),
    ("report", 11, message(1, 60000000000, 0, 1760000000000)),
    ("keeper_close", 12, message(TO) + nested(2, message(1, 40)) + nested(2, message(0, 7))),
]


def identity(name):
    secret = tagged("novate/seckey/v1", sha256(name.encode()))
    public = base.number(base.even(int.from_bytes(secret, "big"))[1][0])
    return secret, public, tagged("novate/address/v1", public)[-20:]


def bond(account, amount=10**9):
    """The account becomes a validator: stake.md 2.2."""
    secret, public, _ = identity("validator")
    node_secret, node_public, _ = identity("node")
    proof = base.sign(secret, tagged("novate/bond/v1", CHAIN + account))
    node_proof = base.sign(node_secret, tagged("novate/bond-node/v1", CHAIN + account))
    return ("bond", 13, message(public, node_public, 10**9, amount, proof, node_proof))


BOND = [("bond", 13, b"")]  # filled in by its account
STAKE = [
    ("delegate", 14, message(TO, 1000000)),
    ("undelegate", 15, message(TO, 2**61)),
    ("withdraw_stake", 16, message(TO)),
    ("claim", 17, message()),
    ("set_commission", 18, message(50000000)),
    ("set_commission_none", 18, message()),
    ("unjail", 19, message()),
    ("session_stake", 9, message(KEY, 31, 1760000000000)),
]


def transaction(name, actions, salt=0):
    secret, public, account = identity(name)
    actions = [bond(account) if kind == "bond" else (kind, number, data) for kind, number, data in actions]
    body = message(account, 1760000012345, salt) + b"".join(nested(4, nested(kind, data)) for _, kind, data in actions)
    digest = tagged("novate/tx/v1", CHAIN + public + body)
    data = nested(1, body) + nested(2, public) + nested(3, base.sign(secret, digest))
    return {"name": name, "secret": hexa(secret), "account": hexa(account), "kinds": [kind for _, kind, _ in actions], "hash": hexa(digest), "bytes": hexa(data)}


def document():
    return {
        "chain_id": hexa(CHAIN),
        "rows": rows(),
        "receipts": receipts(),
        "receipt_groups": receipt_groups(),
        "events": [event(kind) for kind in sorted(EVENTS)],
        "transactions": [transaction(a[0], [a]) for a in ACTIONS + STAKE + BOND] + [transaction("all", ACTIONS, 2**64 - 1), transaction("all-stake", BOND + STAKE, 3), transaction("sixty-four", [ACTIONS[0]] * 64, 1)],
    }


def main():
    text = json.dumps(document(), indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        committed = pathlib.Path(__file__).with_name("vm.json").read_text()
        sys.exit(0 if committed == text else "tests/golden/vm.json is not what vm.py writes")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
