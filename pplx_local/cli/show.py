"""What reaches a terminal or a pipe: escaped, and data apart from messages."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, NoReturn

from pplx_local.errors import PplxLocalError
from pplx_local.wording.visible import HOSTILE, visible

if TYPE_CHECKING:
    from rich.console import Console

_LIKE_A_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Variables that make rich write as to a terminal, also where there is none."""


class OutputClosed(Exception):
    """The reader of stdout has gone, as `head` does when it has enough."""


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
    write_data(HOSTILE.sub(_json_escape, text))


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
