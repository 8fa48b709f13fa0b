"""XML documents: their text on the lines of the file, or all of it where tags say more.

Where somebody wrote sentences, tags are noise: the text alone is read. Where values are
short or stand in attributes, as in settings and records, nobody finds anything without
the names beside them: such a file is read as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from pplx_local.documents.decode import decode_stream
from pplx_local.documents.formats.format import About, label
from pplx_local.documents.formats.markdown import language_code
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.text import Text
from pplx_local.documents.formats.xml.tokens import Token, Words, tokens
from pplx_local.documents.formats.xml.writer import XmlWriter
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source
from pplx_local.documents.xml_events import stated_encoding

_HEAD_CHARS = 1 << 18
"""What is looked at to know what a file is like."""

_LONG_LINE_CHARS = 1_000
_SENTENCE_WORDS = 5
_VALUE = re.compile(
    r"""(?<![\w:.-])(?!xmlns)[\w:.-]{1,100}+\s*+=\s*+["']([^"']*)["']"""
)
_LANGUAGE = re.compile(r"""xml:lang\s{0,5}=\s{0,5}["']([\w-]{1,35})["']""")
_OF_OFFICE = "<?mso-application"
"""In such a text, attributes only say how it looks."""

_OF_WORD = '<?mso-application progid="Word'
"""The lines of its file end anywhere."""

_FEED = re.compile(r"<(?:rss|feed|rdf:RDF)\b")
"""Its texts are pages of HTML, each as one string."""

_MORE_BLANKS = re.compile(r"(?<=\s) +")


class XmlDocument(Text):
    """The text of XML, which need not be well-formed."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        self._outline = Outline("heading")

    def pieces(self) -> Iterator[str]:
        """Give the text without its markup, or with it where that says more."""
        start = self._source.read()
        data = chain((start,), iter(self._source.read, b""))
        decoded = decode_stream(data, declared=stated_encoding(start))
        first = next(decoded, "")
        head, pieces = first[:_HEAD_CHARS], chain((first,), decoded)
        return self._texts(head, pieces) if _is_prose(head) else pieces

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Give the headings of a block."""
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give title, language and headings."""
        self._about.segments = self._outline.segments(n_chars)
        return self._about

    def _texts(self, head: str, pieces: Iterator[str]) -> Iterator[str]:
        is_one_line, is_feed = _is_one_line(head), _FEED.search(head) is not None
        writer = XmlWriter(
            self._outline,
            border="\n" if is_one_line else " ",
            keeps_lines=not is_one_line and _OF_WORD not in head,
        )
        for token in tokens(pieces):
            writer.add(_page(token) if is_feed else token)
            if isinstance(token, Words):
                yield writer.take()
        self._about.title = label(writer.title) or None
        language = _LANGUAGE.search(head)
        self._about.language = language_code(language[1]) if language else None


def _page(token: Token) -> Token:
    """Take the tags out of a text that is a page itself."""
    if not isinstance(token, Words):
        return token
    plain = "".join(
        one.text if isinstance(one, Words) else " " + "\n" * one.n_lines
        for one in tokens([token.text])
    )
    return Words(_MORE_BLANKS.sub("", plain))


def _is_prose(head: str) -> bool:
    """Say whether sentences are more than half of the words, and more than the values."""
    if _OF_OFFICE in head:
        return True
    n_sentences = n_others = n_values = 0
    for token in tokens([head]):
        if not isinstance(token, Words):
            n_values += sum(map(len, _VALUE.findall(token.attributes)))
        elif len(token.text.split(None, _SENTENCE_WORDS)) >= _SENTENCE_WORDS:
            n_sentences += len(token.text)
        else:
            n_others += len(token.text.strip())
    return n_sentences > max(n_others, n_values)


def _is_one_line(head: str) -> bool:
    return len(head) > (head.count("\n") + 1) * _LONG_LINE_CHARS
