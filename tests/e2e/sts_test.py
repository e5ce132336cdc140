#!/usr/bin/env python3
"""MTA-STS (RFC 8461) by every kind of policy: served over HTTPS on loopback, kept across a restart, and told in the
words of RFC 8460. Receivers and their certificates are the sink's; `openssl` makes those of the policies' servers.

Usage: sts_test.py BINARIES
"""
import collections
import http.server
import json
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading

from world import World


def policy(mode, *hosts):
    return "".join(f"{line}\r\n" for line in ["version: STSv1", f"mode: {mode}",
                                              *(f"mx: {host}" for host in hosts), "max_age: 604800"])


# Policy served (None: no record; a number: that HTTP status), receiver's TLS, whether mail comes and how, and a result
# that must be counted (policy type, result).
KINDS = [
    (policy("enforce", "mx.d0.test"), "valid", "tls", ("sts", "success")),
    (policy("enforce", "mx.d1.test"), "selfsigned", None, ("sts", "certificate-not-trusted")),
    (policy("enforce", "mx.else.test"), "valid", None, ("sts", "validation-failure")),
    (policy("testing", "mx.d3.test"), "selfsigned", "tls", ("sts", "certificate-not-trusted")),
    (policy("none"), "selfsigned", "tls", ("no-policy-found", "success")),
    (None, "selfsigned", "tls", ("no-policy-found", "success")),
    (404, "selfsigned", "tls", ("sts", "sts-policy-fetch-error")),
    ("<html>welcome</html>", "selfsigned", "tls", ("sts", "sts-policy-invalid")),
    (policy("enforce", "mx.else.test"), "selfsigned", "tls", ("sts", "sts-webpki-invalid")),
    (301, "selfsigned", "tls", ("sts", "sts-policy-fetch-error")),
    (policy("enforce", "mx.d10.test"), "off", None, ("sts", "starttls-not-supported")),
    (policy("enforce", "mx.else.test"), "selfsigned", "tls", ("tlsa", "success")),
    (policy("enforce", "*.d12.test"), "valid", "tls", ("sts", "success")),
    (policy("enforce", "mx.d13.test"), "wrongname", None, ("sts", "certificate-host-mismatch")),
    (policy("enforce", "mx.d14.test"), "expired", None, ("sts", "certificate-expired")),
]
WRONG_CERTIFICATE, WITH_DANE = 8, 11
OFFERS = ["PIPELINING", "CHUNKING", "8BITMIME", "SIZE 10485760", "ENHANCEDSTATUSCODES"]
PROFILE = {"domains": [{"match": f"{prefix}d{i}.test", "tls": tls, "offers": OFFERS,
                        **({"sts": f"id{i}"} if served is not None else {}),
                        **({"dane": "ok"} if i == WITH_DANE else {})}
                       for i, (served, tls, _, _) in enumerate(KINDS) for prefix in ("", "mx.")] +
           [{"match": "*"}]}
EACH = 10
LIMITS = {"site_retry": "1s", "site_retry_max": "1s"}


def address_of(dns, name):
    """By one question over UDP; the sink's answer ends with the address."""
    server, port = dns.rsplit(":", 1)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + labels + struct.pack(">xHH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(10)
        asker.sendto(question, (server, int(port)))
        return socket.inet_ntoa(asker.recv(512)[-4:])


def make_certificate(home, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}"], cwd=home, check=True, capture_output=True)
    return (home / f"{name}.pem").read_text()


class Policies:
    """One HTTPS server a domain, each at the address that the sink's DNS gives it, all at one port."""

    def __init__(self, world):
        self.asked = collections.Counter()
        self.port, self.servers, self.authorities = 0, [], ""
        for number, (served, _, _, _) in enumerate(KINDS):
            if served is not None:
                self.serve(world, number, served)

    def serve(self, world, number, served):
        name = f"mta-sts.d{number}.test"
        proved = name if number != WRONG_CERTIFICATE else "mta-sts.else.test"
        self.authorities += make_certificate(world.home, proved)
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked[number] += 1
                assert self.path == "/.well-known/mta-sts.txt" and \
                    self.headers["Host"].split(":")[0] == name, (self.path, self.headers["Host"])
                self.send_response(served if isinstance(served, int) else 200)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Location", "https://mta-sts.d0.test/")
                self.end_headers()
                if isinstance(served, str):
                    self.wfile.write(served.encode())

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer((address_of(world.dns, name), self.port), Handler)
        self.port = server.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(world.home / f"{proved}.pem", world.home / f"{proved}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        server.handle_error = lambda *of: None  # who refuses the certificate leaves
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


def came(world):
    """Domain number -> whether each message came over TLS."""
    found = collections.defaultdict(list)
    if world.ledger.exists():
        for line in world.ledger.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                entry = json.loads(line)
                found[int(entry["recipient"].split("@d")[1].split(".")[0])].append(entry["tls"])
    return found


def results(world):
    counts = collections.Counter()
    for line in world.run("tls-results", "--json").splitlines():
        row = json.loads(line)
        for result, count in row["results"].items():
            counts[(int(row["domain"][1:].split(".")[0]), row["policy"], result)] += count
    return counts


def send_until(world, name, done):
    """Sends a new campaign until `done` says so; by then some still wait."""
    path = world.campaign(name, EACH * len(KINDS), len(KINDS))
    sending = subprocess.Popen(world.command("send", path, "--json", "--quiet"), cwd=world.home,
                               stdout=subprocess.DEVNULL)
    while sending.poll() is None and not done():  # ctest's time limit ends it
        pass
    sending.send_signal(signal.SIGINT)
    sending.wait(200)
    assert sending.returncode == 3, sending.returncode


def main() -> int:
    served = [i for i, kind in enumerate(KINDS) if kind[2]]
    expected = [(i, *kind[3]) for i, kind in enumerate(KINDS)]
    with World(sys.argv[1], PROFILE, ["--ca", "ca.pem"]) as world:
        policies = Policies(world)
        (world.home / "trusted.pem").write_text((world.home / "ca.pem").read_text() + policies.authorities)
        world.config({"tls": {"ca_file": "trusted.pem", "mta_sts_port": policies.port}, "limits": LIMITS,
                      "dns": {"retry": "1s"}})

        def all_is_told():
            return all(len(came(world)[i]) >= EACH for i in served) and \
                not set(expected) - set(results(world))

        send_until(world, "first", all_is_told)
        for i, (_, _, how, _) in enumerate(KINDS):
            assert came(world)[i] == [how == "tls"] * (EACH if how else 0), (i, KINDS[i], came(world)[i])
        asked = dict(policies.asked)
        assert all(asked.get(i, 0) == 1 for i in (0, 1, 2, 3, 4, 12)), asked
        policies.stop()
        # What was fetched holds in the next process, without its server and without another question.
        send_until(world, "second", lambda: all(len(came(world)[i]) >= 2 * EACH for i in served))
        for i in (1, 2, 10, 13, 14):
            assert not came(world)[i], (i, came(world)[i])
        assert world.stop_sink()["duplicates"] == 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
