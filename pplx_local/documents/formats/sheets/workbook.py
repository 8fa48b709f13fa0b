"""Opening a spreadsheet, once nothing in it can fill the memory."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from pplx_local.documents.formats.office.ooxml import main_part, relations
from pplx_local.documents.formats.sheets.sheet_rows import column_number
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Start, events
from pplx_local.errors import Unreadable, Unsupported

_PACKAGE = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAX_JUNK_BYTES = 1024
_OLDEST = re.compile(rb"\x09[\x00\x02\x04]")
_PASSWORD = "encrypted: it needs a password"
_DAMAGED = "damaged: its cells cannot be read"

_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_BEGIN = re.compile(rb"\x09\x08[\x08\x10]\x00\x00[\x05\x06]\x05\x00")
"""The record that begins the globals of an .xls file."""
_FILE_PASS = 0x2F
_RECORDS_LOOKED_AT = 10

_MANIFEST = "META-INF/manifest.xml"
_MAX_AREA = 20_000_000
"""Cells between the corners of a sheet: all of them take 32 bytes, filled or not."""
_CELL = re.compile(
    rb'<(?:\w+:)?c\s[^<>]{0,80}?\br="([A-Z]{1,9})(\d{1,12})"[^<>]*(?<!/)>'
)
_MAX_TAG_BYTES = 512
_SHEET_PART = re.compile(r"/?xl[/\\]worksheets[/\\][^/\\]+\.xml", re.IGNORECASE)
_CELL_PART = re.compile(
    r"content\.xml|/?xl[/\\](?:(?:sharedStrings|styles|workbook)\.(?:xml|bin)"
    r"|worksheets[/\\][^/\\]+\.bin)",
    re.IGNORECASE,
)


class Workbook(NamedTuple):
    """A spreadsheet that may be read."""

    sheets: CalamineWorkbook
    package: Package | None = None
    """What it came in; None for .xls."""
    parts: Mapping[str, str] = {}
    """Where in the package the sheets of these names are, as far as is known."""
    wide: frozenset[str] = frozenset()
    """Names of sheets whose cells lie too far apart to be laid out."""
    damaged: Mapping[str, Unreadable] = {}
    """Why the sheets of these names must not be, or cannot be, unpacked."""


def is_workbook(data: bytes) -> bool:
    """Say whether bytes are a spreadsheet's, and not some text under its name."""
    in_package = _PACKAGE in data[:_MAX_JUNK_BYTES]
    return in_package or data.startswith(_COMPOUND) or bool(_OLDEST.match(data))


def open_workbook(data: bytes) -> Workbook:
    """Open a spreadsheet of any of its formats, whatever its name says.

    Raises:
        Unsupported: It is older than what is read, or would take too much memory.
        Unreadable: It is encrypted, damaged, or a bomb.
    """
    if _OLDEST.match(data):
        raise Unsupported("made by Excel 4 or older: save it in today's format")
    if data.startswith(_COMPOUND):
        _refuse_encrypted(data)
        return Workbook(_opened(data))
    package = Package(io.BytesIO(data))
    wide, damaged = _check(package)
    parts = dict(_sheet_parts(package))
    places = {name: _plain(part) for name, part in parts.items()}
    for part in damaged.keys() - places.values():
        raise damaged[part]
    if wide - set(places.values()):
        raise Unsupported("cells of a sheet lie too far apart to be laid out")
    return Workbook(
        _opened(data),
        package,
        parts,
        frozenset(name for name, part in places.items() if part in wide),
        {name: damaged[part] for name, part in places.items() if part in damaged},
    )


def _opened(data: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except BaseException as error:
        raise damage(error) from error


def sheet_at(workbook: Workbook, index: int) -> CalamineSheet:
    """Take a sheet out of a workbook.

    Raises:
        Unreadable: It is damaged.
    """
    refusal = workbook.damaged.get(workbook.sheets.sheet_names[index])
    if refusal:
        raise refusal
    try:
        return workbook.sheets.get_sheet_by_index(index)
    except BaseException as error:
        raise damage(error) from error


def damage(error: BaseException) -> Unreadable:
    """Say in words what the library says, which has panics besides its exceptions.

    Raises:
        BaseException: The error is none of the library's.
    """
    is_panic = type(error).__name__ == "PanicException"
    if isinstance(error, CalamineError) or is_panic:
        return Unreadable(_DAMAGED)
    raise error


def _refuse_encrypted(data: bytes) -> None:
    """Look for a password's traces in a compound file."""
    if _ENCRYPTED_PACKAGE in data:
        raise Unreadable(_PASSWORD)
    begin = _BEGIN.search(data)
    place = begin.start() if begin else len(data)
    for _ in range(_RECORDS_LOOKED_AT):
        record = int.from_bytes(data[place : place + 2], "little")
        if record == _FILE_PASS:
            raise Unreadable(_PASSWORD)
        place += 4 + int.from_bytes(data[place + 2 : place + 4], "little")


def _check(package: Package) -> tuple[set[str], dict[str, Unreadable]]:
    """Unpack all parts that hold cells once, within limits, and measure the sheets.

    Returns:
        The parts that are too wide, and those that cannot be unpacked, with the reason.
    """
    if _MANIFEST in package and b"encryption-data" in package.read(_MANIFEST):
        raise Unreadable(_PASSWORD)
    wide: set[str] = set()
    damaged: dict[str, Unreadable] = {}
    for name in package.names():
        if _SHEET_PART.fullmatch(name):
            try:
                wide |= {_plain(name)} if _is_wide(package.pieces(name)) else set()
            except Unreadable as error:
                damaged[_plain(name)] = error
        elif _CELL_PART.fullmatch(name):
            for _ in package.pieces(name):
                pass
    return wide, damaged


def _is_wide(pieces: Iterator[bytes]) -> bool:
    """Say whether the corners of a sheet lie too far apart."""
    n_rows, columns = 0, {b""}
    rest = b""
    for piece in pieces:
        markup = rest + piece
        end = 0
        for cell in _CELL.finditer(markup):
            columns.add(cell[1])
            n_rows = max(n_rows, int(cell[2]))
            end = cell.end()
        rest = markup[max(end, len(markup) - _MAX_TAG_BYTES) :]
    widest = max(columns, key=lambda name: (len(name), name))
    return n_rows * column_number(widest.decode()) > _MAX_AREA


def _sheet_parts(package: Package) -> Iterator[tuple[str, str]]:
    """Name the part of each sheet."""
    workbook = main_part(package, "xl/workbook.xml")
    if not workbook.endswith(".xml") or workbook not in package:
        return
    parts = relations(package, workbook)
    for event in events(package.pieces(workbook)):
        if isinstance(event, Start) and event.name == "x:sheet":
            part = parts.get(event.attributes.get("r:id", ""))
            if part:
                yield event.attributes.get("name", ""), part.target


def _plain(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").casefold()
