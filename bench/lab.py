"""Runs one scenario once: a sink, a list, a campaign and the engine, in a directory of its own."""
import atexit
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

from measure import Measured, counted_syscalls, counting_syscalls

OFFERS = ["PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE 52428800", "ENHANCEDSTATUSCODES"]
SENTENCE = "All the news that is fit to send, and a <a href=\"https://acme.test/n\">link</a> to it. "
CITIES = ["Graz", "Vienna", "Linz", "Salzburg", "Springfield"]
NAMES = ["Ann", "Bob", "Carla", "Dieter", "Eve"]


def cores_of(role, threads=1):
    """Engine and sink get cores of their own where there are enough: the engine's scheduler, journal and
    reader take most of one beside its senders."""
    count = os.cpu_count()
    if count < threads + 3:
        return None
    return {count - 1} if role == "sink" else set(range(count - 1))


class Sink:
    """posthorn-sink on free ports of loopback. stop() gives its summary and Usage."""

    def __init__(self, binaries, home, properties, cores=None):
        self.summary_file = home / "summary.json"
        command = [binaries / "posthorn-sink", "--smtp", "127.0.0.1:0", "--dns", "127.0.0.1:0",
                   "--summary", self.summary_file, "--rtt", properties["rtt_ms"]]
        command += ["--profile", self.profile(home, properties)]
        self.measured = Measured(command, cores, cwd=home, stdout=subprocess.PIPE, text=True)
        atexit.register(self.measured.process.kill)  # without effect once it was waited for
        line = self.measured.process.stdout.readline()
        match = re.search(r"smtp=\S*:(\d+) dns=(\S+)", line)
        assert match, f"the sink did not start: {line!r}"
        self.port, self.dns = int(match.group(1)), match.group(2)

    @staticmethod
    def profile(home, properties):
        if properties["mix"] != "perfect":
            return properties["mix"]
        offers = [offer for offer in OFFERS if properties["chunking"] or offer != "CHUNKING"]
        host = {"match": "*", "offers": offers}
        if properties["tls"]:
            host["tls"] = "selfsigned"
        (home / "profile.json").write_text(json.dumps({"domains": [host]}))
        return home / "profile.json"

    def stop(self):
        self.measured.process.send_signal(signal.SIGTERM)
        code, usage = self.measured.wait()
        assert code == 0, f"the sink ended with {code}"
        return json.loads(self.summary_file.read_text()), usage


