"""A sink, a campaign and the posthorn program, on loopback, in a directory of their own."""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


class World:
    """Starts posthorn-sink on free ports; ends it, and checks that it ended well, on exit."""

    def __init__(self, binaries, profile=None, sink_options=()):
        self.binaries = Path(binaries).resolve()
        self.home = Path(tempfile.mkdtemp(prefix="posthorn-e2e-"))
        self.ledgers = []  # one for each start of the sink
        self.summary_file = self.home / "summary.json"
        self.sink_options = list(sink_options)
        self.start_sink(profile)
        self.config({})

    def start_sink(self, profile=None, smtp_port=0, dns="127.0.0.1:0"):
        self.ledgers.append(self.home / f"ledger{len(self.ledgers)}.ndjson")
        command = [str(self.binaries / "posthorn-sink"), "--smtp", f"127.0.0.1:{smtp_port}", "--dns", dns,
                   "--ledger", str(self.ledgers[-1]), "--summary", str(self.summary_file),
                   "--ready-file", str(self.home / "ready"), *self.sink_options]
        if profile is not None:
            if isinstance(profile, dict):
                path = self.home / "profile.json"
                path.write_text(json.dumps(profile))
                profile = str(path)
            command += ["--profile", profile]
        self.sink = subprocess.Popen(command, cwd=self.home, stdout=subprocess.PIPE, text=True)
        line = self.sink.stdout.readline()  # the sink says when it listens
        match = re.search(r"smtp=\S*:(\d+) dns=(\S+)", line)
        assert match, f"the sink did not start: {line!r}"
        self.smtp_port, self.dns = int(match.group(1)), match.group(2)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.sink.poll() is None:
            self.sink.send_signal(signal.SIGTERM)
            self.sink.wait(30)
        if kind is None:
            shutil.rmtree(self.home, ignore_errors=True)
        else:
            print(f"left for inspection: {self.home}")

    def config(self, more):
        config = {"ehlo": "mta.test", "dns": {"servers": [self.dns]},
                  "smtp": {"port": self.smtp_port, "allow_private_addresses": True}}
        for key, value in more.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        (self.home / "posthorn.json").write_text(json.dumps(config))

    def campaign(self, name, recipients, domains, **more):
        with open(self.home / f"{name}.csv", "w") as rows:
            rows.write("email,first_name\n")
            for i in range(recipients):
                rows.write(f"user{i}@d{i % domains}.test,Name {i}\n")
        campaign = {"version": 1, "id": name, "kind": "transactional",
                    "from": "Acme <news@acme.test>", "subject": "Hello {{first_name}}",
                    "text": "Dear {{first_name}},\n\nthis is for you.\n",
                    "recipients": {"file": f"{name}.csv"}}
        campaign.update(more)
        path = self.home / f"{name}.json"
        path.write_text(json.dumps(campaign))
        return path

    def command(self, *arguments):
        return [str(self.binaries / "posthorn"), *map(str, arguments)]

    def run(self, *arguments, expect=0, timeout=280):
        done = subprocess.run(self.command(*arguments), cwd=self.home, capture_output=True,
                              text=True, timeout=timeout, check=False)
        assert done.returncode == expect, \
            f"{arguments}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def send(self, path, expect=0):
        return json.loads(self.run("send", path, "--json", "--quiet", expect=expect))

    def send_and_kill(self, path, after_s):
        """Kills the sender after so many seconds of running; its exit code, None if it was killed."""
        process = subprocess.Popen(self.command("send", path, "--json", "--quiet"), cwd=self.home,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def settle_ledger(self):
        """Until the sink has written what it accepted: lines may follow the reply by 50 ms."""
        size, still = -1, 0
        while still < 5:
            now = sum(ledger.stat().st_size for ledger in self.ledgers if ledger.exists())
            still = still + 1 if now == size else 0
            size = now
            time.sleep(0.05)

    @property
    def ledger(self):
        """Of the sink that runs, or ran last."""
        return self.ledgers[-1]

    def ledger_counts(self):
        """How often the sink accepted a message for each recipient, by (message, recipient)."""
        counts = collections.Counter()
        for ledger in self.ledgers:
            if not ledger.exists():
                continue
            with open(ledger) as lines:
                for line in lines:
                    if not line.endswith("\n"):
                        break  # the sink is writing it
                    entry = json.loads(line)
                    counts[(entry["message_id"], entry["recipient"].lower())] += 1
        return counts

    def stop_sink(self):
        self.sink.send_signal(signal.SIGTERM)
        assert self.sink.wait(60) == 0, "the sink did not end well"
        return json.loads(self.summary_file.read_text())
