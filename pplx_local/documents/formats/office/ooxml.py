"""What the documents of Office have in common: how their parts refer to each other."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from pplx_local.documents.day import read_day
from pplx_local.documents.formats.flow import clean
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.markdown import language_code
from pplx_local.documents.package import Package
from pplx_local.documents.xml_events import Event, Start, events, first_texts
from pplx_local.errors import DocumentError, EmptyDocument, NoText, Unreadable

_MADE_UP = re.compile(
    r"untitled|microsoft (word|powerpoint|excel) - |.*\.\w{2,5}$|\W*$"
    r"|(powerpoint[ -]\w+|slide|folie|document|presentation|präsentation) ?\d*$",
    re.IGNORECASE,
)
_NO_DAY = date(1601, 1, 1)
"""Where the clock of Windows begins."""

_FACTS = frozenset({"dc:title", "dc:creator", "dc:language", "dcterms:created"})
_PICTURE = re.compile(
    r"/media/[^/]+$|(?<!thumbnail)\.(jpe?g|png|gif|svg|webp|tiff?|emf|wmf)$",
    re.IGNORECASE,
)


class Relation(NamedTuple):
    """One part that another one refers to."""

    kind: str
    """The last word of the relation's type: "footnotes", "header"."""
    target: str
    """The name of the part."""


class Relations(dict[str, Relation]):
    """The parts that a part refers to, by the ids it uses for them."""

    def of_kind(self, kind: str) -> Iterator[str]:
        """Name the parts of a kind that are in the package, each once."""
        yield from dict.fromkeys(
            one.target for one in self.values() if one.kind == kind
        )


def relations(package: Package, part: str = "") -> Relations:
    """Read what a part, or the package itself, refers to inside the package."""
    folder, name = posixpath.split(part)
    listed = posixpath.join(folder, "_rels", f"{name}.rels")
    found = Relations()
    for event in as_far_as_whole(package, listed) if listed in package else ():
        if not isinstance(event, Start) or event.name != "rel:Relationship":
            continue
        at = event.attributes
        target = posixpath.normpath(posixpath.join("/", folder, at.get("Target", "")))
        if at.get("TargetMode") != "External" and target in package:
            kind = at.get("Type", "").rpartition("/")[2]
            found[at.get("Id", "")] = Relation(kind, target.lstrip("/"))
    return found


def main_part(package: Package, default: str) -> str:
    """Name the part that a package is about."""
    return next(relations(package).of_kind("officeDocument"), default)


def note_core_facts(package: Package, about: About) -> None:
    """Take title, author, day and language from what the package says of itself."""
    part = next(relations(package).of_kind("core-properties"), "docProps/core.xml")
    facts = stated(package, part, _FACTS)
    note_names(about, facts.get("dc:title", ""), facts.get("dc:creator", ""))
    day = read_day(facts.get("dcterms:created", ""))
    about.day = None if day == _NO_DAY else day
    about.language = language_code(facts.get("dc:language", ""))


def stated(package: Package, part: str, names: frozenset[str]) -> dict[str, str]:
    """Give the first text of each of these elements of a part, should it exist."""
    return first_texts(events(package.pieces(part)), names) if part in package else {}


def as_far_as_whole(package: Package, part: str) -> Iterator[Event]:
    """Read a part that the others can do without, up to where it is damaged."""
    try:
        yield from events(package.pieces(part))
    except Unreadable:
        package.damaged.append(part)


def note_damage(package: Package, about: About) -> None:
    """Say which parts were given up."""
    if package.damaged:
        parts = dict.fromkeys(package.damaged)
        about.metadata["damaged_parts"] = label(", ".join(parts))


def note_names(about: About, title: str, author: str) -> None:
    """Take the title, unless a program made it up, and the author."""
    is_made_up = _MADE_UP.match(title.strip())
    about.title = None if is_made_up else label(clean(title))
    if author := label(clean(author)):
        about.metadata["author"] = author


def silence(package: Package) -> DocumentError:
    """Say why there is no text in a package."""
    if package.damaged:
        return Unreadable(f"damaged: its part {package.damaged[0]} cannot be read")
    n_pictures = sum(bool(_PICTURE.search(name)) for name in package.names())
    if not n_pictures:
        return EmptyDocument("nothing but white space")
    pictures = "1 picture" if n_pictures == 1 else f"{n_pictures:,} pictures"
    return NoText(f"{pictures} and no text")
