#!/usr/bin/env python3
"""A campaign whose DKIM key is not there when it starts waits with the reason, and goes on, signed, once it is back.

Usage: key_test.py BINARIES
"""
import json
import os
import signal
import socket
import subprocess
import sys
import time

from world import World

RECIPIENTS = 10


def status(world):
    done = subprocess.run(world.command("status", "signed", "--json"), cwd=world.home, capture_output=True, text=True,
                          check=False)
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout else {}


def listens(world):
    with socket.socket(socket.AF_UNIX) as control:
        return control.connect_ex(str(world.home / "posthorn-data" / "control.sock")) == 0


def wait_for(world, owner, wanted):
    """Until the status says so; ctest's time limit ends it. While nobody owns the data directory a question takes it
    for itself, and keeps out who wants to own it: so nothing is asked before its owner listens."""
    while not listens(world):
        assert owner.poll() is None, "it ended"
        time.sleep(0.05)
    while not all(word in json.dumps(status(world)) for word in wanted):
        assert owner.poll() is None, "it ended"
        time.sleep(0.3)


def main() -> int:
    with World(sys.argv[1], "perfect", ["--save", "saved"]) as world:
        subprocess.run(["openssl", "genrsa", "-out", "rsa.pem", "2048"], cwd=world.home, check=True,
                       capture_output=True)
        os.chmod(world.home / "rsa.pem", 0o600)
        world.run("hold", "d0.test")
        path = world.campaign("signed", RECIPIENTS, 1,
                              dkim=[{"domain": "acme.test", "selector": "s1", "key_file": "rsa.pem"}])
        sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(world, sending, ['"delivering": true', '"running"'])
        sending.send_signal(signal.SIGINT)
        assert sending.wait(60) == 3
        world.run("release", "d0.test")

        (world.home / "rsa.pem").rename(world.home / "away.pem")
        serving = subprocess.Popen(world.command("serve"), cwd=world.home, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        wait_for(world, serving, ['"delivering": true', '"paused"', "rsa.pem"])
        refused = subprocess.run(world.command("resume", "signed"), cwd=world.home, capture_output=True, text=True,
                                 check=False)
        assert refused.returncode != 0 and "rsa.pem" in refused.stderr, refused
        assert not world.ledger_counts(), "sent without its key"

        (world.home / "away.pem").rename(world.home / "rsa.pem")
        world.run("resume", "signed")
        wait_for(world, serving, ['"state": "finished"'])
        serving.send_signal(signal.SIGINT)
        serving.wait(60)
        summary = world.stop_sink()
        assert summary["accepted"] == RECIPIENTS and summary["duplicates"] == 0, summary
        saved = [path.read_bytes() for path in (world.home / "saved").rglob("*") if path.is_file()]
        assert len(saved) == RECIPIENTS and all(b"DKIM-Signature: " in message for message in saved)
    return 0


if __name__ == "__main__":
    sys.exit(main())
