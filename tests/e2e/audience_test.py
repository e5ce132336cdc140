#!/usr/bin/env python3
"""Who gets a campaign, which variant, in which order and when, seen from the receivers' side.

Usage: audience_test.py BINARIES
"""
import collections
import datetime
import email
import email.policy
import json
import subprocess
import sys

from world import World


def saved(world):
    """Recipient -> subject, of every message that arrived."""
    found = {}
    for path in (world.home / "saved").iterdir():
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found[str(message["To"].addresses[0].addr_spec)] = str(message["Subject"])
    return found


def segment_and_history(world):
    path = world.campaign("first", 40, 4, segment="vars.first_name endswith '3' or email ~ '^user1[0-9]@'")
    wanted = {f"user{i}@d{i % 4}.test" for i in range(40) if str(i).endswith("3") or 10 <= i < 20}
    count = json.loads(world.run("check", path, "--count", "--json").splitlines()[-1])["count"]
    assert count["audience"]["recipients"] == len(wanted), count
    dry = json.loads(world.run("send", path, "--dry-run", "--json").splitlines()[-1])["count"]
    assert dry == count, (dry, count)
    assert not (world.home / "posthorn-data").exists()
    report = json.loads(world.run("send", path, "--json", "--quiet"))
    assert report["audience"]["excluded"] == 40 - len(wanted), report
    assert set(saved(world)) == wanted

    path = world.campaign("second", 40, 4, segment="not sent('first') and bucket(1, 2, 'half')")
    count = json.loads(world.run("check", path, "--count", "--json").splitlines()[-1])["count"]
    report = json.loads(world.run("send", path, "--json", "--quiet"))
    assert report["audience"]["recipients"] == count["audience"]["recipients"] > 3, (count, report)
    rows = [json.loads(line) for line in world.run("recipients", "second", "--json").splitlines()]
    assert not {row["email"] for row in rows} & wanted
    few = [json.loads(line) for line in
           world.run("recipients", "second", "--json", "--segment", "domain == 'd1.test'").splitlines()]
    assert {row["email"] for row in few} == {r["email"] for r in rows if r["email"].endswith("@d1.test")}
    part = json.loads(world.run("report", "second", "--json", "--segment", "domain == 'd1.test'"))["segment"]
    assert part["recipients"] == part["outcomes"]["delivered"] == len(few), part
    wrong = subprocess.run(world.command("report", "second", "--segment", "vars.nme == 1"), cwd=world.home,
                           capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "segment:1:1" in wrong.stderr and "first_name" in wrong.stderr, wrong


def variants(world):
    path = world.campaign("split", 300, 3, variants=[
        {"name": "A", "weight": 3}, {"name": "B", "weight": 1, "subject": "Last chance {{first_name}}"}])
    count = json.loads(world.run("check", path, "--count", "--json").splitlines()[-1])["count"]
    report = json.loads(world.run("send", path, "--json", "--quiet"))
    subjects = saved(world)
    rows = [json.loads(line) for line in world.run("recipients", "split", "--json").splitlines()]
    shares = collections.Counter(row["variant"] for row in rows)
    assert 180 < shares["A"] < 270 and shares["A"] + shares["B"] == 300, shares
    for row in rows:
        assert subjects[row["email"]].startswith("Last" if row["variant"] == "B" else "Hello"), row
    figures = {v["variant"]: v["outcomes"]["delivered"] for v in report["variants"]}
    assert figures == dict(shares), (figures, shares)
    assert {v["variant"]: v["recipients"] for v in count["variants"]} == dict(shares), count
    of_one = rows[0]
    preview = world.run("preview", path, "--as", of_one["email"])
    assert f"Subject: {subjects[of_one['email']]}" in preview


def priorities(world):
    path = world.campaign("ranked", 0, 1, throttle={"rate": "200/s", "max_connections": 1})
    campaign = json.loads(path.read_text())
    campaign["recipients"]["priority"] = "score"
    path.write_text(json.dumps(campaign))
    with open(world.home / "ranked.csv", "w") as rows:
        rows.write("email,first_name,score\n")
        for i in range(200):
            rows.write(f"user{i}@one.test,N,{(i * 7) % 200 / 2}\n")
    world.settle_ledger()
    before = len(world.ledger.read_text().splitlines())
    world.run("send", path, "--json", "--quiet")
    world.settle_ledger()
    order = [int(json.loads(line)["recipient"][4:].split("@")[0])
             for line in world.ledger.read_text().splitlines()[before:]]
    scores = [(i * 7) % 200 for i in order]
    assert len(scores) == 200
    # Several messages are on their way at once; the first quarter goes before the last all the same.
    assert min(scores[:50]) > max(scores[-50:]), scores
    assert scores == sorted(scores, reverse=True) or min(scores[:50]) >= 130, scores


def schedules(world):
    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
    path = world.campaign("later", 20, 2, schedule={"send_at": later})
    sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.PIPE, text=True)

    def status():
        return {c["campaign"]: c for c in json.loads(world.run("status", "--json"))["campaigns"]}

    def waits(name):
        return (world.home / "posthorn-data" / "control.sock").exists() and \
            status().get(name, {}).get("waits_until") is not None

    def wait_for(process, condition):
        while not condition():
            assert process.poll() is None

    wait_for(sending, lambda: waits("later"))
    assert status()["later"]["outcomes"]["pending"] == 20
    world.run("set", "later", "schedule.send_at=none")
    report = json.loads(sending.communicate(timeout=120)[0])
    assert report["state"] == "finished" and report["outcomes"]["delivered"] == 20, report
    assert sending.returncode == 0
    world.run("set", "later", "schedule.windows=mon 08:00-18:00", expect=2)

    # Closed now, stopped by a signal, opened while nobody runs, sent by the next process.
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a").lower()
    path = world.campaign("window", 20, 2, schedule={"windows": [{"days": day, "start": "08:00",
                                                                   "end": "08:01"}]})
    sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.PIPE, text=True)
    wait_for(sending, lambda: waits("window"))
    sending.terminate()
    stopped = json.loads(sending.communicate(timeout=60)[0])
    assert sending.returncode == 3 and stopped["outcomes"]["pending"] == 20, stopped
    world.run("set", "window", "schedule.windows=00:00-24:00")
    report = json.loads(world.run("send", path, "--json", "--quiet"))
    assert report["outcomes"]["delivered"] == 20, report


def main() -> int:
    for scenario in (segment_and_history, variants, priorities, schedules):
        with World(sys.argv[1], None, ["--save", "saved"]) as world:
            scenario(world)
        print(f"{scenario.__name__}: good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
