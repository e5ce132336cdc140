#!/usr/bin/env python3
"""TLS towards receivers, by every mode and every kind of certificate, against the sink's own books.

Usage: tls_test.py BINARIES
"""
import json
import signal
import subprocess
import sys

from world import World

KINDS = ["selfsigned", "valid", "expired", "wrongname", "broken", "off"]
OFFERS = ["PIPELINING", "CHUNKING", "8BITMIME", "SIZE 10485760", "ENHANCEDSTATUSCODES"]
PROFILE = {"domains": [{"match": f"d{i}.test", "tls": kind, "offers": OFFERS}
                       for i, kind in enumerate(KINDS)] + [{"match": "*"}]}
EACH = 40
LIMITS = {"site_retry": "1s", "site_retry_max": "1s"}

# Mode -> kinds that get mail at all, and of these the ones that get it over TLS.
EXPECTED = {
    "off": (KINDS, []),
    "opportunistic": (KINDS, ["selfsigned", "valid", "expired", "wrongname"]),
    "required": (["selfsigned", "valid", "expired", "wrongname"],
                 ["selfsigned", "valid", "expired", "wrongname"]),
    "verify": (["valid"], ["valid"]),
}


def ledger_by_kind(world):
    by_kind = {kind: [] for kind in KINDS}
    if world.ledger.exists():
        for line in world.ledger.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                entry = json.loads(line)
                number = int(entry["recipient"].split("@d")[1].split(".")[0])
                by_kind[KINDS[number]].append(entry)
    return by_kind


def why_not(world, kind):
    """What the owner says of the last failure at a kind's site; empty: none yet."""
    done = subprocess.run(world.command("explain", f"d{KINDS.index(kind)}.test", "--json"),
                          cwd=world.home, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return ""
    return json.loads(done.stdout).get("site", {}).get("last_failure", "")


def run(binaries, mode):
    served, encrypted = EXPECTED[mode]
    with World(binaries, PROFILE, ["--ca", "ca.pem"]) as world:
        world.config({"tls": {"mode": mode, "ca_file": "ca.pem"}, "limits": LIMITS})
        path = world.campaign(mode, EACH * len(KINDS), len(KINDS))
        sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"),
                                   cwd=world.home, stdout=subprocess.PIPE, text=True)
        unserved = [kind for kind in KINDS if kind not in served]
        while sending.poll() is None:  # ctest's time limit ends it
            refused = all("starttls" in why_not(world, kind) for kind in unserved or ["off"])
            served_all = all(len(ledger_by_kind(world)[kind]) >= EACH for kind in served)
            if unserved and refused and served_all:
                break
        if unserved:
            sending.send_signal(signal.SIGINT)
        sending.communicate(timeout=200)
        outcomes = json.loads(world.run("report", mode, "--json"))["outcomes"]
        assert sending.returncode == (3 if unserved else 0), (mode, sending.returncode)
        assert outcomes["delivered"] == EACH * len(served), (mode, outcomes)
        if mode == "opportunistic":  # the next process knows what broke
            assert world.send(world.campaign("again", 60, 6))["outcomes"]["delivered"] == 60
        assert world.stop_sink()["duplicates"] == 0
        for kind, entries in ledger_by_kind(world).items():
            entries = entries[:EACH]  # in the order of acceptance: those of the first campaign
            assert len(entries) == (EACH if kind in served else 0), (mode, kind, len(entries))
            over_tls = sum(1 for entry in entries if entry["tls"])
            assert over_tls == (EACH if kind in encrypted else 0), (mode, kind, over_tls)


def main() -> int:
    for mode in EXPECTED:
        run(sys.argv[1], mode)
    return 0


if __name__ == "__main__":
    sys.exit(main())
