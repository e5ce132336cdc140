#!/usr/bin/python3
"""Signed mail as others verify it: Posthorn sends a signed campaign to its sink, and two verifiers, dkimpy
(python3-dkim) and opendkim, check the messages that arrived. Needs python3-dkim and opendkim.

Usage: dkim_verifiers.py BINARIES [--recipients N] [--sample N] [--tls]

With --tls all of it goes over STARTTLS to hosts that prove their names. Every message of the sample must verify with both under its RSA and its Ed25519 key; a changed body, a second
From or a changed List-Unsubscribe-Post must not. Loopback only.
"""
import argparse
import base64
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import dkim

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from world import World  # noqa: E402

NAMES = ["Ann", "Ёлка Иванова", "山田 太郎", "محمد علي", "Zoë  Ñandú", 'A ""quoted"", name', "😀 Smile",
         "tab\tand  blanks ", "Bcc: x@y.test", ".", "=_", "x" * 300]
DOMAIN = "acme.test"
SIGNATURES = [{"domain": DOMAIN, "selector": "s1", "key_file": "rsa.pem"},
              {"domain": DOMAIN, "selector": "ed", "key_file": "ed.pem"}]


def make_keys(home):
    """Keys, and the records that a domain would publish, by name."""
    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], cwd=home, check=True,
                              capture_output=True).stdout

    openssl("genrsa", "-out", "rsa.pem", "2048")
    openssl("genpkey", "-algorithm", "ed25519", "-out", "ed.pem")
    for name in ("rsa.pem", "ed.pem"):
        os.chmod(home / name, 0o600)
    rsa = openssl("pkey", "-in", "rsa.pem", "-pubout", "-outform", "DER")
    ed = openssl("pkey", "-in", "ed.pem", "-pubout", "-outform", "DER")[-32:]
    return {f"s1._domainkey.{DOMAIN}": b"v=DKIM1; k=rsa; p=" + base64.b64encode(rsa),
            f"ed._domainkey.{DOMAIN}": b"v=DKIM1; k=ed25519; p=" + base64.b64encode(ed)}


def campaign(world, recipients, domains):
    path = world.campaign(
        "signed", 1, 1, subject="Grüße {{first_name}} 🎉 " + "and a long subject that folds " * 4,
        html="<p>Dear {{first_name}},</p>\n<p>" + "a very long line " * 90 + "</p>\n.\n<p>.dot</p>  \n",
        text="The same for everybody, \n\n\tfor a  while.\n" * 200 + "Dear {{first_name}},\n.\n..two\n\n\n",
        reply_to="help@acme.test", kind="marketing",
        compliance={"physical_address": "Acme, 1 Main St, Springfield",
                    "unsubscribe": {"url": "https://u.acme.test/{{unsubscribe_token}}",
                                    "one_click": True}},
        dkim=SIGNATURES)
    with open(world.home / "signed.csv", "w") as rows:
        rows.write("email,first_name\n")
        for i in range(recipients):
            rows.write(f'user{i}@d{i % domains}.test,"{NAMES[i % len(NAMES)]}"\n')
    return path


def verified_by_dkimpy(message, records, index):
    def text(name, timeout=5):
        return records[name.decode().rstrip(".")]

    try:
        return dkim.DKIM(message).verify(idx=index, dnsfunc=text)
    except dkim.DKIMException:
        return False


class Opendkim:
    """opendkim verifying a batch of files, with the published records in a file instead of the DNS."""

    def __init__(self, home, records):
        self.home = home
        keys = home / "opendkim-keys"
        keys.write_text("".join(f"{name} {record.decode()}\n" for name, record in records.items()))
        self.configuration = home / "opendkim.conf"
        self.configuration.write_text(f"Mode v\nSyslog no\nTestPublicKeys {keys}\n")

    def passed(self, files, selector):
        """How many of the files have a signature of the selector that verifies."""
        count = 0
        for start in range(0, len(files), 100):
            batch = ",".join(str(path) for path in files[start:start + 100])
            done = subprocess.run(["opendkim", "-x", str(self.configuration), "-vvv", "-t", batch],
                                  capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            count += len(re.findall(rf"dkim=pass [^;]*header\.s={selector}\b", done.stdout))
        return count


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--recipients", type=int, default=2000)
    parser.add_argument("--sample", type=int, default=1000)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    profile = {"domains": [{"match": "*", "tls": "valid" if options.tls else "off"}]}
    with World(options.binaries, profile, ["--save", "saved", "--ca", "ca.pem"]) as world:
        if options.tls:
            world.config({"tls": {"mode": "verify", "ca_file": "ca.pem"}})
        records = make_keys(world.home)
        report = world.send(campaign(world, options.recipients, 50))
        assert report["outcomes"]["delivered"] == options.recipients, report["outcomes"]
        print(f"{report['messages_per_s']} messages/s, {report['cpu_us_per_message']} us of CPU each")
        summary = world.stop_sink()
        assert summary["accepted"] == options.recipients and summary["duplicates"] == 0
        saved = sorted(path for path in (world.home / "saved").rglob("*") if path.is_file())
        assert len(saved) == options.recipients, len(saved)
        over_tls = sum(json.loads(line)["tls"] for line in world.ledger.read_text().splitlines())
        assert over_tls == (options.recipients if options.tls else 0), over_tls
        opendkim = Opendkim(world.home, records)
        sample = random.Random(1).sample(saved, min(options.sample, len(saved)))
        for path in sample:
            message = path.read_bytes()
            assert verified_by_dkimpy(message, records, 0), f"dkimpy refuses the RSA signature: {path}"
            assert verified_by_dkimpy(message, records, 1), f"dkimpy refuses Ed25519: {path}"
        for selector in ("s1", "ed"):
            passed = opendkim.passed(sample, selector)
            assert passed == len(sample), f"opendkim: {passed} of {len(sample)} by {selector}"
        message = sample[0].read_bytes()
        for changed in (message + b"x", b"From: evil@b.test\r\n" + message,
                        message.replace(b"List-Unsubscribe-Post: L", b"List-Unsubscribe-Post: K")):
            assert not verified_by_dkimpy(changed, records, 0)
            assert not verified_by_dkimpy(changed, records, 1)
            (world.home / "changed.eml").write_bytes(changed)
            assert opendkim.passed([world.home / "changed.eml"], "s1") == 0
            assert opendkim.passed([world.home / "changed.eml"], "ed") == 0
        print(f"{len(sample)} of {len(saved)} messages verified by dkimpy and by opendkim, RSA and Ed25519")
    return 0


if __name__ == "__main__":
    sys.exit(main())
