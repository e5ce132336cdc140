"""Reads rendered messages with Python's email package: no defects, exactly the headers that were
meant, one recipient, and the values back as they were given."""
import email
import email.policy
import html
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unicodedata
import urllib.parse

COMMON = ["Date", "From", "To", "Subject", "Message-ID", "List-Unsubscribe",
          "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "MIME-Version", "Content-Type"]


def whole(text):
    """What is not UTF-8 is replaced, by us and by Python in different numbers of characters."""
    return re.sub("\ufffd+", "\ufffd", text)


def one_line(text):
    return whole("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).strip())


def words(text):
    text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    return " ".join(whole(text).split())


class Page(html.parser.HTMLParser):
    """The elements of a page, in order, and the attributes of each."""

    def __init__(self, page):
        super().__init__()
        self.elements = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))


def check_everywhere(message, page, value):
    """No value has become an element, an attribute or a part of a URL that was not its own."""
    assert words(message["X-Value"]) == words(value), message["X-Value"]
    elements = [e for e in Page(page).elements if e[0] in ("h1", "p", "img", "a", "script")]
    kinds = [(tag, sorted(attributes)) for tag, attributes in elements]
    assert kinds[:5] == [("h1", ["title"]), ("p", ["class"]), ("img", ["alt", "src"]),
                         ("a", ["href"]), ("a", ["href"])], kinds
    assert all(tag != "script" for tag, _ in kinds), kinds
    shown = [dict(attributes) for _, attributes in elements[:5]]
    assert words(shown[0]["title"]) == words(value), shown
    assert words(shown[2]["alt"]) == words(value), shown
    link = urllib.parse.urlsplit(shown[3]["href"])
    assert (link.scheme, link.netloc, link.path) == ("https", "acme.test", "/"), link
    query = urllib.parse.parse_qs(link.query, keep_blank_values=True)
    assert sorted(query) == ["c", "n"], query
    assert words(query["c"][0]) == words(value) == words(query["n"][0]), query
    assert not shown[4]["href"].lower().lstrip().startswith("javascript:"), shown
    types = [part.get_content_type() for part in message.walk()]
    assert types == ["multipart/mixed", "multipart/alternative", "text/plain", "multipart/related",
                     "text/html", "image/png", "text/csv"], types
    parts = list(message.walk())
    assert parts[5].get_content() == b"\x89PNG" and parts[5]["Content-ID"] == "<logo>"
    assert parts[6].get_filename() == "Preise für Käufer.csv", parts[6].get_filename()
    assert parts[6].get_payload(decode=True) == b"a,b\n"


def check(message, expected):
    for part in message.walk():
        assert not part.defects, part.defects
        for value in part.values():
            assert not value.defects, (value, value.defects)
    title = expected["title"]
    wanted = COMMON + (["Content-Transfer-Encoding"] if title == "plain" else [])
    wanted += ["X-Value"] if title == "everywhere" else []
    assert sorted(message.keys()) == sorted(wanted), message.keys()

    addresses = message["To"].addresses
    assert [a.addr_spec for a in addresses] == ["ann@b.test"], addresses
    # Python puts a blank between two encoded words of a phrase, against RFC 2047 section 6.2.
    meant = whole(words(expected["name"]).replace(" ", ""))
    assert whole(words(addresses[0].display_name).replace(" ", "")) == meant, addresses
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
    if title == "plain":
        return
    page = message.get_body(("related", "html")).get_content() if title != "everywhere" else [
        part for part in message.walk() if part.get_content_type() == "text/html"][0].get_content()
    assert words(html.escape(name)).replace("&#x27;", "&#39;") in words(page), page
    assert 'href="%s"' % html.escape(links[0]) in page
    if title == "everywhere":
        check_everywhere(message, page, expected["city"])
    else:
        assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]


def main():
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.argv[1], directory], check=True)
        files = sorted(pathlib.Path(directory).glob("*.eml"))
        assert len(files) == 4 * 407, len(files)
        for file in files:
            octets = file.read_bytes()
            expected = json.loads(file.with_suffix(".json").read_text())
            try:
                check(email.message_from_bytes(octets, policy=email.policy.default), expected)
            except Exception:
                sys.stderr.write("%s\n%s\n" % (expected, octets.decode("ascii", "replace")))
                raise


main()
