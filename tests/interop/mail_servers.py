#!/usr/bin/env python3
"""Other people's mail servers take a campaign that is hard to carry, whole and once.

Usage: mail_servers.py BINARIES [--recipients N] [--only NAME]
The names of the domains come from posthorn-sink's DNS; the server listens at the address that it gives the MX host.
"""
import argparse
import collections
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
import letters  # noqa: E402
import receivers  # noqa: E402
from world import World  # noqa: E402

RECEIVERS = [receivers.SmtpSink, receivers.Aiosmtpd, receivers.Postfix]
HOST = "mx.receiver.test"
PROFILE = {"domains": [{"match": "*", "mx": [HOST]}]}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--recipients", type=int, default=1000)
    parser.add_argument("--only")
    options = parser.parse_args()
    for receiver in RECEIVERS:
        if options.only in (None, receiver.name):
            deliver_to(receiver, options)
    return 0


def deliver_to(kind, options):
    with World(options.binaries, PROFILE) as world:
        world.home.chmod(0o755)
        address = address_of(world.dns, HOST)
        with kind(address, world.home / "receiver") as receiver:
            world.config({"smtp": {"port": receiver.port}})
            path = world.campaign("letter", options.recipients, 10, **letters.LETTER,
                                  retry={"schedule": ["1s", "2s"], "max_age": "120s"})
            letters.write_list(world.home / "letter.csv", options.recipients, 10)
            report = world.send(path)
            assert report["outcomes"]["delivered"] == options.recipients, report["outcomes"]
            check(receiver.messages(), report, options.recipients)
    print(f"{kind.name}: {options.recipients} messages, whole and once; "
          f"{report['messages_per_s']:.0f}/s")


def check(messages, report, recipients):
    copies = collections.Counter()
    names = collections.Counter()
    for octets in messages:
        message = letters.parse(octets)
        copies[message["To"].addresses[0].addr_spec] += 1
        names[letters.check(message)] += 1
    assert len(copies) == recipients, f"{recipients - len(copies)} lost"
    extra = sum(copies.values()) - recipients
    assert extra == 0 == report["possible_duplicates"], (extra, report["possible_duplicates"])
    assert set(names) == set(letters.NAMES)


def address_of(dns, name):
    server, port = dns.rsplit(":", 1)
    done = subprocess.run(["dig", "+short", f"@{server}", "-p", port, name, "A"], check=True,
                          capture_output=True, text=True)
    address = done.stdout.strip()
    assert address.startswith("127."), done.stdout
    return address


if __name__ == "__main__":
    sys.exit(main())
