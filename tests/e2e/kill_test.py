#!/usr/bin/env python3
"""kill -9 at random moments of import and delivery, each followed by the same command.

Usage: kill_test.py BINARIES [--kills N] [--recipients N] [--seed N] [--uncertain resend|hold]
Nobody may be lost. Extra copies may not exceed possible_duplicates; under hold there are none.
"""
import argparse
import random
import sys

from world import World


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--domains", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--uncertain", choices=["resend", "hold"], default="resend")
    parser.add_argument("--longest", type=float, default=1.5, help="seconds before a kill, at most")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    chance = random.Random(options.seed)
    with World(options.binaries) as world:
        path = world.campaign("killed", options.recipients, options.domains,
                              retry={"schedule": ["1s"], "uncertain": options.uncertain})
        kills, rounds, number = 0, 0, 0
        while kills < options.kills:
            # When the campaign is through before all kills were had, another one begins.
            code = world.send_and_kill(path, chance.uniform(0.02, options.longest))
            rounds += 1
            if code is None:
                kills += 1
                continue
            assert code in (0, 1), f"exit code {code}"
            if code == 0:
                check(world, path, number, options)
                number += 1
                path = world.campaign(f"killed{number}", options.recipients, options.domains,
                                      retry={"schedule": ["1s"], "uncertain": options.uncertain})
        world.send(path)
        report = check(world, path, number, options)
        print(f"{kills} kills in {rounds} rounds over {number + 1} campaigns; the last: "
              f"{report['outcomes']}, possible duplicates {report['possible_duplicates']}")
    return 0


def check(world, path, number, options):
    report = world.send(path)  # finished: says its report again, sends nothing
    outcomes = report["outcomes"]
    total = options.recipients
    assert sum(outcomes.values()) == total, outcomes
    assert outcomes["pending"] == 0 and outcomes["deferred"] == 0, outcomes
    assert report["state"] == "finished", report["state"]
    name = "killed" if number == 0 else f"killed{number}"
    lines = world.run("recipients", name, "--json").splitlines()
    assert len(lines) == total, len(lines)
    ids = own_messages(world, name, options)
    reached = {recipient for _, recipient in ids}
    copies = sum(ids.values())
    extra = copies - len(reached)
    assert extra <= report["possible_duplicates"], (extra, report["possible_duplicates"])
    if options.uncertain == "hold":
        assert extra == 0, f"{extra} recipients got it twice under hold"
        assert outcomes["delivered"] + outcomes["uncertain"] == total, outcomes
        assert total - len(reached) <= outcomes["uncertain"], (len(reached), outcomes)
    else:
        assert outcomes["delivered"] == total, outcomes
        assert len(reached) == total, f"{total - len(reached)} lost"
    assert outcomes["delivered"] <= len(reached)
    return report


def own_messages(world, name, options):
    """This campaign's part of the ledger: Message-IDs are functions of campaign and recipient."""
    counts = world.ledger_counts()
    seen = getattr(own_messages, "seen", set())
    own = {key: count for key, count in counts.items() if key not in seen}
    own_messages.seen = seen | set(own)
    return own


if __name__ == "__main__":
    sys.exit(main())
