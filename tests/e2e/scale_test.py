#!/usr/bin/env python3
"""One large campaign of 10 KB messages to a perfect internet: nobody lost, nobody twice, and what it cost.

Usage: scale_test.py BINARIES [--recipients N] [--domains N] [--restart none|clean|kill] [--config JSON]
With --restart the sender is stopped (clean: SIGTERM, kill: SIGKILL) soon after its first deliveries, and the time from
the start of the next one to the sink's first new ledger line is measured.
Bounds are checked where they are given: --memory-max MB, --disk-max BYTES a recipient, --restart-max SECONDS.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time

from world import World

BODY = "<p>Dear {{first_name}},</p>\n" + "<p>" + "All the news that is fit to send. " * 290 + "</p>\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--domains", type=int, default=200)
    parser.add_argument("--restart", choices=["none", "clean", "kill"], default="none")
    parser.add_argument("--config", type=json.loads, default={})
    parser.add_argument("--memory-max", type=float)
    parser.add_argument("--disk-max", type=float)
    parser.add_argument("--restart-max", type=float)
    options = parser.parse_args()
    with World(options.binaries) as world:
        world.config(options.config)
        path = world.campaign("scale", options.recipients, options.domains, html=BODY, text="auto",
                              retry={"schedule": ["1s"]})
        first_s = restart(world, path, options) if options.restart != "none" else None
        report, peak_bytes = send_watched(world, path)
        figures = check(world, report, options)
        figures["peak_rss_mb"] = round(report["peak_rss_bytes"] / 1e6, 1)
        figures["peak_disk_bytes_per_recipient"] = round(peak_bytes / options.recipients, 1)
        if first_s is not None:
            figures["first_message_after_restart_s"] = round(first_s, 3)
        print(json.dumps(figures))
        check_bounds(figures, options)
    return 0


def check(world, report, options):
    outcomes = report["outcomes"]
    assert outcomes["delivered"] == options.recipients == sum(outcomes.values()), outcomes
    summary = world.stop_sink()
    assert summary["distinct_recipients"] == options.recipients, "somebody was lost"
    extra = summary["accepted"] - options.recipients
    assert extra <= report["possible_duplicates"], (extra, report["possible_duplicates"])
    if options.restart != "kill":
        assert extra == 0, f"{extra} got it twice"
    return {"recipients": options.recipients, "domains": options.domains,
            "messages_per_s": round(report["messages_per_s"]),
            "cpu_us_per_message": round(report["cpu_us_per_message"], 1), "doubled": extra,
            "possible_duplicates": report["possible_duplicates"]}


def check_bounds(figures, options):
    for bound, figure in ((options.memory_max, "peak_rss_mb"),
                          (options.disk_max, "peak_disk_bytes_per_recipient"),
                          (options.restart_max, "first_message_after_restart_s")):
        assert bound is None or figures[figure] <= bound, (figure, figures[figure], bound)


def send_watched(world, path):
    """The report, and the most bytes that the data directory took meanwhile."""
    process = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.PIPE, text=True)
    ended = threading.Event()
    most = [0]

    def watch():
        while not ended.wait(0.05):
            most[0] = max(most[0], disk_bytes(world.home / "posthorn-data"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    output = process.communicate()[0]
    ended.set()
    watcher.join()
    assert process.returncode == 0, process.returncode
    return json.loads(output), most[0]


def disk_bytes(directory):
    total = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            try:
                total += os.stat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


def restart(world, path, options):
    """Seconds from the start of the second sender to its first message in the sink's ledger."""
    process = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until_ledger_grows(world, 1 + options.recipients // 100)
    process.send_signal(signal.SIGKILL if options.restart == "kill" else signal.SIGTERM)
    process.wait()
    world.settle_ledger()
    before = world.ledger.stat().st_size
    began = time.monotonic()
    process = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while world.ledger.stat().st_size == before:
        assert process.poll() is None, "the second sender ended without a message"
        time.sleep(0.001)
    first_s = time.monotonic() - began
    process.send_signal(signal.SIGTERM)
    assert process.wait() in (0, 3), process.returncode
    return first_s


def until_ledger_grows(world, lines):
    """Until the ledger has so many lines, of some 150 bytes."""
    while not world.ledger.exists() or world.ledger.stat().st_size < 150 * lines:
        time.sleep(0.002)


if __name__ == "__main__":
    sys.exit(main())
