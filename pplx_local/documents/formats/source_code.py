"""Source code: the text as it is, with its top-level definitions as places."""

from __future__ import annotations

import re
from types import MappingProxyType

from pplx_local.documents.formats.format import About
from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.text import Text
from pplx_local.documents.kinds import Kind
from pplx_local.documents.source import Source

_NAME = r"(?P<name>[\w$]{1,100})"
_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|abstract|final"
    r"|sealed|open|data|async|unsafe|pub(?:\([a-z:]{1,40}\))?|extern|inline|const"
    r"|declare) ){0,6}"
)
_KEYWORD = (
    r"(?:class|struct|enum|interface|trait|union|object|protocol|namespace|module"
    r"|record|type|extension|impl(?:<[^>\n]{0,80}>)?"
    r"|function\*?|func|fun|fn|def|defmodule|sub)"
)
_C_TYPE = rf"{_MODIFIERS}(?:struct|enum|union) (?P<type>\w{{1,100}})\s{{0,5}}\{{"
_C_FUNCTION = (
    r"[A-Za-z_][\w:<>,*& \t]{0,120}?[ \t*&](?P<name>[\w:~]{1,100})\([^;\n]{0,300}$"
)
_SQL_OBJECT = r"(?:table|view|function|procedure|trigger|index)"

# Every repetition is bounded: the time stays linear whatever the file holds.
_DEFINITIONS = MappingProxyType(
    {
        "Python": rf"(?:@[^\n]{{0,200}}\n){{0,8}}(?:async )?(?:def|class) {_NAME}",
        "Ruby": rf"(?:def|class|module) {_NAME}",
        "Go": rf"(?:func (?:\([^)\n]{{0,100}}\) )?|type ){_NAME}",
        "shell": rf"(?:function )?{_NAME} ?\(\)",
        "SQL": rf"(?i:create (?:or replace )?{_SQL_OBJECT} (?:if not exists )?){_NAME}",
        "C": f"(?:{_C_TYPE}|{_C_FUNCTION})",
    }
)
_ANY_LANGUAGE = f"{_MODIFIERS}{_KEYWORD} {_NAME}"
_SAME_AS_C = frozenset({"C++", "Objective-C"})


class SourceCode(Text):
    """Definitions that start in the first column: a light look, not a parser."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__(source, kind)
        language = "C" if kind.label in _SAME_AS_C else kind.label
        pattern = _DEFINITIONS.get(language, _ANY_LANGUAGE)
        self._definition = re.compile(f"^{pattern}", re.MULTILINE)
        self._outline = Outline("symbol")

    def breaks(self, char_start: int, text: str) -> list[int]:
        """Find the top-level definitions of a block."""
        for found in self._definition.finditer(text):
            names = found.groupdict()
            name = names["name"] or names.get("type") or ""
            self._outline.add(char_start + found.start(), 1, name)
        return self._outline.starts(char_start, char_start + len(text))

    def about(self, n_chars: int) -> About:
        """Give the definitions and the language."""
        self._about.segments = self._outline.segments(n_chars)
        self._about.metadata["code_language"] = self._kind.label
        return self._about
