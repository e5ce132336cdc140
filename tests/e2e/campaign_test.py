#!/usr/bin/env python3
"""A campaign to a realistic internet: report, rows and events agree with the sink's own books, other shells
are answered meanwhile, and every message parses in Python's email package.

Usage: campaign_test.py BINARIES
"""
import collections
import json
import subprocess
import sys

import letters
from world import World

PROFILE = {"domains": [
    {"match": "d1.test", "replies": [{"stage": "rcpt", "share": 1.0,
                                      "reply": "550 5.1.1 No such user here"}]},
    {"match": "d2.test", "greylist_s": 1},
    {"match": "d3.test", "dns": "nullmx"},
    {"match": "d4.test", "replies": [{"stage": "dot", "share": 0.2, "close": True,
                                      "reply": "421 4.7.0 Try again later, closing connection"}]},
    {"match": "d5.test", "replies": [{"stage": "rcpt", "share": 1.0,
                                      "reply": "552 5.2.2 Mailbox full"}]},
    {"match": "d6.test", "offers": ["8BITMIME"]},
    {"match": "*"}]}


def main() -> int:
    with World(sys.argv[1], PROFILE, ["--save", "saved"]) as world:
        world.config({"dns": {"servers": [world.dns], "confirm_after": "2s"}})
        path = world.campaign(
            "mixed", 900, 9, **letters.LETTER,
            retry={"schedule": ["1s", "2s"], "max_age": "60s"})
        letters.write_list(world.home / "mixed.csv", 900, 9)
        with open(world.home / "mixed.csv", "a") as rows:
            rows.write("no address,x\nUser0@D0.test,twice\n")
        sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"),
                                   cwd=world.home, stdout=subprocess.PIPE, text=True)
        wait_for_owner(world)
        other = world.campaign("beside", 200, 1)
        second = world.send(other)  # from another shell, while the first one runs
        assert second["outcomes"]["delivered"] == 200, second
        world.run("status", "--json")
        assert "user0@d0.test" in world.run("trace", "user0@d0.test").lower()
        report = json.loads(sending.communicate(timeout=280)[0])
        assert sending.returncode == 0
        check_report(world, report, second)
        summary = world.stop_sink()
        assert summary["accepted"] == report["outcomes"]["delivered"] + \
            second["outcomes"]["delivered"], summary["accepted"]
        assert summary["duplicates"] == 0
        check_messages(world)
    return 0


def wait_for_owner(world):
    """Until the first campaign is known to the owner of the data directory."""
    for _ in range(600):
        done = subprocess.run(world.command("report", "mixed", "--json"), cwd=world.home,
                              capture_output=True, text=True, check=False)
        if done.returncode == 0 and json.loads(done.stdout)["state"] != "importing":
            return
    raise AssertionError("the campaign never began")


def check_report(world, report, second):
    outcomes, audience = report["outcomes"], report["audience"]
    assert audience == {"rows": 902, "invalid": 1, "duplicate": 1, "suppressed": 0, "excluded": 0,
                        "recipients": 900}, audience
    assert sum(outcomes.values()) == 900 and outcomes["pending"] == outcomes["deferred"] == 0
    assert outcomes["bounced"] == 300, outcomes  # d1 unknown, d3 null MX, d5 full
    assert outcomes["delivered"] == 600, outcomes
    assert report["categories"] == {"invalid_mailbox": 100, "invalid_domain": 100,
                                    "mailbox_full": 100}, report["categories"]
    rows = [json.loads(line) for line in world.run("recipients", "mixed", "--json").splitlines()]
    by_outcome = collections.Counter(row["outcome"] for row in rows)
    assert by_outcome == {"delivered": 600, "bounced": 300}, by_outcome
    ledger = world.ledger_counts()
    accepted = {recipient for _, recipient in ledger}
    for row in rows:
        if row["outcome"] == "delivered":
            assert row["email"].lower() in accepted, row
    assert sum(ledger.values()) == 600 + second["outcomes"]["delivered"]
    suppressed = world.run("suppress", "list", "--json").splitlines()
    assert len(suppressed) == 200, len(suppressed)  # unknown users and the null MX, not the full ones


def check_messages(world):
    names = set()
    for file in (world.home / "saved").iterdir():
        message = letters.parse(file.read_bytes())
        if message["Subject"].startswith("Grüße"):  # the other campaign has a plain one
            names.add(letters.check(message))
    assert names == set(letters.NAMES), set(letters.NAMES) - names


if __name__ == "__main__":
    sys.exit(main())
