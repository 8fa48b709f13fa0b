"""Text from files as a terminal may be given it.

It is hostile: every path, passage, title and reason goes through `visible` before a
terminal sees it, and nothing is ever parsed as markup.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1 controls: escape sequences start here
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi: text that reads backwards
    "\u2028\u2029"  # line ends that are no line ends
    "\ud800-\udfff]"  # bytes of a path that are not UTF-8, and lone surrogates
)
"""Characters that a terminal obeys."""
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    r"""Replace what could steer a terminal by what it is: ESC becomes `\x1b`."""
    return HOSTILE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is not UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible_path(path: bytes | Path) -> str:
    """Show a path: below the working folder relative to it, else absolute."""
    text = os.fsdecode(path)
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the working folder was removed under us
        return visible(text)
    own = Path(text)
    return visible(str(own.relative_to(here)) if own.is_relative_to(here) else text)