class Lab:
    """Lists and keys are made once and kept for all repeats."""

    def __init__(self, binaries):
        self.binaries = Path(binaries).resolve()
        self.home = Path(tempfile.mkdtemp(prefix="posthorn-bench-"))
        self.lists = {}

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            shutil.rmtree(self.home, ignore_errors=True)
        else:
            print(f"left for inspection: {self.home}")

    def list_of(self, recipients, domains):
        key = (recipients, domains)
        if key not in self.lists:
            self.lists[key] = self.home / f"list-{recipients}-{domains}.csv"
            with open(self.lists[key], "w", encoding="ascii") as rows:
                rows.write("email,first_name,code\n")
                for i in range(recipients):
                    rows.write(f"user{i}@d{i % domains}.test,Name {i},{i * 7919 % 1000003}\n")
        return self.lists[key]

    def key_of(self, kind):
        path = self.home / f"{kind}.pem"
        if not path.exists():
            algorithm = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if kind == "rsa2048" \
                else ["-algorithm", "ED25519"]
            subprocess.run(["openssl", "genpkey", *algorithm, "-out", path], check=True, capture_output=True)
        return path

    def campaign_of(self, properties):
        """HTML and the text made of it, together `kb` long; personal in the first and the last line."""
        sentences = max(1, round((properties["kb"] * 1024 - 900) / 158))
        html = "<p>Dear {{first_name}},</p>\n<p>" + \
            "".join(SENTENCE + ("</p>\n<p>" if i % 8 == 7 else "") for i in range(sentences)) + \
            "</p>\n<p>Your code: {{code}}</p>\n"
        campaign = {"version": 1, "id": "bench", "kind": "transactional", "from": "Acme <news@acme.test>",
                    "subject": "Hello {{first_name}}", "html": html, "text": "auto",
                    "retry": {"schedule": ["6s"], "max_age": "60s"},
                    "recipients": {"file": "list.csv"}}
        if properties["dkim"] != "none":
            campaign["dkim"] = [{"domain": "acme.test", "selector": "s1", "key_file": "dkim.pem"}]
        return campaign

    def lay(self, place, properties, sink):
        """All that the engine reads."""
        (place / "posthorn.json").write_text(json.dumps(self.config_of(properties, sink)))
        (place / "bench.json").write_text(json.dumps(self.campaign_of(properties)))
        os.link(self.list_of(properties["messages"], properties["domains"]), place / "list.csv")
        if properties["dkim"] != "none":
            shutil.copy(self.key_of(properties["dkim"]), place / "dkim.pem")

    @staticmethod
    def config_of(properties, sink):
        per_domain = properties["per_domain"]
        dns = {"servers": [sink.dns]}
        if properties["mix"] != "perfect":  # in a minute what takes days
            dns.update({"confirm_after": "2s", "retry": "2s"})
        return {"ehlo": "mta.acme.test", "dns": dns,
                "smtp": {"port": sink.port, "allow_private_addresses": True},
                "durability": properties["durability"], "senders": properties["senders"],
                "connections": properties["connections"], "tls": {"mode": "required" if properties["tls"] else "off"},
                "limits": {"site_connections_max": per_domain, "site_connections_start": min(5, per_domain),
                           "messages_per_session": properties["per_session"]}}

    def run(self, properties, with_syscalls=False):
        """The figures of one run. With syscalls counted the times are not to be used."""
        if properties["kind"] != "send":
            return self.run_import(properties)
        place = Path(tempfile.mkdtemp(dir=self.home))
        sink = Sink(self.binaries, place, properties, cores_of("sink"))
        self.lay(place, properties, sink)
        command = [self.binaries / "posthorn", "send", "bench.json", "--json", "--quiet"]
        counting = counting_syscalls(command, place / "syscalls") if with_syscalls else None
        engine = Measured(counting or command, cores_of("engine", properties["senders"]), cwd=place,
                          stdout=open(place / "report", "w", encoding="utf-8"),
                          stderr=open(place / "errors", "w", encoding="utf-8"))
        code, usage = engine.wait()
        assert code == 0, f"posthorn ended with {code}: {(place / 'errors').read_text()}"
        report = json.loads((place / "report").read_text())
        summary, sink_usage = sink.stop()
        check_books(properties, report, summary)
        messages = report["outcomes"]["delivered"]
        if with_syscalls:
            counted = counted_syscalls(place / "syscalls") if counting else None
            figures = {"syscalls_per_message": counted and counted / messages}
        else:
            figures = figures_of(properties, report, summary, usage, sink_usage)
            figures["p50_ms"], figures["p99_ms"] = self.latency(place)
        shutil.rmtree(place)
        return figures

    def latency(self, place):
        """Of those delivered at the first attempt: from the lease's record to the reply that decided."""
        command = [self.binaries / "posthorn", "recipients", "bench", "--json"]
        taken = []
        with subprocess.Popen([str(part) for part in command], cwd=place, stdout=subprocess.PIPE) as lines:
            for number, line in enumerate(lines.stdout):
                if number % 7 == 0:  # spread over all domains
                    entry = json.loads(line)
                    if entry["outcome"] == "delivered" and entry["attempts"] == 1:
                        taken.append(moment(entry["last_time"]) - moment(entry["first_time"]))
        cuts = statistics.quantiles(taken, n=100, method="inclusive")
        return cuts[49] * 1e3, cuts[98] * 1e3

    # ---- Imports: a campaign for next year, stopped once it waits.

    def run_import(self, properties):
        rows, full = properties["messages"], properties["kind"] == "import-full"
        place = Path(tempfile.mkdtemp(dir=self.home))
        (place / "posthorn.json").write_text(json.dumps({"ehlo": "mta.test", "durability": properties["durability"]}))
        write_import_lists(place, rows)
        campaign = {"version": 1, "id": "bench", "kind": "transactional", "from": "Acme <news@acme.test>",
                    "subject": "Hello {{first_name}}", "text": "Dear {{first_name}} of {{city}}\n",
                    "recipients": {"file": "list.csv"},
                    "schedule": {"send_at": f"{time.gmtime().tm_year + 1}-01-01T00:00:00Z"}}
        if full:
            campaign["recipients"]["priority"] = "score"
            campaign["segment"] = \
                "vars.plan == 'pro' and domain not in ['gmail.com', 'aol.com'] and vars.score >= 0"
            campaign["exclude"] = ["unsubscribed.csv", "*@mail-domain-77.example"]
        (place / "bench.json").write_text(json.dumps(campaign))
        began = time.monotonic()
        posthorn = self.binaries / "posthorn"
        engine = Measured([posthorn, "send", "bench.json", "--json", "--quiet"], cwd=place,
                          stdout=open(place / "report", "w", encoding="utf-8"), stderr=subprocess.DEVNULL)

        def waits():
            status = subprocess.run([posthorn, "status", "--json"], cwd=place, capture_output=True, text=True,
                                    check=False)
            return status.returncode == 0 and '"waits_until":' in status.stdout

        while not (place / "posthorn-data" / "control.sock").exists() or not waits():
            assert engine.process.poll() is None, "posthorn send ended"
            time.sleep(0.2)
        elapsed = time.monotonic() - began
        engine.process.send_signal(signal.SIGTERM)
        _, usage = engine.wait()
        shutil.rmtree(place)
        return {"messages_per_s": rows / elapsed, "engine_us": usage.cpu_s / rows * 1e6,
                "peak_mb": usage.peak_bytes / 1e6, "written_bytes": usage.written_bytes / rows,
                "context_switches": usage.context_switches / rows}


