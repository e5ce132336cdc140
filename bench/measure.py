"""One process measured from outside, and the machine that it ran on."""
import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path


@dataclasses.dataclass
class Usage:
    """What the kernel counted for a process and all its threads, from exec to exit."""
    user_s: float
    system_s: float
    peak_bytes: int
    context_switches: int
    written_bytes: int  # that had to reach a disk; pages written twice count twice

    @property
    def cpu_s(self):
        return self.user_s + self.system_s


class Measured:
    """A process that is started at once; `cores` pins it."""

    def __init__(self, command, cores=None, **options):
        def pin():
            if cores:
                os.sched_setaffinity(0, cores)
        self.process = subprocess.Popen([str(part) for part in command], preexec_fn=pin, **options)

    def wait(self):
        """Until it ends: its exit code and Usage. /proc/PID/io is read between exit and burial."""
        pid = self.process.pid
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        counted = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
        _, status, usage = os.wait4(pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode, Usage(
            usage.ru_utime, usage.ru_stime, usage.ru_maxrss << 10,
            usage.ru_nvcsw + usage.ru_nivcsw, int(counted["write_bytes"]))


def counting_syscalls(command, counts_file):
    """The command, with perf counting its system calls into a file; None without perf."""
    if shutil.which("perf") is None:
        return None
    return ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-o", str(counts_file), "--", *command]


def counted_syscalls(counts_file):
    match = re.search(r"^(\d+),,raw_syscalls:sys_enter", Path(counts_file).read_text(), re.MULTILINE)
    return int(match.group(1)) if match else None


def output_of(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False).stdout.strip()


def commit(source):
    """Of the sources; "+" when the tree differs from it."""
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no", cwd=source)
    return output_of("git", "rev-parse", "--short=12", "HEAD", cwd=source) + ("+" if changed else "")


def machine():
    """In one line: processor, cores, memory, kernel, whether virtual."""
    described = dict(re.findall(r"^([^:]+):\s*(.+)$", output_of("lscpu"), re.MULTILINE))
    kilobytes = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1))
    virtual = f", virtual ({described['Hypervisor vendor']})" if "Hypervisor vendor" in described else ""
    return (f"{described.get('Model name', 'unknown processor')} (family {described.get('CPU family')}, model "
            f"{described.get('Model')}), {os.cpu_count()} cores, {round(kilobytes / 2**20)} GiB, "
            f"Linux {os.uname().release}{virtual}")
