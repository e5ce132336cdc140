#!/usr/bin/env python3
"""What a person does before a campaign is sent: check it with and without the DNS, look at a message, have
a test sent. None of it touches the data directory.

Usage: content_test.py BINARIES
"""
import email
import email.policy
import json
import shutil
import subprocess
import sys
from pathlib import Path

from world import World

PROFILE = {"domains": [
    {"match": "nobody.test", "replies": [{"stage": "rcpt", "share": 1.0,
                                          "reply": "550 5.1.1 No such user here"}]},
    {"match": "closed.test", "dns": "nullmx"},
    {"match": "gone.test", "dns": "nxdomain"},
    {"match": "*"}]}


def message_of(text):
    message = email.message_from_string(text, policy=email.policy.default)
    assert not message.defects, message.defects
    return message


def problems(world, *arguments, expect=0):
    lines = world.run("check", *arguments, "--json", expect=expect).splitlines()
    return [json.loads(line) for line in lines]


def run_all(world):
    (world.home / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    path = world.campaign(
        "spring", 3, 1, subject="Hello {{first_name}}",
        html='<p>Dear {{first_name}}, <img alt="" width="1" height="1" src="cid:logo"></p>',
        text="auto", attachments=[{"path": "logo.png", "cid": "logo"}],
        compliance={"physical_address": "Acme, 1 Main St",
                    "unsubscribe": {"url": "https://u.acme.test/{{unsubscribe_token}}"}})

    shown = message_of(world.run("preview", path, "--as", "user1@d0.test"))
    assert shown["To"] == "user1@d0.test" and shown["Subject"] == "Hello Name 1", shown
    world.run("preview", path, "--as", "nobody@d0.test", expect=2)

    world.run("send", path, "--test-to", "boss@acme.test", "--test-to", "me@acme.test",
              "--as", "user2@d0.test", "--quiet")
    assert not (world.home / "posthorn-data").exists(), "a test has touched the queue"
    world.settle_ledger()
    counts = world.ledger_counts()
    assert sorted(recipient for _, recipient in counts) == ["boss@acme.test", "me@acme.test"], counts
    saved = [message_of(file.read_text()) for file in (world.home / "saved").iterdir()
             if file.is_file()]
    assert sorted(m["To"] for m in saved) == ["boss@acme.test", "me@acme.test"], saved
    assert all(m["Subject"] == "Hello Name 2" for m in saved), saved
    world.run("send", path, "--test-to", "boss@nobody.test", "--quiet", expect=1)
    world.run("send", path, "--test-to", "boss at acme", "--quiet", expect=2)
    world.run("send", path, "--as", "user2@d0.test", "--quiet", expect=2)

    for sender, code, exit_code in [("acme.test", None, 0), ("closed.test", "dns_mx", 2),
                                    ("gone.test", "dns_unresolved", 2)]:
        campaign = json.loads(path.read_text())
        campaign["from"] = f"news@{sender}"
        path.write_text(json.dumps(campaign))
        found = [problem["code"] for problem in problems(world, path, "--dns", expect=exit_code)
                 if problem["severity"] == "error"]
        assert found == ([code] if code else []) or found[0] == code, (sender, found)
        assert not any(problem["code"].startswith("dns_")
                       for problem in problems(world, path)), sender

    campaign = json.loads(path.read_text())
    keys = Path(__file__).resolve().parents[1] / "mail" / "keys"
    shutil.copy(keys / "rsa2048.pem", world.home / "s1.pem")
    campaign.update({"from": "news@acme.test", "dkim": [
        {"domain": "acme.test", "selector": "s1", "key_file": "s1.pem"}]})
    signed = world.home / "signed.json"
    signed.write_text(json.dumps(campaign))
    found = [(problem["code"], problem["message"])
             for problem in problems(world, signed, "--dns", expect=2)
             if problem["severity"] == "error"]
    assert found == [("dns_dkim", "s1._domainkey.acme.test: what is published is no key record")], found

    lacking = world.campaign("lacking", 15000, 1, text="{{first_name}} {{city}}")
    rows = (world.home / "lacking.csv").read_text().splitlines()
    rows = ["email,first_name,city"] + [row + ",Graz" for row in rows[1:]]
    rows[12000] = "late@d0.test,Late"
    (world.home / "lacking.csv").write_text("\n".join(rows) + "\n")
    done = subprocess.run(world.command("send", lacking, "--json", "--quiet"), cwd=world.home,
                          capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 2, done
    assert "row 12000: text/plain: {{city}} has no value" in done.stdout, done.stdout
    assert len(world.ledger_counts()) == 2, "somebody got a campaign that was refused"
    assert "lacking" not in world.run("status", "--json"), "a refused campaign is still there"


def main() -> int:
    with World(sys.argv[1], PROFILE, ["--save", "saved"]) as world:
        run_all(world)
    return 0


if __name__ == "__main__":
    sys.exit(main())
