"""From what went wrong to a message and an exit code; a traceback is no message."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from pplx_local.cli.invocation import Invocation
from pplx_local.cli.show import OutputClosed, flush_data, say
from pplx_local.errors import PplxLocalError
from pplx_local.wording.amounts import GOES_ON

NOTHING_FOUND = 1
ERROR = 2
SOME_FAILED = 3
INTERRUPTED = 130
OUTPUT_CLOSED = 141
"""What a shell reports for a program that SIGPIPE ended, as it does `grep`."""

_RESUMABLE = {"add", "update", "models"}
_FOLLOWED = {"add", "update"}

_Result = TypeVar("_Result")
_Exceptions = tuple[type[BaseException], ...]


def guarded(
    invocation: Invocation,
    run: Callable[[], _Result],
    orderly: _Exceptions = (),
) -> _Result:
    """Run a command: the one place where exceptions become exit codes.

    Args:
        invocation: What was said before the command.
        run: The command.
        orderly: Exceptions that are no bugs, and somebody else's to handle.

    Raises:
        SystemExit: With the exit code of what went wrong.
    """
    with _BugReport(invocation, (SystemExit, *orderly)):
        try:
            return _flushed(run)
        except PplxLocalError as error:
            if invocation.verbose:
                sys.stderr.write(_trace(error))
            say(f"pplx-local: {error}")
            raise SystemExit(ERROR) from error
        except KeyboardInterrupt as error:
            say(_farewell(invocation))
            raise SystemExit(INTERRUPTED) from error
        except OutputClosed as error:
            _silence_stdout()
            raise SystemExit(OUTPUT_CLOSED) from error


def _flushed(run: Callable[[], _Result]) -> _Result:
    try:
        return run()
    finally:
        flush_data()


def _farewell(invocation: Invocation) -> str:
    if invocation.goes_on and invocation.command in _FOLLOWED:
        return GOES_ON
    if invocation.command in _RESUMABLE:
        return "Stopped. What was done is kept; run the same command to go on."
    return "Stopped."


def _silence_stdout() -> None:
    """Keep the interpreter's own last flush from complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _trace(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


class _BugReport(AbstractContextManager["_BugReport"]):
    """Turns an exception that nobody foresaw into one line and a file to send."""

    def __init__(self, invocation: Invocation, orderly: _Exceptions) -> None:
        self._invocation, self._orderly = invocation, orderly

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, self._orderly):
            return
        text = _trace(error)
        if self._invocation.verbose:
            sys.stderr.write(text)
        summary = f"{type(error).__name__}: {error}"
        say(f"This is a bug in pplx-local: {summary}. {self._kept(text)}")
        raise SystemExit(ERROR) from error

    def _kept(self, text: str) -> str:
        try:
            path = _write_log(self._invocation.home_folder(), text)
        except OSError:
            return "Run it again with -v before the command to see where."
        return f"What is needed to mend it is in {path}; no file of yours is in there."


def _write_log(home: Path, text: str) -> Path:
    folder = home / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / time.strftime("bug-%Y%m%d-%H%M%S.txt")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(text)
    return path
