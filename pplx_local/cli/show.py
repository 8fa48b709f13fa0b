"""What reaches a terminal or a pipe: escaped, and data apart from messages.

Text from files is hostile. Every path, passage, title and reason goes through `visible`
before a terminal sees it, and nothing is ever parsed as markup.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from pplx_local.errors import PplxLocalError

if TYPE_CHECKING:
    from rich.console import Console

_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1 controls: escape sequences start here
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi: text that reads backwards
    "\u2028\u2029"  # line ends that are no line ends
    "\ud800-\udfff]"  # bytes of a path that are not UTF-8, and lone surrogates
)
_LIKE_A_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Variables that make rich write as to a terminal, also where there is none."""
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


class OutputClosed(Exception):
    """The reader of stdout has gone, as `head` does when it has enough."""


def visible(text: str) -> str:
    r"""Replace what could steer a terminal by what it is: ESC becomes `\x1b`."""
    return _HOSTILE.sub(_escape, text)


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


# --- data, to stdout ---------------------------------------------------------


def write_data(text: str) -> None:
    """Write a line to stdout.

    Raises:
        OutputClosed: Nobody reads it any more.
        PplxLocalError: It cannot be written, for want of room say.
    """
    try:
        sys.stdout.write(text + "\n")
    except OSError as error:
        _refuse(error)


def flush_data() -> None:
    """Hand on what is buffered, so that a failure is seen here and not at exit."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _refuse(error)


def _refuse(error: OSError) -> NoReturn:
    if isinstance(error, BrokenPipeError):
        raise OutputClosed from error
    raise PplxLocalError(f"Cannot write the output: {error.strerror}.") from error


def write_json(value: Any) -> None:
    """Write one line of JSON: UTF-8, and without a character that steers a terminal.

    Hostile characters stay in the data, but escaped.
    """
    use_utf8(sys.stdout)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    write_data(_HOSTILE.sub(_json_escape, text))


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    # Half of a surrogate pair is valid nowhere, so it becomes the replacement sign.
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def use_utf8(stream: IO[str]) -> None:
    """JSON is UTF-8 whatever the locale says."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8")


def json_path(path: bytes) -> dict[str, str]:
    """Give a path as JSON, with its bytes in base64 where it is not UTF-8."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        import base64

        lossy = path.decode(errors="replace")
        return {"path": lossy, "path_bytes": base64.b64encode(path).decode("ascii")}


# --- messages, to stderr -----------------------------------------------------


def say(text: str) -> None:
    """Write a message to stderr, escaped; when nobody is there, nobody is told."""
    with suppress(OSError):
        sys.stderr.write(visible(text) + "\n")


def stderr_console() -> Console:
    """A console for progress."""
    return _console(stderr=True)


def stdout_console() -> Console | None:
    """A console for data that a person reads; None where no terminal shows it."""
    if not (sys.stdout.isatty() or any(map(os.environ.get, _LIKE_A_TERMINAL))):
        return None  # without loading rich, which takes longer than many a search
    console = _console(stderr=False)
    return console if console.is_terminal else None


def _console(*, stderr: bool) -> Console:
    """Without markup and highlighting: what it shows comes from files."""
    from rich.console import Console

    class _Piped(Console):
        def on_broken_pipe(self) -> None:
            raise OutputClosed

    return _Piped(
        stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True
    )
