#!/usr/bin/env python3
"""Holds the tree to its own rules: layers, sizes, words, homes of libraries, tests in the build.

Usage: tidy_test.py SOURCE_DIR
Prints one line for each breach, `file:line: what is wrong`, and fails if there is any.
"""
import re
import subprocess
import sys
from pathlib import Path

LAYERS = ["engine/base", "engine/mail", "engine/smtp", "engine/queue", "engine/delivery",
          "engine/net", "engine/server"]
# Folder -> folders it may include besides itself.
MAY_INCLUDE = {layer: LAYERS[:i] for i, layer in enumerate(LAYERS)}
MAY_INCLUDE["campaigns"] = ["engine/base", "engine/mail", "engine/queue"]
# The intake and render interfaces of delivery, open to campaigns.
CAMPAIGNS_ALSO = {"engine/delivery/renderer.h", "engine/delivery/campaign_plan.h",
                  "engine/delivery/retry_policy.h"}

# Third-party headers and their homes.
HOMES = {
    r"<uv\.h>": ["engine/net/", "tools/sink/"],
    r"<ares\.h>": ["engine/net/"],
    r"<gsasl\.h>": ["engine/net/sasl_login", "tests/"],
    r"<rocksdb/": ["engine/queue/rocks_"],
    r"<openssl/ssl\.h>": ["engine/net/", "tools/sink/"],
    r"<nlohmann/json\.hpp>": ["campaigns/", "engine/mail/reply_rules", "engine/server/", "tools/",
                              "tests/"],
}
LINES_MAX = {".cc": 400, ".h": 150}
BANNED = [r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bX" + r"XX\b", r"\busing namespace std\b(?!::)",
          r"\bstd::thread\b(?!::)", r"\bsleep_for\b", r"\bsystem_clock::now\b",
          r"\bsteady_clock::now\b", r"\bco_await\b", r"\brandom_device\b"]
# Threads are born in the runtime; clocks are read at the edge.
ALLOWED = {
    r"\bstd::thread\b(?!::)": ["engine/server/", "tests/", "tools/", "bench/"],
    r"\bsystem_clock::now\b": ["engine/net/", "engine/server/", "tools/", "tests/", "bench/"],
    r"\bsteady_clock::now\b": ["engine/net/", "engine/server/", "tools/", "tests/", "bench/"],
    r"\brandom_device\b": ["engine/net/", "engine/server/", "tools/", "tests/", "bench/"],
}
BANNED_TYPES = re.compile(r"\b(?:class|struct)\s+\w*(?:Manager|Helper|Util|Utils|Impl)\b")
BANNED_NAMES = re.compile(r"\b(?:auto|std::string|int)\s*[&*]?\s+(?:data|info|tmp)\b\s*[=;({]")


def folder_of(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "engine" else parts[0]


def includes_of(text: str):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(1), match.group(2)


def check_includes(path: str, text: str):
    folder = folder_of(path)
    for number, kind, target in includes_of(text):
        if kind == '"' and folder in MAY_INCLUDE:
            target_folder = folder_of(target)
            allowed = target_folder == folder or target_folder in MAY_INCLUDE[folder]
            if folder == "campaigns" and target in CAMPAIGNS_ALSO:
                allowed = True
            if not allowed:
                yield f"{path}:{number}: {folder} may not include {target}"
        if kind == '"' and folder_of(target) in ("tools", "tests", "bench") and \
                folder not in ("tools", "tests", "bench"):
            yield f"{path}:{number}: nothing includes {folder_of(target)}"
        spelled = f"<{target}>" if kind == "<" else f'"{target}"'
        for pattern, homes in HOMES.items():
            if re.match(pattern, spelled) and not path.startswith("tests/") and \
                    not any(path.startswith(home) for home in homes):
                yield f"{path}:{number}: {spelled} has its home in {', '.join(homes)}"


def check_words(path: str, text: str):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in BANNED:
            if re.search(pattern, line) and \
                    not any(path.startswith(home) for home in ALLOWED.get(pattern, [])):
                yield f"{path}:{number}: {pattern} does not belong here"
        if BANNED_TYPES.search(line) or BANNED_NAMES.search(line):
            yield f"{path}:{number}: a name that says nothing: {line.strip()}"
        if len(line) > 110 and "http" not in line and not path.endswith((".json", ".txt")):
            yield f"{path}:{number}: {len(line)} columns"


def check_sizes(path: str, text: str):
    lines = text.count("\n")
    limit = LINES_MAX.get(Path(path).suffix)
    if limit is None or lines <= limit:
        return
    first_comment = " ".join(line.removeprefix("//").strip() for line in
                             text.splitlines()[:12]).lower()
    if "long because" not in first_comment:
        yield f"{path}:1: {lines} lines, more than {limit}, and its first comment gives no reason " \
              f"('Long because ...')"


def check_header(path: str, text: str):
    if path.endswith(".h") and not text.startswith("//"):
        yield f"{path}:1: a header opens with its contract"
    if path.endswith(".h") and "#pragma once" not in text:
        yield f"{path}:1: no #pragma once"


def check_tests_in_build(root: Path, files):
    listed = {}
    for cmake in root.glob("tests/**/CMakeLists.txt"):
        listed[cmake.parent] = cmake.read_text()
    for path in files:
        if not path.startswith("tests/") or not path.endswith(("_test.cc", "_fuzz.cc", "_test.py",
                                                               "_test.sh")):
            continue
        full = root / path
        folder = full.parent
        while folder not in listed and folder != root:
            folder = folder.parent
        name = str(full.relative_to(folder)) if folder in listed else ""
        if folder not in listed or name not in listed[folder]:
            yield f"{path}:1: not in the build: no CMakeLists.txt of its folder names it"


def main() -> int:
    root = Path(sys.argv[1]).resolve()
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others",
                              "--exclude-standard"], capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        print(f"{root}: not a git checkout, nothing to check")
        return 77
    files = [f for f in listing.stdout.splitlines() if (root / f).is_file()]
    breaches = []
    for path in files:
        if not path.endswith((".cc", ".h", ".in")):
            continue
        text = (root / path).read_text(encoding="utf-8")
        for check in (check_includes, check_words, check_sizes, check_header):
            breaches.extend(check(path, text))
    breaches.extend(check_tests_in_build(root, files))
    for breach in breaches:
        print(breach)
    print(f"{len(files)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
