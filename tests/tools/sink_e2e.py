#!/usr/bin/python3
"""posthorn-sink from outside: the program on free ports of the loopback, SMTP by smtplib, DNS by hand.

Usage: sink_e2e.py POSTHORN-SINK
"""
import json
import os
import signal
import smtplib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest

SINK = sys.argv.pop(1)
MESSAGE = b"From: a@x.test\r\nMessage-ID: <%s@x.test>\r\n\r\n.dots\r\n..\r\n"


class Sink:
    """A sink that runs within `with`; its books are read at the end."""

    def __init__(self, profile=None, *options):
        self.folder = tempfile.TemporaryDirectory()
        if profile is not None:
            self.write("profile.json", json.dumps(profile))
            options += ("--profile", self.path("profile.json"))
        self.command = [SINK, "--smtp", "127.0.0.1:0", "--dns", "127.0.0.1:0",
                        "--ledger", self.path("ledger"), "--summary", self.path("summary"),
                        "--save", self.path("saved"), "--ca", self.path("ca.pem"), *options]

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        assert words and words[0] == "ready", words
        ports = dict(word.split("=") for word in words[1:])
        self.smtp_port = int(ports["smtp"].split(":")[1])
        self.dns_port = int(ports["dns"].split(":")[1])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(20)
        self.process.stdout.close()
        with open(self.path("ledger")) as file:
            self.ledger = [json.loads(line) for line in file]
        with open(self.path("summary")) as file:
            self.summary = json.load(file)
        self.saved = sorted(os.listdir(self.path("saved")))
        self.first_saved = b""
        if self.saved:
            with open(os.path.join(self.path("saved"), self.saved[0]), "rb") as file:
                self.first_saved = file.read()
        self.folder.cleanup()

    def smtp(self, host="127.0.0.1"):
        return smtplib.SMTP(host, self.smtp_port, local_hostname="client.test", timeout=30)

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.smtp_port), timeout=30)


def one_domain(**keys):
    return {"domains": [{"match": "*", **keys}]}


