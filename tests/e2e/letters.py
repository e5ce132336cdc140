"""A campaign whose messages are hard to carry (scripts, emoji, dots at line starts, long lines), and the check that a
message arrived as it was meant."""
import email
import email.policy

NAMES = ["Ann", "Ёлка Иванова", "山田 太郎", "محمد علي", "Zoë Ñandú", "A \"quoted\", name", "😀 Smile",
         "Bcc: x@y.test"]

# Keys of the campaign file; to be given to World.campaign().
LETTER = {
    "kind": "marketing",
    "subject": "Grüße {{first_name}} 🎉 " + "and a long subject that has to be folded " * 3,
    "html": "<p>Dear {{first_name}},</p>\n<p>" + "a very long line " * 90 + "</p>\n.\n<p>.dot</p>",
    "text": "Dear {{first_name}},\n.\n..two\n" + "x" * 1500 + "\n",
    "compliance": {"physical_address": "Acme, 1 Main St, Springfield",
                   "unsubscribe": {"url": "https://u.acme.test/{{unsubscribe_token}}",
                                   "one_click": True}}}


def write_list(path, recipients, domains):
    """user0@d0.test, user1@d1.test, … with the names above in turn."""
    with open(path, "w", encoding="utf-8") as rows:
        rows.write("email,first_name\n")
        for i in range(recipients):
            name = NAMES[i % len(NAMES)].replace('"', '""')
            rows.write(f'user{i}@d{i % domains}.test,"{name}"\n')


def parse(octets):
    """The message, once Python's email package finds no defect in any part of it."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    for part in message.walk():
        assert not part.defects, part.defects
    return message


def check(message):
    """Holds a parsed message of LETTER to what was meant; the name that it greets."""
    assert message["Subject"].startswith("Grüße"), message["Subject"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len(message["To"].addresses) == 1 and message["Bcc"] is None
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "\n.\n..two\n" in text and "x" * 1500 in text, text[:200]
    assert "Springfield" in text and "https://u.acme.test/" in text
    html = message.get_body(("html",)).get_content().replace("\r\n", "\n")
    assert "a very long line " * 90 in html and "<p>.dot</p>" in html
    greeted = [name for name in NAMES if text.startswith(f"Dear {name},")]
    assert len(greeted) == 1, text[:80]
    return greeted[0]
