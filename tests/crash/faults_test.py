#!/usr/bin/env python3
"""A campaign whose machine misbehaves under way: its clock, disk, descriptors, name server, receivers,
signals. Each time everybody gets it, and nobody twice unless the report says so.

Usage: faults_test.py BINARIES SCENARIO [--recipients N]
"""
import argparse
import json
import signal
import socket
import sys
import threading

from faulty_world import DAY_US, FaultyWorld, wait_until

SLOW = {"domains": [{"match": "d0.test", "greylist_s": 1}, {"match": "*", "latency_ms": [1, 5]}]}


class Scenario:
    profile = SLOW
    config = {}

    def __init__(self, options):
        self.options = options
        self.world = FaultyWorld(options.binaries, self.profile)

    def run(self):
        with self.world as world:
            world.config({"limits": {"site_retry": "200ms", "site_retry_max": "1s",
                                     "connect_timeout": "5s"}, **self.config})
            self.path = world.campaign("troubled", self.options.recipients, 20,
                                       retry={"schedule": ["1s"], "max_age": "3d"})
            self.go()
            self.check(world.send(self.path))

    def begin(self):
        """Sends until a tenth is delivered, so that the fault falls into the middle."""
        process = self.start()
        self.wait_for_progress(process)
        return process

    def start(self):
        return self.world.start("send", self.path, "--json")

    def accepted(self):
        return sum(self.world.ledger_counts().values())

    def wait_for_owner(self, process):
        control = self.world.home / "posthorn-data/control.sock"
        wait_until("it can be asked", control.exists, process)

    def wait_for_progress(self, process, more=None):
        wanted = self.accepted() + (more or self.options.recipients // 10)
        wait_until("delivery goes on", lambda: self.accepted() >= wanted, process)

    def finish(self, process, expect=0):
        output, _ = process.communicate(timeout=280)
        assert process.returncode == expect, (process.returncode, self.world.said()[-2000:])
        return output

    def check(self, report):
        total = self.options.recipients
        outcomes = report["outcomes"]
        assert report["state"] == "finished" and outcomes["delivered"] == total, report
        self.world.settle_ledger()
        counts = self.world.ledger_counts()
        reached = {recipient for _, recipient in counts}
        assert len(reached) == total, f"{total - len(reached)} lost"
        extra = sum(counts.values()) - total
        assert extra <= report["possible_duplicates"], (extra, report["possible_duplicates"])
        if not self.may_double:
            assert extra == 0 == report["possible_duplicates"], (extra, report)
        print(f"{type(self).__name__}: {total} delivered, {extra} doubled, "
              f"{report['possible_duplicates']} possible duplicates")

    may_double = False


class Stopped(Scenario):
    """SIGSTOP and SIGCONT, of the sender and of the receivers."""

    def go(self):
        process = self.begin()
        for stopped in (process, self.world.sink, process):
            stopped.send_signal(signal.SIGSTOP)
            wait_until("stopped", lambda: state_of(stopped.pid) == "T")
            stopped.send_signal(signal.SIGCONT)
            self.wait_for_progress(process)
        self.finish(process)


class ClockJumps(Scenario):
    """A day forward, two back, and to where it was, with retries due meanwhile."""

    def go(self):
        process = self.begin()
        for offset in (DAY_US, -DAY_US, 0):
            self.world.fault("wall_offset_us", offset)
            self.wait_for_progress(process)
        self.finish(process)


class ClockSetBackBetweenRuns(Scenario):
    """What was deferred by a clock that ran a day ahead is not left for a day."""

    profile = {"domains": [{"match": "*", "greylist_s": 1}]}
    may_double = True  # what was in flight when it was killed

    def go(self):
        self.world.fault("wall_offset_us", DAY_US)
        process = self.start()
        self.wait_for_owner(process)
        wait_until("deferred", lambda: any(campaign["outcomes"]["deferred"] for campaign in
                                           status_of(self.world)["campaigns"]), process)
        process.kill()
        process.wait()
        self.world.fault("wall_offset_us", 0)


class NoDescriptors(Scenario):
    """No socket can be made for a while."""

    config = {"limits": {"messages_per_session": 20, "site_retry": "100ms", "site_retry_max": "200ms"}}

    def go(self):
        process = self.begin()
        self.world.fault("no_descriptors", 1)
        sessions_end = lambda: connections_of(process.pid, self.world.smtp_port) == 0
        wait_until("the sessions end", sessions_end, process)
        self.world.fault("no_descriptors", 0)
        self.finish(process)


class NoDescriptorsAtAll(Scenario):
    """No file can be opened either: what the store cannot write ends the run, and the next goes on."""

    may_double = True

    def go(self):
        process = self.begin()
        self.world.fault("no_descriptors", 2)
        process.wait(280)
        self.world.fault("no_descriptors", 0)
        assert process.returncode in (0, 1), (process.returncode, self.world.said())


class DiskNearlyFull(Scenario):
    """Below min_free_disk nothing is granted, and it says so; with room again it goes on."""

    config = {"min_free_disk": "7%"}

    def go(self):
        process = self.begin()
        self.world.fault("free_permille", 69)
        wait_until("said", lambda: "less than 7 %" in status_of(self.world)["trouble"], process)
        wait_until("it rests", lambda: status_of(self.world)["in_flight"] == 0, process)
        before = self.accepted()
        assert before < self.options.recipients, "it came too late"
        assert status_of(self.world)["trouble"] and self.accepted() == before, "granted without room"
        self.world.fault("free_permille", 71)
        self.finish(process)


class DiskFull(Scenario):
    """A write that fails ends the run, in words; with room the same command goes on."""

    may_double = True
    words = "No space left"

    def go(self):
        process = self.begin()
        self.break_disk(1)
        self.finish(process, expect=1)
        self.words_are_said()
        done = self.start()
        done.communicate(timeout=280)
        assert done.returncode == 1, done.returncode  # still broken
        self.break_disk(0)

    def break_disk(self, value):
        self.world.fault("disk_full", value)

    def words_are_said(self):
        assert self.words in self.world.said(), self.world.said()


class SyncsFail(DiskFull):
    """A sync that fails is final for the process."""

    words = "nothing more is written"

    def break_disk(self, value):
        self.world.fault("failing_syncs", value)


class DiskFullInImport(DiskFull):
    """Nothing is sent, nothing half-entered; with room the import is made."""

    may_double = False

    def go(self):
        self.break_disk(1)
        process = self.start()
        self.finish(process, expect=1)
        self.words_are_said()
        assert self.accepted() == 0
        self.break_disk(0)


class NameServerGone(Scenario):
    """Between the engine and its name server, nothing passes for a while."""

    def go(self):
        relay = DnsRelay(self.world.dns)
        self.world.config({"dns": {"servers": [relay.address], "retry": "200ms"},
                           "limits": {"site_retry": "200ms"}})
        relay.open = False
        process = self.start()
        wait_until("asked", lambda: relay.unanswered > 0, process)
        relay.open = True
        self.finish(process)
        relay.close()


class ReceiversGone(Scenario):
    """The simulated internet ends and comes back, at the same ports."""

    may_double = True  # it may have accepted what it had no time to confirm

    def go(self):
        process = self.begin()
        world = self.world
        port, dns = world.smtp_port, world.dns
        world.stop_sink()
        wait_until("noticed", lambda: connections_of(process.pid, port) == 0, process)
        world.start_sink(self.profile, port, dns)
        self.finish(process)


class InterruptedOnce(Scenario):
    """Ctrl-C waits for what is in flight: exit code 3, and nobody is doubled."""

    def go(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        self.finish(process, expect=3)
        assert self.accepted() < self.options.recipients


class InterruptedTwice(Scenario):
    """A second Ctrl-C does not wait: what was in flight is uncertain, and sent again by the next run."""

    profile = {"domains": [{"match": "*", "faults": [{"kind": "stall", "stage": "dot"}]}]}
    may_double = True

    def go(self):
        world = self.world
        process = self.start()
        self.wait_for_owner(process)
        wait_until("in flight", lambda: status_of(world)["in_flight"] > 0, process)
        process.send_signal(signal.SIGINT)
        wait_until("it waits", lambda: "Ctrl-C again" in world.said(), process)
        process.send_signal(signal.SIGINT)
        self.finish(process, expect=3)
        port, dns = world.smtp_port, world.dns
        world.stop_sink()
        world.start_sink("perfect", port, dns)


class DnsRelay:
    """UDP in between, in one thread: what is asked while it is not open gets no answer."""

    def __init__(self, server):
        host, port = server.rsplit(":", 1)
        self.server = (host, int(port))
        self.open, self.unanswered = True, 0
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.front.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
            while True:
                query, client = self.front.recvfrom(65535)
                if not query:
                    return
                if not self.open:
                    self.unanswered += 1
                    continue
                back.sendto(query, self.server)
                self.front.sendto(back.recv(65535), client)

    def close(self):
        self.front.sendto(b"", self.front.getsockname())
        self.thread.join()
        self.front.close()


def state_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


def connections_of(pid, port):
    """How many of the process' connections lead to that port of this host."""
    with open(f"/proc/{pid}/net/tcp") as table:
        lines = [line.split() for line in table.read().splitlines()[1:]]
    return sum(line[2].endswith(f":{port:04X}") and line[3] == "01" for line in lines)


def status_of(world):
    """What the process says that owns the data directory."""
    return json.loads(world.run("status", "--json"))


SCENARIOS = {scenario.__name__: scenario for scenario in Scenario.__subclasses__() +
             DiskFull.__subclasses__()}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("scenario", choices=[*SCENARIOS, "all"])
    parser.add_argument("--recipients", type=int, default=3000)
    options = parser.parse_args()
    for name, scenario in SCENARIOS.items():
        if options.scenario in (name, "all"):
            scenario(options).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