def question(name, kind):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", 77, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def read_all(connection):
    """Until the end, or None if the connection was reset."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        return None
    return received


class SinkTest(unittest.TestCase):
    def test_what_is_accepted_is_in_ledger_summary_and_folder(self):
        with Sink() as sink:
            with sink.smtp() as client:
                client.sendmail("a@x.test", ["b@y.test", "c@z.test"], MESSAGE % b"1")
                client.sendmail("a@x.test", ["b@y.test"], MESSAGE % b"1")
                client.sendmail("a@x.test", ["c@z.test"], MESSAGE % b"2")
        self.assertEqual(sink.status, 0)
        self.assertEqual([(entry["recipient"], entry["message_id"]) for entry in sink.ledger],
                         [("b@y.test", "<1@x.test>"), ("c@z.test", "<1@x.test>"),
                          ("b@y.test", "<1@x.test>"), ("c@z.test", "<2@x.test>")])
        self.assertEqual(sink.ledger[0]["sender"], "a@x.test")
        self.assertEqual(sink.ledger[0]["tls"], False)
        self.assertEqual(sink.summary["accepted"], 4)
        self.assertEqual(sink.summary["distinct_recipients"], 2)
        self.assertEqual(sink.summary["duplicates"], 1)
        self.assertEqual(sink.summary["domains"]["y.test"]["accepted"], 2)
        self.assertEqual(sink.summary["replies"]["dot"], {"250": 3})
        self.assertEqual(sink.saved, ["1-1.eml", "1-2.eml", "1-3.eml"])
        self.assertEqual(sink.first_saved, MESSAGE % b"1")

    def test_dns_leads_to_a_host_of_its_own_over_udp_and_tcp(self):
        with Sink() as sink:
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.settimeout(30)
            udp.sendto(question("mx.y.test", 1), ("127.0.0.1", sink.dns_port))
            answer = udp.recv(1000)
            udp.close()
            with socket.create_connection(("127.0.0.1", sink.dns_port), timeout=30) as tcp:
                query = question("mx.y.test", 1)
                tcp.sendall(struct.pack(">H", len(query)) + query[:5])
                tcp.sendall(query[5:])
                length, = struct.unpack(">H", tcp.recv(2))
                self.assertEqual(tcp.recv(length), answer)
            address = socket.inet_ntoa(answer[-4:])
            self.assertTrue(address.startswith("127."), address)
            with sink.smtp(address) as client:
                client.sendmail("a@x.test", ["b@y.test"], MESSAGE % b"1")
        self.assertEqual(list(sink.summary["mx_hosts"]), ["mx.y.test"])

    def test_valid_certificates_are_for_the_mx_host_and_of_the_authority(self):
        with Sink(one_domain(tls="valid")) as sink:
            context = ssl.create_default_context(cafile=sink.path("ca.pem"))
            with sink.smtp() as client:
                client.starttls(context=context)
                client.sendmail("a@x.test", ["b@y.test"], MESSAGE % b"1")
                client.docmd("QUIT")
                client.sock.suppress_ragged_eofs = False  # an end without close_notify raises
                self.assertEqual(client.sock.recv(1), b"")
                client.close()
        self.assertEqual([entry["tls"] for entry in sink.ledger], [True])

    def test_certificates_that_are_not_valid_are_refused_by_a_client_that_looks(self):
        for mode in ["selfsigned", "expired", "wrongname", "broken"]:
            with self.subTest(mode), Sink(one_domain(tls=mode)) as sink:
                context = ssl.create_default_context(cafile=sink.path("ca.pem"))
                client = sink.smtp()
                with self.assertRaises(ssl.SSLError):
                    client.starttls(context=context)
                client.close()

    def test_a_fault_in_place_of_a_reply_ends_the_connection_its_own_way(self):
        for kind, at_end in [("reset", None), ("close", b"")]:
            with self.subTest(kind):
                fault = [{"kind": kind, "stage": "connect"}]
                with Sink(one_domain(faults=fault)) as sink:
                    with sink.socket() as connection:
                        self.assertEqual(read_all(connection), at_end)
                self.assertEqual(sink.summary["sessions"], 1)

    def test_a_message_dropped_after_its_dot_is_in_the_ledger(self):
        with Sink(one_domain(faults=[{"kind": "after_dot"}])) as sink:
            client = sink.smtp()
            with self.assertRaises(smtplib.SMTPServerDisconnected):
                client.sendmail("a@x.test", ["b@y.test"], MESSAGE % b"1")
        self.assertEqual(len(sink.ledger), 1)

    def test_garbage_extra_and_early_replies_are_said(self):
        for kind, expected in [("garbage", b"is no reply --\r\n250"), ("extra", b"one reply more"),
                               ("early", b"STATUSCODES\r\n250 2.0.0 OK\r\n221")]:
            with self.subTest(kind), Sink(one_domain(faults=[{"kind": kind, "stage": "ehlo"}])) as sink:
                with sink.socket() as connection:
                    connection.sendall(b"EHLO c.test\r\nMAIL FROM:<a@x.test>\r\nQUIT\r\n")
                    self.assertIn(expected, read_all(connection))

    def test_who_has_been_told_goodbye_takes_no_connection_any_more(self):
        with Sink(one_domain(limits={"connections": 1})) as sink:
            for _ in range(20):
                client = sink.smtp()
                client.docmd("QUIT")
                with sink.smtp() as another:  # while the first has not closed yet
                    self.assertEqual(another.noop()[0], 250)
                    with self.assertRaises(smtplib.SMTPConnectError):
                        sink.smtp()
                client.close()

    def test_a_body_fault_strikes_within_the_message(self):
        with Sink(one_domain(faults=[{"kind": "close", "stage": "body"}])) as sink:
            client = sink.smtp()
            with self.assertRaises(smtplib.SMTPServerDisconnected):
                client.sendmail("a@x.test", ["b@y.test"], MESSAGE % b"1")
        self.assertEqual(sink.ledger, [])

    def test_dripped_and_delayed_replies_arrive_whole(self):
        faults = [{"kind": "drip", "stage": "ehlo", "delay_s": 0.001}]
        with Sink(one_domain(faults=faults, latency_ms=[1, 3]), "--rtt", "5") as sink:
            with sink.smtp() as client:
                client.sendmail("a@x.test", ["b@y.test"], MESSAGE % b"1")
        self.assertEqual(sink.summary["accepted"], 1)

    def test_pipelined_messages_take_one_round_trip(self):
        message = b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nBDAT 3 LAST\r\na\r\n"
        with Sink() as sink:
            with sink.socket() as connection:
                reader = connection.makefile("rb")
                reader.readline()
                connection.sendall(b"EHLO c.test\r\n" + message * 10 + b"QUIT\r\n")
                self.assertEqual(reader.read().count(b"250 2.0.0 OK"), 30)
        self.assertEqual(sink.summary["messages"], 10)
        self.assertLessEqual(sink.summary["round_trips_per_message"], 0.2)

    def test_what_is_wrong_with_an_invocation_is_told_with_exit_code_2(self):
        for options, said in [(["--profile", "hostil"], "did you mean hostile?"),
                              (["--smtp", "nowhere"], "is no IPv4 address and port"),
                              (["--smtp", "192.0.2.1:25"], "in 127/8 alone"),
                              (["--no-such-option"], "--no-such-option")]:
            with self.subTest(options):
                run = subprocess.run([SINK, *options], capture_output=True, text=True)
                self.assertEqual(run.returncode, 2)
                self.assertIn(said, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