def write_import_lists(place, rows):
    """Half of a real list is at a handful of providers."""
    chance = random.Random(1)
    with open(place / "list.csv", "w", encoding="ascii") as out, \
            open(place / "unsubscribed.csv", "w", encoding="ascii") as left_out:
        out.write("email,first_name,plan,city,score\n")
        left_out.write("email\n")
        for i in range(rows):
            domain = chance.randrange(5) if chance.random() < 0.5 else chance.randrange(rows // 10 + 1)
            address = f"first.last{i}@mail-domain-{domain}.example"
            plan = "pro" if chance.random() < 0.5 else "free"
            out.write(f"{address},{NAMES[i % 5]},{plan},{chance.choice(CITIES)},{chance.randrange(1000)}\n")
            if chance.random() < 0.1:
                left_out.write(address + "\n")


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def check_books(properties, report, summary):
    """Nobody lost, nobody twice: a figure of a run that failed is no figure."""
    outcomes = report["outcomes"]
    assert sum(outcomes.values()) == properties["messages"], outcomes
    assert summary["accepted"] == summary["distinct_recipients"] == outcomes["delivered"], (summary["accepted"],
                                                                                            outcomes)
    if properties["mix"] == "perfect":
        assert outcomes["delivered"] == properties["messages"], outcomes


def figures_of(properties, report, summary, usage, sink_usage):
    messages = report["outcomes"]["delivered"]
    return {
        "messages_per_s": report["messages_per_s"],
        "engine_us": usage.cpu_s / messages * 1e6,
        "engine_user_us": usage.user_s / messages * 1e6,
        "sink_us": sink_usage.cpu_s / messages * 1e6,
        "peak_mb": usage.peak_bytes / 1e6,
        "written_bytes": usage.written_bytes / properties["messages"],
        "context_switches": usage.context_switches / messages,
        "sessions": summary["sessions"],
        "wire_kb": summary["bytes"] / max(1, summary["messages"]) / 1024,
        "load": os.getloadavg()[0],
    }
