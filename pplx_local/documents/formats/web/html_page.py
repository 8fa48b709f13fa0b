"""HTML: the text that a browser would show, with its headings as places."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pplx_local.documents.day import read_day
from pplx_local.documents.decode import decode_stream
from pplx_local.documents.formats.flow import clean
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.markdown import language_code
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.web.nesting import demand_shallow
from pplx_local.documents.formats.web.page_writer import PageWriter
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.errors import Unreadable

_CHARSET = re.compile(
    rb"<meta[^>]{0,300}?charset\s{0,5}=\s{0,5}[\"']?([\w-]{1,40})"
    rb"|<\?xml[^>]{0,100}?encoding=[\"']([\w-]{1,40})",
    re.IGNORECASE,
)


_XHTML = re.compile(r"\A\s*<\?xml|xmlns=[\"']http://www\.w3\.org/1999/xhtml")
# A browser that takes <title/> for HTML waits for the title's end as long as it reads.
_SELF_CLOSED = re.compile(
    r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b)"
    r"([A-Za-z][\w:.-]{0,50})((?:\s[^<>]*)?)/>"
)


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_INVISIBLE = _names(
    "head script style template noscript iframe metadata -comment !doctype"
)
_PARAGRAPHS = _names(
    "p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote figure article section header"
    " footer nav aside main form fieldset hr details"
)
_LINES = _names(
    "br div li dt dd tr caption figcaption option address summary title legend body"
    " svg text desc"
)
_CELLS = frozenset({"td", "th"})
_PICTURES = frozenset({"img", "area", "input"})
_AUTHORS = (
    "author",
    "citation_author",
    "dc.creator",
    "dcterms.creator",
    "article:author",
    "parsely-author",
)
_DATES = (
    "article:published_time",
    "datepublished",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "dc.date",
    "dcterms.date",
    "date",
    "pubdate",
    "publish-date",
    "publication_date",
    "citation_publication_date",
    "citation_date",
    "created",
    "article:modified_time",
    "datemodified",
    "dcterms.modified",
    "last-modified",
    "revised",
)
_MAX_METAS = 200
_HEADING = re.compile("h[1-6]")


class HtmlPage:
    """The visible text of a page, its blocks on lines of their own."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._outline = Outline("heading")
        self._about = About()

    def pieces(self) -> Iterator[str]:
        """Parse the page, and give its text."""
        tree = parsed(decode_page(self._source.read_all()))
        if tree.root is None:
            raise Unreadable("damaged: no HTML in it")
        self._note(tree)
        yield _visible_text(tree.root, PageWriter(self._outline))

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the headings of a block."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give title, language and headings."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _note(self, tree: LexborHTMLParser) -> None:
        title = tree.css_first("head > title, body > title") or tree.css_first("h1")
        if title is not None:
            self._about.title = label(title.text()) or None
        attributes = tree.root.attributes if tree.root else {}
        tag = attributes.get("lang") or attributes.get("xml:lang") or ""
        self._about.language = language_code(tag)
        stated = _stated(tree)
        self._about.day = _day(stated)
        if author := _author(stated):
            self._about.metadata["author"] = author


def decode_page(data: bytes) -> str:
    """Decode a page, by the charset that it states if that fits.

    Raises:
        Unsupported: The bytes are no text.
    """
    found = _CHARSET.search(data, 0, 4096)
    declared = (found[1] or found[2]).decode() if found else None
    markup = "".join(decode_stream([data], declared=declared))
    is_xml = _XHTML.search(markup, 0, 4096)
    return _SELF_CLOSED.sub(r"<\1\2></\1>", markup) if is_xml else markup


def parsed(markup: str) -> LexborHTMLParser:
    """Parse a page.

    Raises:
        Unreadable: It was made to keep a parser busy.
    """
    demand_shallow(markup)
    return LexborHTMLParser(markup)


def read_markup(
    markup: str,
    outline: Outline,
    char_start: int = 0,
    anchors: dict[str, int] | None = None,
) -> str:
    """Give the visible text of a page that is part of a document.

    Args:
        markup: HTML, decoded.
        outline: Gets the headings of the page.
        char_start: Where the text will begin in the document.
        anchors: For the ids that are its keys, gets where they stand in the document.
    """
    root = parsed(markup).root
    writer = PageWriter(outline, char_start, anchors)
    return _visible_text(root, writer) if root else ""


def _visible_text(root: LexborNode, writer: PageWriter) -> str:
    _walk(root, writer)
    return "".join(writer.parts)


def _stated(tree: LexborHTMLParser) -> Mapping[str, list[str]]:
    """Collect what the page's head states of it."""
    stated = defaultdict(list)
    for node in tree.css("meta[content]")[:_MAX_METAS]:
        at = node.attributes
        name = at.get("property") or at.get("name") or at.get("itemprop") or ""
        stated[name.lower()].append(at.get("content") or "")
    return stated


def _day(stated: Mapping[str, list[str]]) -> date | None:
    """Take the day of its first edition, or else another one."""
    days = (read_day(stated[name][0]) for name in _DATES if name in stated)
    return next(filter(None, days), None)


def _author(stated: Mapping[str, list[str]]) -> str:
    """Take all who wrote it; an address of theirs is no name."""
    for name in _AUTHORS:
        people = [one.strip() for one in stated.get(name, ()) if "://" not in one]
        if any(people):
            return label(", ".join(filter(None, people)))
    return ""


def _walk(root: LexborNode, writer: PageWriter) -> None:
    """Go through the tree without recursion: it may be 100,000 levels deep."""
    node: LexborNode | None = root
    n_pre = 0
    while node is not None:
        tag = node.tag
        if tag == "-text":
            writer.write(clean(node.text_content or ""), preformatted=n_pre > 0)
        elif tag in _PICTURES:
            writer.write_alone(node.attributes.get("alt") or "")
        child = None if tag in _INVISIBLE or tag is None else node.first_child
        if tag != "-text" and tag is not None:
            _enter(tag, writer)
            if writer.anchors:
                _pass_anchors(node, writer)
        if child is not None:
            n_pre += tag == "pre"
            node = child
            continue
        while node is not None:
            _leave(node.tag, writer)
            following = node.next
            if following is not None or node.mem_id == root.mem_id:
                node = following
                break
            node = node.parent
            n_pre -= node is not None and node.tag == "pre"


def _enter(tag: str, writer: PageWriter) -> None:
    if tag in _PARAGRAPHS:
        writer.separate("\n\n")
    elif tag in _LINES:
        writer.separate("\n")
    elif tag in _CELLS:
        writer.separate("\t")
    if _HEADING.fullmatch(tag):
        writer.open_heading(int(tag[1]))


def _pass_anchors(node: LexborNode, writer: PageWriter) -> None:
    for key in ("id", "name"):
        if name := node.attributes.get(key):
            writer.pass_anchor(name)


def _leave(tag: str | None, writer: PageWriter) -> None:
    if tag is None or tag == "-text":
        return
    if _HEADING.fullmatch(tag):
        writer.close_heading()
    if tag in _PARAGRAPHS:
        writer.separate("\n\n")
    elif tag in _LINES:
        writer.separate("\n")
