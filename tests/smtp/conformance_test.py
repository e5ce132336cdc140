#!/usr/bin/env python3
"""Every test that CONFORMANCE.md names exists, every requirement has one, and each standard is there.

Usage: conformance_test.py SOURCE_TREE
"""
import re
import sys
from pathlib import Path

STANDARDS = "5321 1870 2034 2920 3030 3207 3463 4954 6152 6531 7504 7505 8461 7672 9422".split()


def names_of_tests(tree):
    names = {path.name for path in (tree / "tests/smtp/dialogs/client").glob("*.txt")}
    for path in (tree / "tests").rglob("*_test.cc"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", path.read_text(), re.M):
            names.add(f"{suite}.{name}")
    for name in re.findall(r"posthorn_e2e\((\w+)", (tree / "tests/e2e/CMakeLists.txt").read_text()):
        names.add(f"EndToEnd.{name}")
    return names


def faults(text, tests):
    for standard in STANDARDS:
        if not re.search(rf"^## .*\b{standard}\b", text, re.M):
            yield f"RFC {standard} is missing"
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "§" or set(line) <= set("|- "):
            continue
        if len(cells) != 5 or cells[1] not in ("MUST", "SHOULD", "MAY"):
            yield f"line {number}: not § | level | what | tests | otherwise"
            continue
        named = re.findall(r"`([^`]+)`", cells[3])
        if not named:
            yield f"line {number}: no test"
        for name in re.findall(r"`(\w+\.\w+)`", line):
            if name not in tests:
                yield f"line {number}: there is no test {name}"


def main() -> int:
    tree = Path(sys.argv[1])
    found = list(faults((tree / "tests/smtp/CONFORMANCE.md").read_text(), names_of_tests(tree)))
    for fault in found:
        print(f"tests/smtp/CONFORMANCE.md: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
