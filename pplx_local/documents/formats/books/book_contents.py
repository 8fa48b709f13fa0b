"""What an EPUB says of its own parts: their order, their chapters, who locked them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from selectolax.lexbor import LexborNode

from pplx_local.documents.formats.web.html_page import decode_page, parsed
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Characters, End, Start, events
from pplx_local.errors import Unreadable

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_OPEN_FONTS = re.compile(r"idpf\.org/2008/embedding|ns\.adobe\.com/pdf/enc#RC")
"""How fonts are garbled, which locks nothing that is read."""

_FACTS = frozenset({"dc:title", "dc:creator", "dc:language", "dc:date"})
_MAX_CHAPTERS = 10_000
_MAX_LEVEL = 20


class Chapter(NamedTuple):
    """A line of the table of contents."""

    part: str
    anchor: str
    """Where in the part it begins; empty for its start."""
    level: int
    words: str


@dataclass(slots=True)
class Contents:
    """The parts of a book that are text, in order, and what is known of all of it."""

    parts: list[str] = field(default_factory=list)
    facts: dict[str, list[str]] = field(default_factory=dict)
    nav: str = ""
    """Names the part with the table of contents, in the way of EPUB 3."""
    ncx: str = ""
    """The same in the way of EPUB 2."""


def read_contents(package: Package) -> Contents:
    """Read what a book consists of.

    Raises:
        Unreadable: It does not say so, or its text is locked.
    """
    contents = _read_list(package, _list_of_parts(package))
    locked = _locked(package)
    if not locked.isdisjoint(contents.parts):
        raise Unreadable("protected (DRM): only the programs of its shop can open it")
    contents.parts = [part for part in contents.parts if part in package]
    return contents


def read_chapters(package: Package, contents: Contents) -> list[Chapter]:
    """Read the table of contents; empty where there is none."""
    if contents.nav in package:
        return list(_nav_chapters(package, contents.nav))
    if contents.ncx in package:
        return list(_ncx_chapters(package, contents.ncx))
    return []


def _list_of_parts(package: Package) -> str:
    """Name the part that lists all others."""
    for event in events(package.pieces(_CONTAINER)):
        if isinstance(event, Start) and event.name == "ocf:rootfile":
            return event.attributes.get("full-path", "")
    raise Unreadable("damaged: nothing says what the book consists of")


def _read_list(package: Package, part: str) -> Contents:
    contents = Contents()
    files: dict[str, str] = {}
    order: list[str] = []
    fact = ""
    for event in events(package.pieces(part)):
        match event:
            case Start("opf:item", at):
                name = _resolved(part, at.get("href", ""))[0]
                files[at.get("id", "")] = name
                if "nav" in at.get("properties", "").split():
                    contents.nav = name
            case Start("opf:spine", at):
                contents.ncx = files.get(at.get("toc", ""), "")
            case Start("opf:itemref", at):
                order.append(at.get("idref", ""))
            case Start(name, _) if name in _FACTS:
                fact = name
                contents.facts.setdefault(name, []).append("")
            case Characters(text) if fact:
                contents.facts[fact][-1] += text
            case End():
                fact = ""
    contents.parts = list(dict.fromkeys(files[id_] for id_ in order if id_ in files))
    return contents


def _locked(package: Package) -> set[str]:
    """Name the parts that are encrypted by more than what garbles fonts."""
    locked: set[str] = set()
    algorithm = ""
    for event in events(package.pieces(_ENCRYPTION)) if _ENCRYPTION in package else ():
        match event:
            case Start("enc:EncryptedData", _):
                algorithm = ""
            case Start("enc:EncryptionMethod", at):
                algorithm = algorithm or at.get("Algorithm", "")
            case Start("enc:CipherReference", at):
                if not _OPEN_FONTS.search(algorithm):
                    locked.add(_resolved("", at.get("URI", ""))[0])
    return locked


def _nav_chapters(package: Package, part: str) -> Iterator[Chapter]:
    tree = parsed(decode_page(package.read(part)))
    navs = tree.css("nav")
    kinds = ((nav.attributes.get("epub:type") or "").split() for nav in navs)
    tables = [nav for nav, kind in zip(navs, kinds, strict=True) if "toc" in kind]
    for table in (tables or navs)[:1]:
        for link in table.css("a[href]")[:_MAX_CHAPTERS]:
            words = link.text()
            name, anchor = _resolved(part, link.attributes.get("href") or "")
            yield Chapter(name, anchor, _level(link), words)


def _level(link: LexborNode) -> int:
    """Count the lists that a link stands in."""
    level = 0
    node = link.parent
    for _ in range(4 * _MAX_LEVEL):
        if node is None or node.tag == "nav":
            break
        level += node.tag == "ol"
        node = node.parent
    return max(level, 1)


def _ncx_chapters(package: Package, part: str) -> Iterator[Chapter]:
    level = n_chapters = 0
    words = ""
    is_text = False
    for event in events(package.pieces(part)):
        match event:
            case Start("ncx:navPoint", _):
                level += 1
                words = ""
            case End("ncx:navPoint"):
                level -= 1
            case Start("ncx:text", _) | End("ncx:text"):
                is_text = isinstance(event, Start)
            case Characters(text) if is_text:
                words += text
            case Start("ncx:content", at) if level and n_chapters < _MAX_CHAPTERS:
                n_chapters += 1
                name, anchor = _resolved(part, at.get("src", ""))
                yield Chapter(name, anchor, level, words)


def _resolved(part: str, reference: str) -> tuple[str, str]:
    """Follow a reference that stands in a part: to which one, and where in it."""
    path, _, anchor = reference.partition("#")
    folder = posixpath.dirname(part)
    name = posixpath.normpath(posixpath.join("/", folder, unquote(path)))
    return name.lstrip("/"), unquote(anchor)
