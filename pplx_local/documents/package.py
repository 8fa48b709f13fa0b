"""A ZIP package, as office documents and books are: its parts by name, within limits."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from pplx_local.documents.source import Source
from pplx_local.errors import EmptyDocument, Unreadable

_READ_BYTES = 1 << 16
_MAX_PARTS = 20_000
"""A book of a thousand pictures has not a tenth of it."""

_MAX_PART_BYTES = 100_000_000
_MAX_BYTES = 400_000_000
"""Unpacked, of all parts that are read."""

_MAX_RATIO = 100
_SMALL_BYTES = 1 << 24
"""A part of this length may be as regular as it likes: a table of blanks is."""

_JUNK_BYTES = 1024
_PART = b"PK\x03\x04"
_ENTRY = b"PK\x01\x02"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_ENCRYPTED_FLAG = 1
_PASSWORD = "encrypted: it needs a password"
_OTHER_OFFICE = (
    "an old Office document, in spite of its name: save it in today's format"
)
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error),
    *(ValueError, OSError, NotImplementedError, RuntimeError),
)
"""All that `zipfile` raises for a file that is not as it should be."""


class Package:
    """The parts of a package.

    Names are matched without regard to case and to how slashes lean, as the standards
    want it. Nothing is ever written, so a name that leads elsewhere leads nowhere.

    Raises:
        EmptyDocument: There is not a byte in the file.
        Unreadable: It is no package, damaged, encrypted or made to do harm.
    """

    def __init__(self, source: Source | io.BytesIO) -> None:
        self._file = io.BytesIO()
        for piece in iter(source.read, b""):
            self._file.write(piece)
        _refuse_others(self._file.getvalue())
        try:
            self._zip = zipfile.ZipFile(self._file)
        except _DAMAGE as error:
            raise Unreadable("damaged: the list of its parts is missing") from error
        self._parts = {_plain(info.filename): info for info in self._zip.infolist()}
        self._n_bytes = 0
        self.damaged: list[str] = []
        """Parts that were given up, because the rest says enough without them."""

    def __contains__(self, name: str) -> bool:
        """Say whether there is such a part."""
        return _plain(name) in self._parts

    @property
    def file(self) -> io.BytesIO:
        """The packed bytes, for a library that unpacks them itself.

        Raises:
            Unreadable: Some part must not be unpacked.
        """
        for info in self._parts.values():
            self._allow(info)
        self._file.seek(0)
        return self._file

    def names(self) -> list[str]:
        """Name all parts, in the order of the package, as they are written there."""
        return [info.filename for info in self._parts.values()]

    def read(self, name: str) -> bytes:
        """Unpack a part.

        Raises:
            Unreadable: It is missing, damaged, encrypted or too large.
        """
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Unpack a part piece by piece.

        Raises:
            Unreadable: It is missing, damaged, encrypted or too large.
        """
        info = self._parts.get(_plain(name))
        if info is None:
            raise Unreadable(f"damaged: its part {name} is missing")
        self._allow(info)
        try:
            with self._zip.open(info) as part:
                yield from iter(lambda: part.read(_READ_BYTES), b"")
        except _DAMAGE as error:
            raise Unreadable(f"damaged: its part {name} cannot be unpacked") from error

    def _allow(self, info: zipfile.ZipInfo) -> None:
        """Refuse a part by what the package says of it: more is never unpacked."""
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise Unreadable(_PASSWORD)
        self._n_bytes += info.file_size
        is_bomb = info.file_size > max(_SMALL_BYTES, _MAX_RATIO * info.compress_size)
        if is_bomb or info.file_size > _MAX_PART_BYTES or self._n_bytes > _MAX_BYTES:
            size = f"{info.file_size / 1e6:,.0f} MB"
            raise Unreadable(f"too large when unpacked: {size} in one of its parts")


def _refuse_others(data: bytes) -> None:
    if not data:
        raise EmptyDocument("empty")
    if data.startswith(_OLD_OFFICE):
        raise Unreadable(_PASSWORD if _ENCRYPTED_STREAM in data else _OTHER_OFFICE)
    if _PART not in data[:_JUNK_BYTES]:
        raise Unreadable("not a document of its kind, in spite of its name")
    # Each takes a thousand bytes of memory as soon as the package is opened.
    if data.count(_ENTRY) > _MAX_PARTS:
        raise Unreadable(f"made of more than {_MAX_PARTS:,} parts")


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()
