"""Packages and the XML in them, as hostile as they come."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pplx_local.documents.package import Package
from pplx_local.documents.source import Source
from pplx_local.documents.xml_events import Characters, End, Start, events
from pplx_local.errors import EmptyDocument, Unreadable

Open = Callable[[bytes], Package]


@pytest.fixture
def package(tmp_path: Path) -> Open:
    def package(data: bytes) -> Package:
        path = tmp_path / "a.zip"
        path.write_bytes(data)
        with Source(os.fsencode(path)) as source:
            return Package(source)

    return package


def packed(parts: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as out:
        for name, data in parts.items():
            out.writestr(name, data)
    return file.getvalue()


# --- packages ----------------------------------------------------------------


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_LZMA])
def test_parts_are_found_however_their_names_are_written(
    package: Open, how: int
) -> None:
    parts = {"a/B.xml": b"one", "/c.xml": b"two", "d\\e.xml": b"three"}
    opened = package(packed(parts, how))
    assert [opened.read(name) for name in ("A/b.xml", "c.xml", "d/e.xml")] == [
        *(b"one", b"two", b"three")
    ]
    assert "c.xml" in opened
    assert "f.xml" not in opened
    assert opened.file.read(2) == b"PK"


def test_a_package_is_read_behind_junk(package: Open) -> None:
    assert package(b"junk" * 9 + packed({"a": b"one"})).read("a") == b"one"


def test_a_missing_part_is_named(package: Open) -> None:
    with pytest.raises(Unreadable, match=r"damaged: its part word/x\.xml is missing"):
        package(packed({"a": b""})).read("word/x.xml")


def test_a_wrong_byte_is_noticed(package: Open) -> None:
    data = packed({"a": b"needle" * 9}, zipfile.ZIP_STORED)
    opened = package(data.replace(b"needle", b"noodle", 1))
    with pytest.raises(Unreadable, match="damaged: its part a cannot be unpacked"):
        opened.read("a")


def test_what_is_no_package_says_what_it_is(package: Open) -> None:
    old = b"\xd0\xcf\x11\xe0\xa1\xb1"
    for data, reason in {
        b"plain text": "not a document of its kind",
        packed({"a": b"one"})[:-30]: "damaged: the list of its parts",
        old + "EncryptedPackage".encode("utf-16-le"): "encrypted: it needs a password",
        old + b"WordDocument": "an old Office document",
    }.items():
        with pytest.raises(Unreadable, match=reason):
            package(data)
    with pytest.raises(EmptyDocument):
        package(b"")


def test_an_encrypted_part_needs_a_password(package: Open) -> None:
    data = packed({"a": b"one"})
    listed = data.index(b"PK\x01\x02") + 8
    encrypted = data[:listed] + b"\x01" + data[listed + 1 :]
    with pytest.raises(Unreadable, match="encrypted: it needs a password"):
        package(encrypted).read("a")


def test_bombs_are_not_unpacked(package: Open) -> None:
    small, large = bytes(10_000_000), bytes(20_000_000)
    assert len(package(packed({"a": small})).read("a")) == len(small)
    opened = package(packed({"a": b"one", "b": large}))
    assert opened.read("a") == b"one", "only the part that is read counts"
    with pytest.raises(Unreadable, match="too large when unpacked: 20 MB"):
        opened.read("b")
    with pytest.raises(Unreadable, match="too large when unpacked: 20 MB"):
        _ = opened.file


def test_many_small_parts_are_a_bomb_as_well(package: Open) -> None:
    opened = package(packed({"a": bytes(16_000_000)}))
    for _ in range(25):
        assert next(opened.pieces("a"))
    with pytest.raises(Unreadable, match="too large when unpacked"):
        next(opened.pieces("a"))


def test_too_many_parts_are_refused_before_they_are_listed(package: Open) -> None:
    with pytest.raises(Unreadable, match="more than 20,000 parts"):
        package(b"PK\x03\x04" + b"PK\x01\x02" * 20_001)


# --- XML ---------------------------------------------------------------------


def parse(*pieces: bytes) -> list[object]:
    return list(events(pieces))


def test_names_get_the_prefix_of_the_standard_whatever_a_file_calls_it() -> None:
    for space in (
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    ):
        document = f'<z:p xmlns:z="{space}" z:val="1" val="2">a</z:p>'
        assert parse(document.encode()) == [
            Start("w:p", {"w:val": "1", "val": "2"}),
            Characters("a"),
            End("w:p"),
        ]
    assert parse(b'<p xmlns="of:nobody"/>') == [Start("p", {}), End("p")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(("utf-8", "größe"), ("utf-16", "größe"), ("iso-8859-1", "größe")),
        *(("windows-1251", "мир"), ("gb2312", "中文"), ("shift_jis", "日本")),
    ],
)
def test_xml_comes_in_many_encodings(encoding: str, text: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><a>{text}</a>'
    data = document.encode(encoding)
    found = parse(data[:-6], data[-6:])
    words = [event.text for event in found if isinstance(event, Characters)]
    assert "".join(words) == text


@pytest.mark.parametrize("encoding", ["utf-G", "hex", "rot13", "idna", "undefined"])
def test_xml_in_no_encoding_at_all_is_damaged(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><a>\u4e2d</a>'
    with pytest.raises(Unreadable, match="damaged: its XML is in no known encoding"):
        parse(document.encode())


def test_a_doctype_may_name_a_dtd_and_no_more() -> None:
    named = b'<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://x/y.dtd">'
    assert parse(named + b"<ncx/>") == [Start("ncx", {}), End("ncx")]
    for declared in (
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    ):
        with pytest.raises(Unreadable, match="declares entities of its own"):
            parse(declared)


@pytest.mark.parametrize(
    "document", [b"", b"text", b"<a><b></a>", b"<a>&x;</a>", b"<a>\0</a>", b"<a>\xff"]
)
def test_xml_that_is_not_well_formed_is_damaged(document: bytes) -> None:
    with pytest.raises(Unreadable, match="damaged"):
        parse(document)


def test_xml_without_end_is_refused() -> None:
    with pytest.raises(Unreadable, match="nested more than 10,000 levels deep"):
        parse(*[b"<a>" * 1000] * 100)
