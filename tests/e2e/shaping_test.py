#!/usr/bin/env python3
"""A provider's limits from a shaping file, by the sink's own count: over all of its sites together, each source for
itself, and through kill -9 and restart within the same hour. Faults of the file are told and nothing is sent.

Usage: shaping_test.py BINARIES
"""
import json
import signal
import subprocess
import sys
import time

from world import World

HOURLY, CONNECTIONS, EACH, DOMAINS = 300, 2, 150, 6
HOSTS = ["mx1.big.test", "mx2.big.test"]
PROFILE = {"domains": [{"match": f"d{i}.test", "mx": [HOSTS[i % 2]]} for i in range(DOMAINS)] + [{"match": "*"}]}
RULE = {"name": "big", "mx": ["*.big.test"], "connections": CONNECTIONS, "messages": [f"{HOURLY}/h"]}


def waits(world):
    """Whether nothing is in flight, and both sites wait for their rate."""
    done = subprocess.run(world.command("status", "--json"), cwd=world.home, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        return False
    status = json.loads(done.stdout)
    sites = status.get("busiest", [])
    return (status.get("in_flight") == 0 and len(sites) >= 2
            and all(site["waits_for"] == "its rate limit" for site in sites))


def send_until_it_waits(world, path, how):
    process = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not waits(world):
        assert process.poll() is None, "the sender ended"
        time.sleep(0.05)
    process.send_signal(how)
    process.wait()
    world.settle_ledger()
    return sum(world.ledger_counts().values())


def refused_with_its_place(world, path):
    (world.home / "shaping.json").write_text('{ "providers": [\n  { "name": "big", "mx": ["a b"] } ] }')
    done = subprocess.run(world.command("send", path), cwd=world.home, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.returncode
    assert "shaping.json:2:" in done.stderr and "is not a host name" in done.stderr, done.stderr
    assert not (world.home / "posthorn-data").exists(), "something was begun"


def main() -> int:
    with World(sys.argv[1], PROFILE) as world:
        path = world.campaign("shaped", EACH * DOMAINS, DOMAINS)
        world.config({"shaping": "shaping.json"})
        refused_with_its_place(world, path)
        (world.home / "shaping.json").write_text(json.dumps({"providers": [RULE]}))
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            accepted = send_until_it_waits(world, path, how)
            assert accepted == HOURLY, accepted
        world.config({"shaping": "shaping.json", "sources": [{"name": "default"}, {"name": "second"}]})
        accepted = send_until_it_waits(world, path, signal.SIGTERM)
        assert accepted == 2 * HOURLY, accepted  # the second source has an hour of its own
        explained = json.loads(world.run("report", "shaped", "--json"))
        assert explained["outcomes"]["delivered"] == 2 * HOURLY, explained["outcomes"]
        summary = world.stop_sink()
        hosts = [summary["mx_hosts"][host] for host in HOSTS]
        assert sum(host["accepted"] for host in hosts) == 2 * HOURLY, hosts
        assert all(host["connections_max"] <= 2 * CONNECTIONS for host in hosts), hosts
        print(f"{HOURLY} an hour and source held through three restarts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
