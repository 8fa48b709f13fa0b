"""Code in colours: no bold, underlines or italics, which are for what matched.

Loading a lexer takes up to 0.2 s, and reading a stretch 0.03 s: never on an event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from pygments.lexers import (
    find_lexer_class_by_name,
    find_lexer_class_for_filename,
)
from pygments.token import Token
from pygments.util import ClassNotFound

from pplx_local.tui.rendering.line import Piece

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

_MAX_CHARS = 50_000
_MAX_LINE_CHARS = 2_000
"""Longer ones are not written by people, and some lexers are slow with them."""
_STYLES = {
    Token.Comment: "$foreground-muted",
    Token.Keyword: "$text-accent",
    Token.Literal.Number: "$text-warning",
    Token.Literal.String: "$text-success",
    Token.Name.Attribute: "$text-warning",
    Token.Name.Builtin: "$text-accent",
    Token.Name.Class: "$text-warning",
    Token.Name.Decorator: "$text-secondary",
    Token.Name.Function: "$text-primary",
    Token.Name.Tag: "$text-primary",
    Token.Operator.Word: "$text-accent",
    Token.Generic.Deleted: "$text-error",
    Token.Generic.Inserted: "$text-success",
    Token.Generic.Heading: "$text-primary",
    Token.Generic.Subheading: "$text-secondary",
}


def code_of_file(code: str, name: str) -> list[Piece]:
    """Colour a stretch of a file as its name tells; what has no language is plain."""
    return _coloured(code, _lexer_of_file(name))


def code_of_language(code: str, language: str) -> list[Piece]:
    """Colour code in a language by its name, such as "python"."""
    return _coloured(code, _lexer_of_language(language))


@cache
def _lexer_of_file(name: str) -> type[Lexer] | None:
    return find_lexer_class_for_filename(name)


@cache
def _lexer_of_language(language: str) -> type[Lexer] | None:
    try:
        return find_lexer_class_by_name(language)
    except ClassNotFound:
        return None


def _coloured(code: str, lexer: type[Lexer] | None) -> list[Piece]:
    if lexer is None or _is_unwieldy(code):
        return [Piece(0, len(code))]
    return [Piece(*run) for run in _runs(code, lexer())]


def _is_unwieldy(code: str) -> bool:
    longest = max(map(len, code.split("\n")))
    return len(code) > _MAX_CHARS or longest > _MAX_LINE_CHARS


def _runs(code: str, lexer: Lexer) -> Iterator[tuple[int, int, str]]:
    """Give runs of one style that cover the code, also where a lexer leaves a gap."""
    start, style = 0, ""
    for at, kind, value in lexer.get_tokens_unprocessed(code):
        now = _style_of(kind)
        if value and now != style and at >= start:
            yield start, at, style
            start, style = at, now
    yield start, len(code), style


@cache
def _style_of(kind: _TokenType) -> str:
    while kind is not None:
        if style := _STYLES.get(kind):
            return style
        kind = kind.parent
    return ""
