#!/usr/bin/env python3
"""kill -9 at chosen points where bytes reach the disk (syncs, renames, links, within writes), each in
a data directory of its own, followed by the same command.

Usage: kill_points_test.py BINARIES import|send [--points N] [--recipients N] [--uncertain resend|hold]
Nobody may be lost. Extra copies may not exceed possible_duplicates, nor what the killed process had
leased; under hold there are none.
"""
import argparse
import collections
import shutil
import sys
import time

from faulty_world import FaultyWorld

# Rows long enough that the import spills several runs of 16 MB and merges them.
LONG_ROWS = 1000


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("phase", choices=["import", "send"])
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--recipients", type=int, default=2000)
    parser.add_argument("--domains", type=int, default=20)
    parser.add_argument("--uncertain", choices=["resend", "hold"], default="resend")
    options = parser.parse_args()
    began = time.monotonic()
    with FaultyWorld(options.binaries) as world:
        world.seen = world.ledger_counts()
        path = campaign(world, options)
        points = world.kill_points(path)
        check(world, options, killed=False)
        numbers = chosen(points, options)
        killed, doubled, kinds = 0, 0, collections.Counter()
        for number in numbers:
            start_afresh(world)
            if world.send_until_killed(path, number) == -9:
                killed += 1
                kinds[points[number - 1][0]] += 1
            world.send(path)
            doubled += check(world, options, killed=True)
        print(f"{len(numbers)} of {len(points)} points, {killed} reached {dict(kinds)}; 0 lost, {doubled} "
              f"doubled, all within possible_duplicates; {time.monotonic() - began:.0f} s")
        assert killed >= len(numbers) * 3 // 4, "too few points were reached to speak of a sweep"
    return 0


def campaign(world, options):
    path = world.campaign("swept", options.recipients, options.domains,
                          retry={"schedule": ["1s"], "uncertain": options.uncertain})
    if options.phase == "import":
        with open(world.home / "swept.csv", "w") as rows:
            rows.write("email,first_name,letter\n")
            for i in range(options.recipients):
                rows.write(f"user{i}@d{i % options.domains}.test,Name {i},{i:x<{LONG_ROWS}}\n")
                if i % 500 == 0:
                    rows.write(f"USER{i}@d{i % options.domains}.test,again,\nno address,,\n")
    return path


def chosen(points, options):
    """Numbers of points, evenly spread: of the import up to its end, of sending after it."""
    last_link = max(i for i, (call, _) in enumerate(points, 1) if call == "link")
    end_of_import = last_link + next(i for i, (call, file) in enumerate(points[last_link:], 1)
                                     if call == "fdatasync" and file.endswith(".log"))
    if options.phase == "import":
        candidates = range(1, end_of_import + 1)
    else:
        candidates = range(end_of_import + 1, len(points) + 1)
    count = min(options.points, len(candidates))
    return [candidates[i * len(candidates) // count] for i in range(count)]


def start_afresh(world):
    shutil.rmtree(world.home / "posthorn-data", ignore_errors=True)
    world.seen = world.ledger_counts()


def check(world, options, killed):
    report = world.send(world.home / "swept.json")  # finished: says its report again, sends nothing
    outcomes, audience, total = report["outcomes"], report["audience"], options.recipients
    odd = (total + 499) // 500 if options.phase == "import" else 0
    assert audience["recipients"] == total and audience["rows"] == total + 2 * odd, audience
    assert audience["duplicate"] == audience["invalid"] == odd, audience
    assert sum(outcomes.values()) == total, outcomes
    assert outcomes["pending"] == outcomes["deferred"] == 0, outcomes
    assert report["state"] == "finished", report["state"]
    rows = {row["email"].lower(): row for row in world.rows("swept")}
    assert len(rows) == total, len(rows)
    copies = collections.Counter()
    for (_, recipient), count in (world.ledger_counts() - world.seen).items():
        copies[recipient] += count
    extra = sum(copies.values()) - len(copies)
    assert extra <= report["possible_duplicates"], (extra, report["possible_duplicates"])
    for recipient, count in copies.items():
        assert count <= 1 + killed and rows[recipient]["attempts"] >= count, (rows[recipient], count)
    if options.uncertain == "hold":
        assert extra == 0, f"{extra} recipients got it twice under hold"
        assert outcomes["delivered"] + outcomes["uncertain"] == total, outcomes
    else:
        assert outcomes["delivered"] == total, outcomes
    for recipient, row in rows.items():
        assert row["outcome"] != "delivered" or copies[recipient] >= 1, f"lost: {row}"
    return extra


if __name__ == "__main__":
    sys.exit(main())
