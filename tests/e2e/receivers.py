"""Mail servers that are not ours, each on an address and port of loopback, in a directory of its own: started with
`with`, asked for the messages they took, stopped on exit. Packages that Debian does not install side by side are run from
where tools/interop has unpacked them, in a mount namespace that gives them their users and folders: the system's stay
as they are.
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
    session_messages = 10000  # that it takes on one connection

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


# Beside the system's, for whoever is in the namespace.
PRIVATE_USERS = {"Debian-exim": 3901, "opensmtpd": 3902, "opensmtpq": 3903}
PRIVATE_FOLDERS = """set -e
mount --bind "$0/passwd" /etc/passwd
mount --bind "$0/group" /etc/group
for folder in /run /var/spool /var/lib /usr/libexec; do mount -t tmpfs none "$folder"; done
cp -a "$1/usr/libexec/opensmtpd" /usr/libexec/
mkdir -p /var/lib/opensmtpd/empty
mkdir -m 711 /var/spool/smtpd
shift
exec "$@"
"""


class Unpacked(Receiver):
    """A server out of a package that is unpacked, not installed."""
    packages = Path(__file__).resolve().parent.parent.parent / "build" / "interop"

    def run_privately(self, *command):
        for kind, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"),
                           ("group", "{0}:x:{1}:\n")):
            own = "".join(line.format(name, number) for name, number in PRIVATE_USERS.items())
            (self.home / kind).write_text(Path("/etc", kind).read_text() + own)
        self.run("unshare", "--mount", "sh", "-c", PRIVATE_FOLDERS, str(self.home),
                 str(self.packages), *command)

    def messages(self):
        return maildir_messages(self.home / "maildir")

    def wait_until_kept(self, count):
        """Until so many have reached the maildir."""
        for _ in range(6000):
            if sum(1 for _ in (self.home / "maildir" / "new").glob("*")) >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"fewer than {count} messages were kept: {self.home}")


class Exim(Unpacked):
    """Exim, every address delivered to one maildir."""
    name = "Exim"

    def __enter__(self):
        user = PRIVATE_USERS["Debian-exim"]
        for folder in ("spool", "log", "maildir"):
            (self.home / folder).mkdir()
            os.chown(self.home / folder, user, user)
        exim = self.packages / "usr/sbin/exim4"
        configuration = self.home / "exim.conf"
        configuration.write_text(f"""
exim_path = {exim}
exim_user = Debian-exim
exim_group = Debian-exim
deliver_drop_privilege
spool_directory = {self.home}/spool
log_file_path = {self.home}/log/%slog
pid_file_path = {self.home}/log/pid
local_interfaces = {self.address}
daemon_smtp_ports = {self.port}
primary_hostname = mx.receiver.test
keep_environment =
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
begin routers
all:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = {self.home}/maildir
  maildir_format
  user = Debian-exim
""")
        self.run_privately(str(exim), "-C", str(configuration), "-bdf")
        return self


class OpenSmtpd(Unpacked):
    """OpenSMTPD, every address delivered to one maildir."""
    name = "OpenSMTPD"
    session_messages = 100  # then it answers 452 to each MAIL

    def __enter__(self):
        (self.home / "maildir").mkdir()
        shutil.chown(self.home / "maildir", "nobody", "nogroup")
        configuration = self.home / "smtpd.conf"
        configuration.write_text(f"""
table everyone {{ "@" = "nobody" }}
smtp max-message-size 50M
listen on {self.address} port {self.port} hostname mx.receiver.test
action "keep" maildir "{self.home}/maildir" virtual <everyone>
match from any for any action "keep"
""")
        self.run_privately(str(self.packages / "usr/sbin/smtpd"), "-d", "-f", str(configuration))
        return self


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

    def wait_until_kept(self, _):
        self.wait_for_queue()

    def wait_for_queue(self):
        """Until all that was taken has reached the maildir."""
        for _ in range(2400):
            left = sum(len(files) for folder in ("maildrop", "incoming", "active", "deferred")
                       for _, _, files in os.walk(self.home / "queue" / folder))
            if left == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"{left} messages stay in Postfix's queue: {self.home}/log")


class PostfixTls(Postfix):
    """Postfix that takes mail over TLS alone, and says so in each message."""
    name = "Postfix with STARTTLS"

    def __enter__(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", "key.pem", "-out", "certificate.pem", "-days", "2",
                        "-subj", "/CN=mx.receiver.test", "-addext", "subjectAltName=DNS:mx.receiver.test"],
                       cwd=self.home, check=True, capture_output=True)
        return super().__enter__()

    def settings(self):
        return {**super().settings(), "smtpd_tls_security_level": "encrypt",
                "smtpd_tls_cert_file": self.home / "certificate.pem",
                "smtpd_tls_key_file": self.home / "key.pem", "smtpd_tls_received_header": "yes"}


def maildir_messages(path):
    box = mailbox.Maildir(path, create=False)
    return [box.get_bytes(key) for key in box.keys()]
