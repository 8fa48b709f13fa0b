"""XML as a stream of events: nothing is expanded, nothing fetched, nothing recurses.

Names come with the prefix that the standards use, whatever a file calls it: `w:p` is a
paragraph of a word processor, `a:p` one of a drawing. Names in other name spaces, and in
none, come bare.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import NamedTuple
from xml.parsers import expat

from pplx_local.errors import Unreadable

MAX_DEPTH = 10_000

_BUFFER_BYTES = 1 << 16
_ENCODING = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_OOXML = {
    "a": "drawingml",
    "c": "drawingml/chart",
    "dgm": "drawingml/diagram",
    "m": "officeDocument/math",
    "p": "presentationml",
    "r": "officeDocument/relationships",
    "w": "wordprocessingml",
    "x": "spreadsheetml",
}
_ODF = {
    "draw": "drawing",
    "manifest": "manifest",
    "meta": "meta",
    "office": "office",
    "presentation": "presentation",
    "style": "style",
    "svg": "svg-compatible",
    "table": "table",
    "text": "text",
}
_OTHERS = {
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/package/2006/relationships": "rel",
    "http://schemas.openxmlformats.org/package/2006/metadata/core-properties": "cp",
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties": "ep",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://www.daisy.org/z3986/2005/ncx/": "ncx",
    "http://www.gribuser.ru/xml/fictionbook/2.0": "fb",
    "http://openebook.org/namespaces/oeb-package/1.0/": "opf",
    "http://www.idpf.org/2007/opf": "opf",
    "http://www.idpf.org/2007/ops": "epub",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://www.w3.org/2001/04/xmlenc#": "enc",
    "http://www.w3.org/XML/1998/namespace": "xml",
    "urn:oasis:names:tc:opendocument:xmlns:container": "ocf",
}


def _prefixes() -> dict[str, str]:
    """Make the table of name spaces; OOXML has two of each, transitional and strict."""
    table = dict(_OTHERS)
    for prefix, name in _OOXML.items():
        first, _, rest = name.partition("/")
        rest = rest or "main"
        table[f"http://schemas.openxmlformats.org/{first}/2006/{rest}"] = prefix
        table[f"http://purl.oclc.org/ooxml/{first}/{rest}"] = prefix
    for prefix, name in _ODF.items():
        table[f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"] = prefix
    return table


_PREFIXES = MappingProxyType(_prefixes())


class Start(NamedTuple):
    """An element opens."""

    name: str
    attributes: dict[str, str]


class End(NamedTuple):
    """An element closes."""

    name: str


class Characters(NamedTuple):
    """A run of text, perhaps not all of it."""

    text: str


Event = Start | End | Characters


def events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """Parse a document as its bytes come.

    Raises:
        Unreadable: It is not well-formed, declares entities, or nests without end.
    """
    parser: _Parser | None = None
    for piece in pieces:
        parser = parser or _Parser(piece)
        yield from parser.feed(piece)
    if parser is None:
        raise Unreadable("damaged: a part of it is empty")
    yield from parser.feed(b"", is_final=True)


def stated_encoding(head: bytes) -> str | None:
    """Give the encoding that the first bytes of a document name."""
    declared = _ENCODING.match(head)
    return declared[1].decode() if declared else None


def outside(stream: Iterable[Event], names: frozenset[str]) -> Iterator[Event]:
    """Leave out the elements with these names, and everything in them."""
    depth = 0
    for event in stream:
        if depth or (isinstance(event, Start) and event.name in names):
            depth += isinstance(event, Start)
            depth -= isinstance(event, End)
        else:
            yield event


def inside(stream: Iterable[Event], names: frozenset[str]) -> Iterator[Event]:
    """Keep only the elements with these names, and everything in them."""
    depth = 0
    for event in stream:
        if isinstance(event, Start) and (depth or event.name in names):
            depth += 1
        if depth:
            yield event
            depth -= isinstance(event, End)


def first_texts(stream: Iterable[Event], names: frozenset[str]) -> dict[str, str]:
    """Give the text of the first element with each of these names, if it has one."""
    texts: dict[str, str] = {}
    open_name = ""
    for event in stream:
        if isinstance(event, Start):
            open_name = event.name if event.name in names - texts.keys() else ""
        elif isinstance(event, Characters) and open_name:
            texts[open_name] = texts.get(open_name, "") + event.text
        elif isinstance(event, End):
            open_name = ""
    return {name: text.strip() for name, text in texts.items()}


class _Parser:
    """Expat, with what it calls back kept until the piece is parsed."""

    def __init__(self, head: bytes) -> None:
        self._decoder = _decoder(head)
        expat_parser = expat.ParserCreate(
            "utf-8" if self._decoder else None, namespace_separator=" ", intern={}
        )
        expat_parser.buffer_text = True
        expat_parser.buffer_size = _BUFFER_BYTES
        expat_parser.StartElementHandler = self._start
        expat_parser.EndElementHandler = self._end
        expat_parser.CharacterDataHandler = self._characters
        expat_parser.StartDoctypeDeclHandler = self._refuse_declarations
        self._expat = expat_parser
        self._found: list[Event] = []
        self._names: dict[str, str] = {}
        self._depth = 0

    def feed(self, data: bytes, *, is_final: bool = False) -> list[Event]:
        try:
            if self._decoder:
                data = self._decoder.decode(data, is_final).encode()
            self._expat.Parse(data, is_final)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise Unreadable(f"damaged: its XML breaks off ({what})") from error
        except (LookupError, ValueError) as error:
            raise Unreadable("damaged: its XML is in no known encoding") from error
        found, self._found = self._found, []
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable(f"nested more than {MAX_DEPTH:,} levels deep")
        named = {self._short(key): value for key, value in attributes.items()}
        self._found.append(Start(self._short(name), named))

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._found.append(End(self._short(name)))

    def _characters(self, text: str) -> None:
        self._found.append(Characters(text))

    def _short(self, name: str) -> str:
        short = self._names.get(name)
        if short is None:
            space, _, local = name.rpartition(" ")
            prefix = _PREFIXES.get(space)
            short = self._names[name] = f"{prefix}:{local}" if prefix else local
        return short

    def _refuse_declarations(
        self, name: str, system: str | None, public: str | None, has_subset: bool
    ) -> None:
        """Pass over a DOCTYPE that only names a DTD, which is never fetched."""
        if has_subset:
            raise Unreadable("refused: its XML declares entities of its own")


def _decoder(head: bytes) -> codecs.IncrementalDecoder | None:
    """Make a decoder for what expat cannot decode by itself: bytes in pairs."""
    try:
        codec = codecs.lookup(stated_encoding(head) or "utf-8")
    except LookupError:
        return None
    if not codec._is_text_encoding or re.match("utf|iso8859-1$|ascii", codec.name):
        return None
    return codec.incrementaldecoder("replace") if codec.incrementaldecoder else None
