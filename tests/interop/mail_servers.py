#!/usr/bin/env python3
"""Other people's mail servers take a campaign that is hard to carry, whole and once, at the fastest rung they support;
and a signed one over TLS.

Usage: mail_servers.py BINARIES [--recipients N] [--only NAME]
The names of the domains come from posthorn-sink's DNS; the server listens at the address that it gives the MX host.
"""
import argparse
import collections
import json
import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
import dkim_verifiers  # noqa: E402
import letters  # noqa: E402
import receivers  # noqa: E402
from world import World  # noqa: E402

# Who offers what, and so the rung that must be reached.
RECEIVERS = [(receivers.SmtpSink, None), (receivers.Aiosmtpd, None),
             (receivers.Postfix, "chunking, several in flight"), (receivers.Exim, "chunking, several in flight"),
             (receivers.OpenSmtpd, "lockstep"), (receivers.PostfixTls, "chunking, several in flight")]
HOST = "mx.receiver.test"
PROFILE = {"domains": [{"match": "*", "mx": [HOST]}]}
SAMPLE = 1000


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--recipients", type=int, default=1000)
    parser.add_argument("--only")
    options = parser.parse_args()
    for receiver, rung in RECEIVERS:
        if options.only in (None, receiver.name):
            deliver_to(receiver, rung, options)
    return 0


def deliver_to(kind, rung, options):
    with World(options.binaries, PROFILE) as world:
        world.home.chmod(0o755)
        address = address_of(world.dns, HOST)
        signed = kind is receivers.PostfixTls
        with kind(address, world.home / "receiver") as receiver:
            world.config({"smtp": {"port": receiver.port}, "limits": {"messages_per_session": receiver.session_messages}})
            extra, records = {}, {}
            if signed:
                world.config({"smtp": {"port": receiver.port}, "limits": {"messages_per_session": receiver.session_messages},
                              "tls": {"mode": "verify", "ca_file": str(receiver.home / "certificate.pem")}})
                records = dkim_verifiers.make_keys(world.home)
                extra["dkim"] = dkim_verifiers.SIGNATURES
            path = world.campaign("letter", options.recipients, 10, **letters.LETTER, **extra,
                                  retry={"schedule": ["1s", "2s"], "max_age": "1200s"})
            letters.write_list(world.home / "letter.csv", options.recipients, 10)
            report, reached = send(world, path)
            assert report["outcomes"]["delivered"] == options.recipients, report["outcomes"]
            assert rung in (None, reached), f"{kind.name} is served {reached}"
            if hasattr(receiver, "wait_until_kept"):
                receiver.wait_until_kept(options.recipients)
            messages = receiver.messages()
            check(messages, report, options.recipients)
            if signed:
                check_signed(world, messages, records)
    print(f"{kind.name}: {options.recipients} messages, whole and once; {reached}; "
          f"{report['messages_per_s']:.0f}/s{'; all over TLS; a sample of them verified' if signed else ''}",
          flush=True)


def send(world, path):
    """The report, and how the host was spoken to last."""
    sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.PIPE, text=True)
    reached = ""
    while sending.poll() is None:
        try:
            sending.wait(0.1)
        except subprocess.TimeoutExpired:
            reached = rung_of(world) or reached
    assert sending.returncode == 0, sending.returncode
    return json.loads(sending.stdout.read()), reached


def rung_of(world):
    done = subprocess.run(world.command("explain", "d0.test", "--json"), cwd=world.home, capture_output=True,
                          text=True, check=False)
    return json.loads(done.stdout).get("site", {}).get("rung", "") if done.returncode == 0 else ""


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


def check_signed(world, messages, records):
    """Each came over TLS; of a sample both verifiers accept both signatures."""
    for message in messages:
        assert b"(using TLSv1." in message.split(b"\n\n", 1)[0], message[:2000]
    opendkim = dkim_verifiers.Opendkim(world.home, records)
    sample = random.Random(1).sample(messages, min(SAMPLE, len(messages)))
    files = []
    for number, message in enumerate(sample):
        octets = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # the maildir keeps bare line feeds
        octets = octets[octets.index(b"DKIM-Signature:"):]
        for index in (0, 1):
            assert dkim_verifiers.verified_by_dkimpy(octets, records, index), octets[:2000]
        files.append(world.home / f"sample{number}.eml")
        files[-1].write_bytes(octets)
    for selector in ("s1", "ed"):
        assert opendkim.passed(files, selector) == len(files)


def address_of(dns, name):
    server, port = dns.rsplit(":", 1)
    done = subprocess.run(["dig", "+short", f"@{server}", "-p", port, name, "A"], check=True,
                          capture_output=True, text=True)
    address = done.stdout.strip()
    assert address.startswith("127."), done.stdout
    return address


if __name__ == "__main__":
    sys.exit(main())
