#!/usr/bin/env python3
"""Writes docs/API.md: what a node answers, from rpc/*.def, rpc/params.h and section 7 of docs/spec/rpc.md.

`api.py` writes the file; `api.py --check` compares it with the committed one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = ROOT / "docs/API.md"
STRING = r'"((?:[^"\\]|\\.)*)"'
WHERE = {"RPC_ON_LOOP": "", "RPC_ON_STATE": "state", "RPC_ON_PROVED_STATE": "state, proved"}
STYLES = {"ORDERED": "each event once; can be resumed", "REPLACED": "the newest state", "BOOK": "a snapshot, then differences"}
GROUPS = {"rpc": "Limits", "node": "The node", "chain": "The chain", "tx": "Transactions", "market": "Markets",
          "order": "Orders", "account": "Accounts", "risk": "Risk", "liq": "Liquidation", "stake": "Stake",
          "sub": "Subscriptions", "dev": "Devnets"}

HEAD = """# The RPC of a node

Made by `tools/gen/api.py` from `rpc/*.def` and section 7 of `docs/spec/rpc.md`, which also says how requests are framed, limited and proved. JSON-RPC 2.0 by `POST /`, or on a WebSocket by `GET /`; parameters
are passed by name. From a shell: `novate rpc METHOD key=value…` and `novate sub CHANNEL…`.

A parameter is `name:type`, with `!` when it must be given. Methods on the *state* read it at the newest executed height, and also take `meta:bool`, `proof:bool`, `min_height:u64` and `timeout_ms:count`. The weight
is what a call takes from the token bucket of its address.

| type | what it is |
|---|---|
"""


def entries(path, name="XX"):
    """The arguments of every NAME(...) of a list, as texts; C strings side by side are one."""
    text = (ROOT / path).read_text()
    found = re.findall(rf"^\s*{name}\(((?:[^()\"]|{STRING})*)\)", text, re.M)
    if len(found) != len(re.findall(rf"^\s*{name}\(", text, re.M)):
        sys.exit(f"{path}: an entry is not in the expected form")
    for arguments in (f[0] for f in found):
        yield ["".join(re.findall(STRING, a)).replace('\\"', '"') if '"' in a else a.strip()
               for a in re.findall(rf"\s*((?:{STRING}\s*)+|[^,\"]+)(?:,|$)", arguments) for a in a[:1]]


def table(heads, rows):
    line = "|" + "|".join(" --: " if h == "weight" else "---" for h in heads) + "|\n"
    return "| " + " | ".join(heads) + " |\n" + line + "".join("| " + " | ".join(row) + " |\n" for row in rows)


def results():
    """What docs/spec/rpc.md says that each method answers."""
    section = (ROOT / "docs/spec/rpc.md").read_text().split("\n## 7 ")[1]
    return {name: text for names, text in re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.M)
            for name in re.findall(r"`(\w+)`", names)}


def methods():
    told, groups = results(), {}
    for name, _, where, weight, devnet, params in entries("rpc/methods.def"):
        notes = ", ".join(n for n in (WHERE[where], "devnets only" if devnet == "true" else "") if n)
        takes = " ".join(f"`{p}`" for p in params.split())
        groups.setdefault(name.split("_")[0], []).append((f"`{name}`", takes, notes, weight, told.pop(name, "")))
    if told:
        sys.exit(f"docs/spec/rpc.md tells results of methods that are not there: {' '.join(told)}")
    heads = ("method", "parameters", "", "weight", "result")
    return "".join(f"\n## {GROUPS[group]}\n\n{table(heads, rows)}" for group, rows in groups.items())


def channels():
    rows = ((prefix + ("" if of == "NOTHING" else f"{{{of.lower()}}}") + suffix, STYLES[style])
            for _, prefix, suffix, of, style in entries("rpc/channels.def"))
    return "\n## Channels\n\n" + table(("channel", "what it tells"), ((f"`{name}`", style) for name, style in rows))


def errors():
    rows = ((code, f"`{name}`", status, text, hint) for _, code, status, name, text, hint in entries("rpc/errors.def"))
    return ("\n## Errors\n\nThose of the server; what the settlement machine refuses has the codes of `docs/spec/codes.md`.\n\n" +
            table(("code", "name", "HTTP", "what it says", "what to do"), rows))


def main():
    types = ((f"`{name}`", text) for _, name, text in entries("rpc/params.h"))
    text = HEAD + "".join("| " + " | ".join(t) + " |\n" for t in types) + methods() + channels() + errors()
    if sys.argv[1:] != ["--check"]:
        PATH.write_text(text)
    elif not PATH.exists() or PATH.read_text() != text:
        sys.exit("docs/API.md is not what tools/gen/api.py writes")


if __name__ == "__main__":
    main()
