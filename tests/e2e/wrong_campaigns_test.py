#!/usr/bin/env python3
"""Wrong campaign files and wrong lists, each given to the real program: exit code 2, the fault with its code at
its place, and nothing queued. No sink, no network: nothing gets that far.

Usage: wrong_campaigns_test.py BINARIES
"""
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

GOOD = {"version": 1, "id": "wrong", "kind": "transactional", "from": "Acme <news@acme.test>",
        "subject": "Hello", "text": "Hello\n", "recipients": {"file": "list.csv"}}
LIST = b"email,plan,score\nann@x.test,pro,1\nbob@y.test,free,2\n"
DEEP = "(" * 65 + "true" + ")" * 65

# Members over GOOD (None takes one away), the code, the JSON pointer.
FILES = [
    ({"segment": "vars.plan = 'pro'"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan == 'pro"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan == pro"}, "segment_unknown_field", "/segment"),
    ({"segment": "vars.plam == 'pro'"}, "segment_unknown_field", "/segment"),
    ({"segment": "plan == 'pro'"}, "segment_unknown_field", "/segment"),
    ({"segment": "vars.plan == 'pro' and vars.scor > 1"}, "segment_unknown_field", "/segment"),
    ({"segment": "not sent('no-such')"}, "segment_unknown_field", "/segment"),
    ({"segment": "bounced('no-such')"}, "segment_unknown_field", "/segment"),
    ({"segment": "clicked('winter')"}, "unsupported", "/segment"),
    ({"segment": "opened('winter') or true"}, "unsupported", "/segment"),
    ({"segment": DEEP}, "range", "/segment"),
    ({"segment": "true " + "or true " * 20000}, "range", "/segment"),
    ({"segment": "vars.plan in [" + "1," * 20000 + "1]"}, "range", "/segment"),
    ({"segment": "vars.plan ~ '(a'"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan ~ '(?=a)'"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan ~ '((x{99}){99}){99}'"}, "segment_syntax", "/segment"),
    ({"segment": "days_ago(-1) < now()"}, "segment_syntax", "/segment"),
    ({"segment": "days_ago(1e9) < now()"}, "segment_syntax", "/segment"),
    ({"segment": "bucket(1, 0, 's')"}, "segment_syntax", "/segment"),
    ({"segment": "bucket(1, 2, 3)"}, "segment_syntax", "/segment"),
    ({"segment": "email"}, "segment_syntax", "/segment"),
    ({"segment": "email == "}, "segment_syntax", "/segment"),
    ({"segment": "== 'x'"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan == 'a' 'b'"}, "segment_syntax", "/segment"),
    ({"segment": "vars..plan == 'a'"}, "segment_syntax", "/segment"),
    ({"segment": "vars[plan] == 'a'"}, "segment_syntax", "/segment"),
    ({"segment": "vars['plan' == 'a'"}, "segment_syntax", "/segment"),
    ({"segment": "not"}, "segment_syntax", "/segment"),
    ({"segment": "()"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan == 'a' # and"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan; drop"}, "segment_syntax", "/segment"),
    ({"segment": "vars.plan == \u0000"}, "segment_syntax", "/segment"),
    ({"segment": ["vars.plan"]}, "type", "/segment"),
    ({"segment": True}, "type", "/segment"),
    ({"segment": "vars.plan == 'gold'"}, "recipients_empty", "/recipients"),
    ({"exclude": ["*@x.test", "*@y.test"]}, "recipients_empty", "/recipients"),
    ({"exclude": ["nowhere.csv"]}, "file_missing", "/exclude/0"),
    ({"exclude": ["*@"]}, "bad_address", "/exclude/0"),
    ({"exclude": ["a b@x.test"]}, "bad_address", "/exclude/0"),
    ({"exclude": [3]}, "type", "/exclude/0"),
    ({"exclude": "list.csv"}, "type", "/exclude"),
    ({"recipients": {"file": "list.csv", "priority": "scor"}}, "list_columns", "/recipients/priority"),
    ({"recipients": {"file": "list.csv", "priority": ["score"]}}, "type", "/recipients/priority"),
    ({"recipients": {"file": "list.csv", "columns": {"email": "E-Mail"}}}, "list_columns", "/recipients/file"),
    ({"recipients": {"file": "list.csv", "columns": {"name": "who"}}}, "list_columns", "/recipients/file"),
    ({"recipients": {"file": "list.csv", "limit": 0}}, "range", "/recipients/limit"),
    ({"recipients": {"file": "list.csv", "limit": -5}}, "range", "/recipients/limit"),
    ({"recipients": {"file": "list.csv", "delimiter": "::"}}, "enum", "/recipients/delimiter"),
    ({"recipients": {"file": "list.csv", "format": "xlsx"}}, "enum", "/recipients/format"),
    ({"recipients": {"file": "list.csv", "invalid": "drop"}}, "enum", "/recipients/invalid"),
    ({"recipients": {"file": "list.csv", "max_invalid_percent": 101}}, "range",
     "/recipients/max_invalid_percent"),
    ({"recipients": {"file": "../list.csv"}}, "file_outside", "/recipients/file"),
    ({"recipients": {"file": "/etc/passwd", "format": "csv"}}, "file_outside", "/recipients/file"),
    ({"recipients": {"file": "."}}, "required", "/recipients/file"),
    ({"recipients": {"file": "list.xlsx"}}, "required", "/recipients/file"),
    ({"recipients": {"file": "list.csv", "filter": "x"}}, "unknown_field", "/recipients/filter"),
    ({"recipients": "list.csv"}, "type", "/recipients"),
    ({"recipients": []}, "recipients_empty", "/recipients"),
    ({"recipients": ["ann at x.test"]}, "bad_address", "/recipients/0"),
    ({"recipients": ["Ann <ann@x.test>, Bob <bob@y.test>"]}, "bad_address", "/recipients/0"),
    ({"recipients": ["ann@x.test\nBcc: bob@y.test"]}, "bad_address", "/recipients/0"),
    ({"recipients": [{"email": "ann@localhost"}]}, "bad_address", "/recipients/0/email"),
    ({"recipients": [{"name": "Ann"}]}, "required", "/recipients/0"),
    ({"recipients": [{"email": "ann@x.test", "name": "A\r\nBcc: x@y.test"}]}, "header_injection",
     "/recipients/0/name"),
    ({"recipients": [{"email": "ann@x.test", "attribs": {}}]}, "unknown_field", "/recipients/0/attribs"),
    ({"recipients": [7]}, "type", "/recipients/0"),
    ({"variants": []}, "range", "/variants"),
    ({"variants": [{"name": "A"}] * 101}, "range", "/variants"),
    ({"variants": [{}]}, "required", "/variants/0"),
    ({"variants": [{"name": ""}]}, "range", "/variants/0/name"),
    ({"variants": [{"name": "A\n"}]}, "range", "/variants/0/name"),
    ({"variants": [{"name": "A"}, {"name": "A"}]}, "conflict", "/variants/1/name"),
    ({"variants": [{"name": "A", "weight": 0}]}, "range", "/variants"),
    ({"variants": [{"name": "A", "weight": -1}]}, "range", "/variants/0/weight"),
    ({"variants": [{"name": "A", "weight": "1"}]}, "type", "/variants/0/weight"),
    ({"variants": [{"name": "A", "subject": ""}]}, "required", "/variants/0/subject"),
    ({"variants": [{"name": "A", "subject": "x\r\nBcc: y@z.test"}]}, "header_injection",
     "/variants/0/subject"),
    ({"variants": [{"name": "A", "from": "x"}]}, "bad_address", "/variants/0/from"),
    ({"variants": [{"name": "A", "html_file": "no.html"}]}, "file_missing", "/variants/0/html_file"),
    ({"variants": [{"name": "A", "text": "Hi {{nobody}}"}]}, "template_unknown_var", "/variants/0/text"),
    ({"variants": [{"name": "A", "subject": "{{#open}}"}]}, "template_syntax", "/variants/0/subject"),
    ({"variants": [{"name": "A", "text": "auto"}]}, "conflict", "/variants/0/text"),
    ({"variants": {"A": {}}}, "type", "/variants"),
    ({"ab_test": {"sample_percent": 20}}, "unsupported", "/ab_test"),
    ({"schedule": {"send_at": "2020-01-01T00:00:00Z"}}, "schedule_past", "/schedule/send_at"),
    ({"schedule": {"send_at": "2020-01-01T00:00", "timezone": "Asia/Tokyo"}}, "schedule_past",
     "/schedule/send_at"),
    ({"schedule": {"send_at": "tomorrow"}}, "bad_time", "/schedule/send_at"),
    ({"schedule": {"send_at": "2036-02-30T09:00:00Z"}}, "bad_time", "/schedule/send_at"),
    ({"schedule": {"send_at": 1775000000}}, "type", "/schedule/send_at"),
    ({"schedule": {"send_at": "2040-01-01T00:00:00Z"}}, "range", "/schedule/send_at"),
    ({"schedule": {"timezone": "CEST/Vienna"}}, "bad_time", "/schedule/timezone"),
    ({"schedule": {"windows": [{"days": "weekdays", "start": "08:00", "end": "18:00"}]}}, "bad_time",
     "/schedule/windows/0/days"),
    ({"schedule": {"windows": [{"start": "08:00", "end": "25:00"}]}}, "bad_time",
     "/schedule/windows/0/end"),
    ({"schedule": {"windows": [{"start": "08:00"}]}}, "required", "/schedule/windows/0"),
    ({"schedule": {"windows": {"start": "08:00", "end": "18:00"}}}, "type", "/schedule/windows"),
    ({"schedule": {"max_lateness": "-1h"}}, "bad_duration", "/schedule/max_lateness"),
    ({"schedule": "at once"}, "type", "/schedule"),
    ({"segmet": "true"}, "unknown_field", "/segmet"),
    ({"Schedule": {}}, "unknown_field", "/Schedule"),
]

# Name and bytes of the list, the code; the campaign names it.
LISTS = [
    ("empty.csv", b"", "list_columns"),
    ("header.csv", b"email,plan\n", "recipients_empty"),
    ("no-email.csv", b"mail,plan\nann@x.test,pro\n", "list_columns"),
    ("two.csv", b"email,plan,plan\nann@x.test,1,2\n", "list_columns"),
    ("two-emails.csv", b"email,email\nann@x.test,bob@x.test\n", "list_columns"),
    ("quote.csv", b'email,plan\nann@x.test,"pro\n' + b"x" * 100, "list_syntax"),
    ("utf16.csv", "email,plan\nann@x.test,pro\n".encode("utf-16"), "list_syntax"),
    ("latin1.csv", "email,plan\nann@x.test,Grün\n".encode("latin-1"), "too_many_invalid"),
    ("nul.csv", b"email,plan\nann\0@x.test,pro\n", "too_many_invalid"),
    ("long.csv", b"email,plan\nann@x.test," + b"x" * (2 << 20) + b"\n", "list_syntax"),
    ("all-bad.csv", b"email\nann\nbob\n", "too_many_invalid"),
    ("half-bad.csv", b"email\nann@x.test\nbob\n", "too_many_invalid"),
    ("json.csv", b"email,data:json\nann@x.test,{oops\n", "too_many_invalid"),
    ("fields.csv", b"email,plan\nann@x.test,a,b,c\n", "too_many_invalid"),
    ("header-injection.csv", b'email\n"ann@x.test\r\nBcc: bob@y.test"\n', "too_many_invalid"),
    ("two-addresses.csv", b'email\n"ann@x.test, bob@y.test"\n', "too_many_invalid"),
    ("not-gzip.csv.gz", b"email\nann@x.test\n" * 3, None),  # zlib passes plain bytes on: it is read
    ("cut.csv.gz", gzip.compress(b"email\n" + b"ann@x.test\n" * 5000)[:-20], "list_syntax"),
    ("garbage.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0garbage that is no deflate stream", "list_syntax"),
    ("empty.ndjson", b"", "recipients_empty"),
    ("array.ndjson", b'["ann@x.test"]\n', "too_many_invalid"),
    ("no-email.ndjson", b'{"mail":"ann@x.test"}\n', "too_many_invalid"),
    ("number.ndjson", b'{"email":7}\n', "too_many_invalid"),
    ("cut.ndjson", b'{"email":"ann@x.test","plan":"pro"\n', "too_many_invalid"),
    ("twice.ndjson", b'{"email":"ann@x.test","a":1,"a":2}\n', "too_many_invalid"),
    ("deep.ndjson", b'{"email":"ann@x.test","a":' + b"[" * 100 + b"]" * 100 + b"}\n", "too_many_invalid"),
    ("surrogate.ndjson", b'{"email":"ann@x.test","a":"\\ud800"}\n', "too_many_invalid"),
    ("long.ndjson", b'{"email":"ann@x.test","a":"' + b"x" * (2 << 20) + b'"}\n', "list_syntax"),
]


class Trial:
    def __init__(self, binaries: str, home: Path):
        self.posthorn = str(Path(binaries).resolve() / "posthorn")
        self.home = home
        self.failures = []
        (home / "posthorn.json").write_text(json.dumps({"ehlo": "mta.test",
                                                         "dns": {"servers": ["127.0.0.1:9"]}}))

    def run(self, *arguments):
        return subprocess.run([self.posthorn, *arguments], cwd=self.home, capture_output=True, text=True,
                              timeout=60, check=False)

    def expect(self, what, campaign, code, pointer=None):
        path = self.home / "wrong.json"
        path.write_text(json.dumps(campaign))
        try:
            sent = self.run("send", str(path), "--json", "--quiet")
        except subprocess.TimeoutExpired:  # it is being delivered
            self.failures.append(f"{what}: not refused, wanted {code} at {pointer}")
            return
        text = sent.stdout + sent.stderr
        problem = [line for line in text.splitlines() if f"error {code}:" in line or f'"code":"{code}"' in line]
        place = pointer is None or any(f"[{pointer}]" in line or f'"path":"{pointer}"' in line
                                       for line in problem)
        if sent.returncode != 2 or not problem or not place or "Sanitizer" in text:
            self.failures.append(f"{what}: exit {sent.returncode}, wanted {code} at {pointer}:\n{text[:1500]}")

    def nothing_queued(self):
        status = json.loads(self.run("status", "--json").stdout)
        if status["campaigns"]:
            self.failures.append(f"queued: {status['campaigns']}")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="posthorn-wrong-") as directory:
        trial = Trial(sys.argv[1], Path(directory))
        (trial.home / "list.csv").write_bytes(LIST)
        cases = 0
        for members, code, pointer in FILES:
            campaign = {k: v for k, v in {**GOOD, **members}.items() if v is not None}
            trial.expect(str(members)[:100], campaign, code, pointer)
            cases += 1
        for name, content, code in LISTS:
            if code is None:
                continue
            (trial.home / name).write_bytes(content)
            trial.expect(name, {**GOOD, "recipients": {"file": name}}, code)
            cases += 1
        trial.nothing_queued()
        for failure in trial.failures:
            print(failure)
        print(f"{cases} wrong campaigns and lists, {len(trial.failures)} not refused as they should be")
        return 1 if trial.failures or cases < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
