#!/usr/bin/env python3
"""Writes docs/spec/parameters.md and docs/spec/codes.md from the lists vm/params.def and vm/rejects.def.

`lists.py` writes both files; `lists.py --check` compares them with the committed ones.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRING = r'"((?:[^"\\]|\\.)*)"'

PARAMETERS = """# Parameters

Made by `tools/gen/lists.py` from `vm/params.def`. Each parameter is row `0a || number` (`rows.md`); a value outside its range is
refused wherever it comes from. Ratios are parts per billion (ppb), money micro-units. The hash of the parameters in force, which
headers carry, is `TH("novate/params/v1", number u16 || value i64 of each, by ascending number)`.

| number | name | unit | least | most | default | |
|--:|---|---|--:|--:|--:|---|
"""

CODES = """# Codes

Made by `tools/gen/lists.py` from `vm/rejects.def`: why a transaction or one of its actions failed (`receipts.md`). 0 is success.

| code | name | what it says | what to do |
|--:|---|---|---|
"""


def entries(path, fields):
    """The arguments of every XX(...) of a list, by a pattern for each field."""
    pattern = re.compile(r"^XX\(" + r",\s*".join(fields) + r"\)$", re.M)
    text = (ROOT / path).read_text()
    found = pattern.findall(text)
    if len(found) != text.count("\nXX("):
        sys.exit(f"{path}: an entry is not in the expected form")
    return found


def parameters():
    number, word = r"(-?\d+)", r"(\w+)"
    rows = entries("vm/params.def", [number, word, word, number, number, number, STRING])
    return PARAMETERS + "".join(f"| {n} | `{name}` | {unit} | {least} | {most} | {default} | {text} |\n"
                                for n, name, unit, least, most, default, text in rows)


def codes():
    rows = entries("vm/rejects.def", [r"(\d+)", r"\w+", r"(\w+)", STRING, STRING])
    return CODES + "".join(f"| {code} | `{name}` | {text} | {hint} |\n" for code, name, text, hint in rows)


def main():
    for name, text in (("parameters.md", parameters()), ("codes.md", codes())):
        path = ROOT / "docs/spec" / name
        if sys.argv[1:] != ["--check"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"docs/spec/{name} is not what tools/gen/lists.py writes")


if __name__ == "__main__":
    main()
