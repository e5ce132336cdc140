"""Mail servers that are not ours, each on an address and port of loopback, in a directory of its own: started with
`with`, asked for the messages they took, stopped on exit.
"""
import mailbox
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def wait_for_greeting(address, port, process):
    """Until the server greets; an error if its process ends before."""
    for _ in range(600):
        try:
            with socket.create_connection((address, port), 5) as connection:
                if connection.recv(3) == b"220":
                    return
        except OSError:
            pass
        assert process is None or process.poll() is None, "the server ended"
        time.sleep(0.05)
    raise AssertionError(f"nobody greets at {address}:{port}")


class Receiver:
    """One server process. `home` is readable by the users that servers become."""

    def __init__(self, address, home):
        self.address, self.port, self.home = address, free_port(address), Path(home)
        self.home.mkdir(mode=0o755)
        self.process = None

    def run(self, *command):
        with open(self.home / "output", "wb") as output:
            self.process = subprocess.Popen(command, cwd=self.home, stdout=output, stderr=output)
        wait_for_greeting(self.address, self.port, self.process)

    def __exit__(self, kind, value, trace):
        self.process.terminate()
        self.process.wait(30)


class SmtpSink(Receiver):
    """Postfix's smtp-sink, each message kept in a file. It strips leading dots as RFC 5321 4.5.2 asks."""
    name = "Postfix smtp-sink"

    def __enter__(self):
        kept = self.home / "kept"
        kept.mkdir()
        shutil.chown(kept, "nobody")
        self.run("smtp-sink", "-u", "nobody", "-R", str(kept), "-d", "%Y.",
                 f"inet:{self.address}:{self.port}", "200")
        return self

    def messages(self):
        return [file.read_bytes() for file in (self.home / "kept").iterdir()]


class Aiosmtpd(Receiver):
    """python3-aiosmtpd, stored to a maildir."""
    name = "aiosmtpd"

    def __enter__(self):
        self.run("/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", f"{self.address}:{self.port}",
                 "-c", "aiosmtpd.handlers.Mailbox", str(self.home / "maildir"))
        return self

    def messages(self):
        return maildir_messages(self.home / "maildir")


class Postfix(Receiver):
    """Postfix: a whole instance with a queue of its own, every address delivered to one maildir."""
    name = "Postfix to a maildir"

    def __enter__(self):
        for folder in ("config", "queue", "state", "mail"):
            (self.home / folder).mkdir(mode=0o755)
        shutil.chown(self.home / "state", "postfix")
        shutil.chown(self.home / "mail", "nobody", "nogroup")
        config = self.home / "config"
        (config / "main.cf").write_text("\n".join(f"{key} = {value}" for key, value in
                                                  self.settings().items()) + "\n")
        (config / "master.cf").write_text(self.services())
        self.postfix("check")
        self.postfix("start")
        wait_for_greeting(self.address, self.port, None)
        return self

    def __exit__(self, kind, value, trace):
        self.postfix("stop")

    def postfix(self, verb):
        done = subprocess.run(["postfix", "-c", str(self.home / "config"), verb], check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"postfix {verb}: {done.stdout}{done.stderr}"

    def settings(self):
        ids = {"user": shutil._get_uid("nobody"), "group": shutil._get_gid("nogroup")}
        return {
            "compatibility_level": "3.6", "queue_directory": self.home / "queue",
            "data_directory": self.home / "state", "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin", "mail_owner": "postfix",
            "setgid_group": "postdrop", "maillog_file": self.home / "log",
            "maillog_file_prefixes": self.home, "myhostname": "mx.receiver.test",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "mynetworks": "127.0.0.0/8",
            "mydestination": "", "local_recipient_maps": "", "alias_maps": "",
            "smtpd_recipient_restrictions": "reject_unauth_destination",
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "virtual_mailbox_domains": "static:all", "virtual_mailbox_maps": "static:all/",
            "virtual_mailbox_base": self.home / "mail", "virtual_minimum_uid": 1,
            "virtual_uid_maps": f"static:{ids['user']}",
            "virtual_gid_maps": f"static:{ids['group']}", "virtual_mailbox_limit": 0}

    def services(self):
        rows = [(f"{self.address}:{self.port}", "inet", "smtpd"), ("cleanup", "unix", "cleanup"),
                ("qmgr", "unix", "qmgr"), ("rewrite", "unix", "trivial-rewrite"),
                ("bounce", "unix", "bounce"), ("defer", "unix", "bounce"),
                ("trace", "unix", "bounce"), ("flush", "unix", "flush"),
                ("proxymap", "unix", "proxymap"), ("error", "unix", "error"),
                ("retry", "unix", "error"), ("virtual", "unix", "virtual"),
                ("anvil", "unix", "anvil"), ("tlsmgr", "unix", "tlsmgr"),
                ("postlog", "unix-dgram", "postlogd")]
        processes = {"qmgr": 1, "anvil": 1, "tlsmgr": 1, "postlog": 1, "cleanup": 0, "bounce": 0,
                     "defer": 0, "trace": 0, "flush": 0}
        public = {"cleanup", "qmgr", "flush", "postlog"}  # sockets that clients of Postfix use
        lines = []
        for name, kind, program in rows:
            private = "n" if kind == "inet" or name in public else "-"
            unprivileged = "n" if name == "virtual" else "-"
            lines.append(f"{name} {kind} {private} {unprivileged} n - "
                         f"{processes.get(name, '-')} {program}\n")
        return "".join(lines)

    def messages(self):
        self.wait_for_queue()
        return maildir_messages(self.home / "mail" / "all")

    def wait_for_queue(self):
        """Until all that was taken has reached the maildir."""
        for _ in range(2400):
            left = sum(len(files) for folder in ("maildrop", "incoming", "active", "deferred")
                       for _, _, files in os.walk(self.home / "queue" / folder))
            if left == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"{left} messages stay in Postfix's queue: {self.home}/log")


def maildir_messages(path):
    box = mailbox.Maildir(path, create=False)
    return [box.get_bytes(key) for key in box.keys()]
