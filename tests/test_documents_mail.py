"""What is read of mail: single messages and mailboxes."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
from documents import places, read_here
from hypothesis import given
from hypothesis import strategies as st

from pplx_local.documents import Reader
from pplx_local.documents.formats import About
from pplx_local.documents.formats.mail.encoded_words import decode_words
from pplx_local.documents.formats.mail.mail import _messages
from pplx_local.errors import Unreadable, Unsupported

Read = Callable[[str, bytes], tuple[str, About]]
MAY = date(2024, 5, 17)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(name: str, data: bytes) -> tuple[str, About]:
        path = tmp_path / name
        path.write_bytes(data)
        text, about, _ = read_here(path)
        return text, about

    return read


def letter(subject: str = "The roof", body: str = "It leaks.\n") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Zoë Weiß <zoe@example.org>"
    message["To"] = "Jan Novák <jan@example.org>"
    message["Date"] = "Fri, 17 May 2024 09:00:00 +0200"
    message.set_content(body)
    return message


def test_a_message_is_its_head_its_words_and_the_names_of_its_attachments(
    read: Read,
) -> None:
    message = letter("Dach: Größe 日本語")
    message.add_attachment(
        b"%PDF", maintype="application", subtype="pdf", filename="ü.pdf"
    )
    message.add_attachment("secret", filename="notes.txt")
    text, about = read("a.eml", message.as_bytes())
    assert text == (
        "Subject: Dach: Größe 日本語\nFrom: Zoë Weiß <zoe@example.org>\n"
        "To: Jan Novák <jan@example.org>\nDate: Fri, 17 May 2024 09:00:00 +0200\n\n"
        "It leaks.\n\nAttachments: ü.pdf, notes.txt\n"
    )
    assert (about.title, about.day) == ("Dach: Größe 日本語", MAY)
    assert about.metadata == {"author": "Zoë Weiß <zoe@example.org>"}


def test_words_in_two_forms_are_read_once(read: Read) -> None:
    message = letter()
    message.add_alternative("<p>It <b>leaks</b>.</p>", subtype="html")
    assert read("a.eml", message.as_bytes())[0].count("leaks") == 1


def test_html_is_read_where_the_plain_text_only_points_to_it(read: Read) -> None:
    message = letter(body="See the web page.\n")
    message.add_alternative("<p>It leaks, " + "and leaks " * 20, subtype="html")
    page = message.get_payload(1)
    page.add_related(b"GIF", maintype="image", subtype="gif", cid="<1>")
    text = read("a.eml", message.as_bytes())[0]
    assert "It leaks, and leaks" in text
    assert "web page" not in text
    assert "Attachments" not in text


def test_an_invitation_is_read_as_its_words(read: Read) -> None:
    message = letter(body="Come on Friday.\n")
    event = "BEGIN:VCALENDAR\nSUMMARY:The long\n est day\nEND:VCALENDAR\n"
    message.add_alternative(event * 9, subtype="calendar")
    assert "VCALENDAR" not in read("a.eml", message.as_bytes())[0]
    alone = b"Content-Type: text/calendar\n\n" + event.encode()
    assert "SUMMARY:The longest day" in read("a.eml", alone)[0]


def test_a_web_archive_is_its_page(read: Read) -> None:
    archive = EmailMessage()
    archive["From"] = "<Saved by Blink>"
    archive["Subject"] = "A page"
    archive.set_content("<p>Some words</p>", subtype="html")
    archive.add_related("p {color: red}", subtype="css", cid="<css>")
    archive.add_related(b"GIF", maintype="image", subtype="gif", cid="<gif>")
    text, about = read("a.mhtml", archive.as_bytes())
    assert text == "Subject: A page\n\nSome words\n"
    assert (about.title, about.metadata) == ("A page", {})


def test_another_file_by_the_name_of_mail_is_no_message(read: Read) -> None:
    for name in ("a.eml", "a.mbox"):
        with pytest.raises(Unsupported, match="ZIP archive"):
            read(name, b"PK\3\4" + bytes(range(256)))


def test_a_forwarded_message_is_a_place(read: Read) -> None:
    outer, inner = letter("Fwd", "See below.\n"), letter("Inner words")
    inner.add_attachment(letter("Innermost"))
    outer.add_attachment(inner)
    text, about = read("a.eml", outer.as_bytes())
    assert [(kind, label) for kind, label, _ in places(text, about)] == [
        ("message", "Inner words, 2024-05-17"),
        ("message", "Innermost, 2024-05-17"),
    ]
    assert places(text, about)[0][2].startswith("Subject: Inner words\n")
    assert about.title == "Fwd"


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("iso-8859-1", "Größe “Zitat”".encode("cp1252")),
        ("gb2312", "今天的天气很好。朱镕基".encode("gb18030")),
        ("x-nope", "Größe und Maß".encode()),
        ("us-ascii", "Größe, naïve façade".encode("latin-1")),
        ("utf-7", b"Gr+APYA3w-e"),
        ("koi8-r", "Привет, мир".encode("koi8-r")),
    ],
)
def test_a_body_in_any_charset_is_read(read: Read, charset: str, body: bytes) -> None:
    head = f"Content-Type: text/plain; charset={charset}\n\n".encode()
    text = read("a.eml", b"Subject: a\n" + head + body)[0]
    decoded = {
        "iso-8859-1": "Größe “Zitat”",
        "gb2312": "今天的天气很好。朱镕基",
        "x-nope": "Größe und Maß",
        "us-ascii": "Größe, naïve façade",
        "utf-7": "Größe",
        "koi8-r": "Привет, мир",
    }
    assert text.endswith(decoded[charset] + "\n")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("=?utf-8?B?R3LDtsOfZQ==?=", "Größe"),
        ("=?utf-8?Q?Gr=C3=B6=C3?= =?UTF-8?q?=9Fe_=5Fx?=", "Größe _x"),
        ("a =?iso-8859-1?q?=E9?= b", "a é b"),
        ("=?gb2312?B?vfHM7A?=", "今天"),
        ("=?x-nope?q?abc?= =?utf-8?b?!?=", "abc"),
        ("Gr\udcf6\udcdfe", "Größe"),
        ("two\r\n lines", "two lines"),
        ("=?utf-8?q?no end", "=?utf-8?q?no end"),
        (None, ""),
    ],
)
def test_the_words_of_a_header_are_decoded(header: str | None, words: str) -> None:
    assert decode_words(header) == words


def test_apple_mail_puts_a_length_in_front(read: Read) -> None:
    message = letter().as_bytes()
    data = b"%d      \n" % len(message) + message + b"<?xml version='1.0'?><plist/>"
    text, about = read("1.emlx", data)
    assert about.title == "The roof"
    assert text.endswith("It leaks.\n")


def test_parts_in_parts_without_end_are_refused(read: Read) -> None:
    deep = b"From: a@b.c\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i)
        for i in range(100)
    )
    with pytest.raises(Unreadable, match="too deep in each other"):
        read("a.eml", deep)
    text, about = read("a.mbox", b"From a Mon May 1 10:00:00 2024\n" + deep + TWO)
    assert [label for _, label, _ in places(text, about)][-1] == "two, 2024-05-17"


@pytest.mark.parametrize(
    "head",
    [
        b"From: " + b"(" * 100_000,
        b"Content-Type: text/plain" + b";" * 100_000,
        b"Content-Type: multipart/mixed; boundary=\n\n--\n",
        b"Content-Disposition: attachment; filename*99999999999999999999*=x",
        b"Date: Fri, 17 May 99999999999999999999",
        b"Subject: =?utf-8?b?" + b"A" * 100_000 + b"?=",
    ],
)
def test_a_hostile_head_costs_nothing_but_itself(read: Read, head: bytes) -> None:
    assert "needle" in read("a.eml", head + b"\nX: y\n\nneedle\n")[0]


# --- mailboxes ---------------------------------------------------------------

TWO = b"\n\nFrom c@d Mon Jan  1 00:00:00 2024\n" + letter("two", "Two.\n").as_bytes()


def test_each_message_of_a_mailbox_is_a_place(read: Read) -> None:
    box = (
        b"From a@b Mon Jan  1 00:00:00 2024\nSubject: one\n\nFrom here on\n\n"
        b"From there: nothing\n\n>From quoted\n>>From twice" + TWO
    )
    text, about = read("a.mbox", box)
    assert [(kind, label) for kind, label, _ in places(text, about)] == [
        ("message", "one, 2024-01-01"),
        ("message", "two, 2024-05-17"),
    ]
    assert places(text, about)[0][2] == (
        "Subject: one\n\nFrom here on\n\nFrom there: nothing\n\n"
        "From quoted\n>From twice\n\n"
    )
    assert about.metadata == {"messages": "2"}


def test_a_mailbox_is_a_stream(read: Read) -> None:
    blob = letter("big")
    blob.add_attachment(
        bytes(4_000_000), maintype="image", subtype="png", filename="a.png"
    )
    start = b"From - Mon Jan 01 10:00:00 2024\n"
    box = b"\n".join(
        start + one.as_bytes() for one in (letter(), blob, letter("last", "needle\n"))
    )
    for size in (len(box), 1 << 20, 700):
        pieces = (box[at : at + size] for at in range(0, len(box), size))
        messages = [data for data in _messages(pieces) if data.strip()]
        assert len(messages) == 3
        assert size < 1 << 20 or len(messages[1]) < 2_500_000
    text, about = read("a.mbox", box)
    assert "Attachments: a.png" in text
    assert places(text, about)[-1][2].endswith("needle\n\n")


@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(1, 50))
def test_a_mailbox_is_cut_alike_however_it_is_read(bodies: list[bytes], n: int) -> None:
    start = b"From - Mon Jan 01 10:00:00 2024\nSubject: a\n\n"
    box = b"".join(start + body + b"\n\n" for body in bodies)
    pieces = (box[at : at + n] for at in range(0, len(box), n))
    assert list(_messages(pieces)) == list(_messages(iter([box])))


def test_mail_comes_through_the_child(tmp_path: Path) -> None:
    path = tmp_path / "Inbox"
    path.write_bytes(b"From - Mon Jan 01 10:00:00 2024\n" + letter().as_bytes() + TWO)
    with Reader(timeout_s=30, memory_bytes=10**9, max_file_bytes=10**8) as reader:
        reading = reader.read(os.fsencode(path))
        assert "It leaks." in "".join(block.text for block in reading)
    assert reading.document.parser == "mailbox"
    assert [label for _, label, _ in reading.document.segments][1] == "two, 2024-05-17"
