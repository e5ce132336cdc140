"""A world whose posthorn is the test build that a test can do harm to: see libc_faults.h."""
import json
import mmap
import os
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from world import World  # noqa: E402

PAGE = ["wall_offset_us", "no_descriptors", "disk_full", "free_permille", "failing_syncs"]
DAY_US = 86_400 * 1_000_000


class FaultyWorld(World):
    def __init__(self, binaries, profile=None, sink_options=()):
        super().__init__(binaries, profile, sink_options)
        self.page_file = self.home / "faults"
        self.page_file.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.page_file, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def command(self, *arguments):
        return [str(self.binaries / "posthorn-faulty"), *map(str, arguments)]

    def fault(self, name, value):
        """Comes into force at once, in every process."""
        struct.pack_into("=q", self.page, 8 * PAGE.index(name), value)

    def environment(self, **more):
        return {**os.environ, "POSTHORN_FAULTS": str(self.page_file), **more}

    def start(self, *arguments, **environment):
        """Standard error goes to a file, so that a test can wait for words in it."""
        self.errors = open(self.home / "errors", "wb")
        return subprocess.Popen(self.command(*arguments), cwd=self.home, stdout=subprocess.PIPE,
                                stderr=self.errors, env=self.environment(**environment))

    def said(self):
        return (self.home / "errors").read_text(errors="replace")

    def send_until_killed(self, path, point, timeout=280):
        """The exit code; -9 when the point was reached."""
        done = subprocess.run(self.command("send", path, "--json", "--quiet"), cwd=self.home,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=timeout,
                              env=self.environment(POSTHORN_KILL_AT=str(point)), check=False)
        if done.returncode not in (0, -9):
            raise AssertionError(f"point {point}: exit {done.returncode}: {done.stderr[-2000:]}")
        return done.returncode

    def kill_points(self, path):
        """The points that an undisturbed sending passes, in order: [call, file]."""
        log = self.home / "points"
        subprocess.run(self.command("send", path, "--json", "--quiet"), cwd=self.home, check=True,
                       stdout=subprocess.DEVNULL, timeout=280,
                       env=self.environment(POSTHORN_KILL_LOG=str(log)))
        lines = sorted((line.split(" ", 2) for line in log.read_text().splitlines()),
                       key=lambda line: int(line[0]))
        return [line[1:] for line in lines]

    def rows(self, campaign):
        return [json.loads(line) for line in self.run("recipients", campaign, "--json").splitlines()]


def wait_until(what, condition, process=None):
    """Asks until it is so, as fast as it can; a process that ends before is a failure."""
    while not condition():
        assert process is None or process.poll() is None, f"ended, exit {process.returncode}: {what}"
