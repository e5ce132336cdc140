#!/usr/bin/env python3
"""DANE (RFC 7672) by every kind of TLSA record and certificate, against the sink's own books: where records prove the
receiver's key its mail comes over TLS whatever else its certificate says; where they do not, or cannot be had, it waits.

Usage: dane_test.py BINARIES
"""
import collections
import json
import signal
import subprocess
import sys

from world import World

# TLSA records and certificate; whether mail comes, and over TLS.
KINDS = [("ok", "selfsigned", "tls"), ("ok", "expired", "tls"), ("ok", "wrongname", "tls"),
         ("ok", "off", None), ("ok", "broken", None), ("wrong", "valid", None),
         ("servfail", "valid", None), ("missing", "selfsigned", "tls"), ("missing", "off", "clear"),
         ("off", "selfsigned", "tls"), ("off", "off", "clear")]
OFFERS = ["PIPELINING", "CHUNKING", "8BITMIME", "SIZE 10485760", "ENHANCEDSTATUSCODES"]
PROFILE = {"domains": [{"match": f"d{i}.test", "dane": dane, "tls": tls, "offers": OFFERS}
                       for i, (dane, tls, _) in enumerate(KINDS)] + [{"match": "*"}]}
EACH = 20
LIMITS = {"site_retry": "1s", "site_retry_max": "1s"}


def ledger_by_domain(world):
    """Domain number -> whether each message came over TLS."""
    came = collections.defaultdict(list)
    if world.ledger.exists():
        for line in world.ledger.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                entry = json.loads(line)
                came[int(entry["recipient"].split("@d")[1].split(".")[0])].append(entry["tls"])
    return came


def waits(world, number):
    """What the owner says of a domain that got nothing; empty: nothing yet."""
    done = subprocess.run(world.command("explain", f"d{number}.test", "--json"), cwd=world.home,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return ""
    answer = json.loads(done.stdout)
    failure = answer.get("site", {}).get("last_failure", "")
    return failure or (answer["verdict"] if "TLSA" in answer["verdict"] else "")


def main() -> int:
    with World(sys.argv[1], PROFILE, ["--ca", "ca.pem"]) as world:
        world.config({"tls": {"mode": "opportunistic", "ca_file": "ca.pem"}, "limits": LIMITS,
                      "dns": {"retry": "1s"}})
        path = world.campaign("dane", EACH * len(KINDS), len(KINDS))
        sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"),
                                   cwd=world.home, stdout=subprocess.PIPE, text=True)
        served = [i for i, (_, _, how) in enumerate(KINDS) if how]
        unserved = [i for i, (_, _, how) in enumerate(KINDS) if not how]
        while sending.poll() is None:  # ctest's time limit ends it
            came = ledger_by_domain(world)
            if all(len(came[i]) >= EACH for i in served) and \
               all(waits(world, i) for i in unserved):
                break
        reasons = [waits(world, i) for i in unserved]
        sending.send_signal(signal.SIGINT)
        sending.communicate(timeout=200)
        assert sending.returncode == 3, sending.returncode
        assert "tls_not_offered" in reasons[0] and "certificate refused" in reasons[2], reasons
        assert "SERVFAIL for TLSA of _25._tcp.mx.d6.test" in reasons[3], reasons
        assert world.stop_sink()["duplicates"] == 0
        for i, came in ((i, ledger_by_domain(world)[i]) for i in range(len(KINDS))):
            how = KINDS[i][2]
            assert came == [how == "tls"] * (EACH if how else 0), (KINDS[i], came)
    return 0


if __name__ == "__main__":
    sys.exit(main())
