"""Reads rendered messages with Python's email package: no defects, exactly the headers that were
meant, one recipient, and the values back as they were given."""
import email
import email.policy
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unicodedata

COMMON = ["Date", "From", "To", "Subject", "Message-ID", "List-Unsubscribe",
          "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "MIME-Version", "Content-Type"]


def one_line(text):
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text).strip()


def words(text):
    return " ".join(text.split())


def check(message, expected):
    for part in message.walk():
        assert not part.defects, part.defects
        for value in part.values():
            assert not value.defects, (value, value.defects)
    multipart = expected["title"] != "plain"
    wanted = COMMON + ([] if multipart else ["Content-Transfer-Encoding"])
    assert sorted(message.keys()) == sorted(wanted), message.keys()

    addresses = message["To"].addresses
    assert [a.addr_spec for a in addresses] == ["ann@b.test"], addresses
    # Python puts a blank between two encoded words of a phrase, against RFC 2047 section 6.2.
    meant = one_line(expected["name"]).replace(" ", "")
    assert addresses[0].display_name.replace(" ", "") == meant, addresses
    assert message["From"].addresses[0].addr_spec == "news@acme.test"
    assert words(message["Subject"]) == words("Hi " + one_line(expected["first_name"]))
    assert message["Date"].datetime.isoformat() == "2026-04-02T07:00:00+00:00"
    assert re.fullmatch(r"<[0-9a-f]{32}@acme\.test>", message["Message-ID"])
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    links = re.findall(r"<([^<>]*)>", message["List-Unsubscribe"])
    assert links[0].startswith("https://u.acme.test/u/") and links[1].startswith("mailto:"), links

    text = message.get_body(("plain",)).get_content()
    name = words(expected["first_name"])
    assert name in words(text), (name, text)
    assert links[0] in text and "Springfield" in text
    if multipart:
        assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
        page = message.get_body(("html",)).get_content()
        assert html.escape(name).replace("&#x27;", "&#39;") in words(page), page
        assert 'href="%s"' % links[0] in page


def main():
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.argv[1], directory], check=True)
        files = sorted(pathlib.Path(directory).glob("*.eml"))
        assert len(files) == 30, files
        for file in files:
            octets = file.read_bytes()
            expected = json.loads(file.with_suffix(".json").read_text())
            try:
                check(email.message_from_bytes(octets, policy=email.policy.default), expected)
            except Exception:
                sys.stderr.write("%s\n%s\n" % (expected, octets.decode("ascii", "replace")))
                raise


main()
