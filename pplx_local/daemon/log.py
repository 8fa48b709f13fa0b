"""The daemon's log: what happened and when, and nothing of what it read.

Files are counted in it and not named: a name is as private as a text, and
`pplx-local files --state failed` tells the names to the person who asks.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from pplx_local.errors import DaemonError

_NAME = "daemon.log"
_MAX_BYTES = 1_000_000
_OLDER_FILES = 3


def log_file(home: Path) -> Path:
    """Say where the log of a home lies."""
    return home / "logs" / _NAME


def open_log(home: Path, *, to_stderr: bool) -> logging.Logger:
    """Open the log of a home's daemon. The interpreter closes it at its end.

    Args:
        home: Where the state lives.
        to_stderr: Whether each line goes there, too.

    Raises:
        DaemonError: The file cannot be written.
    """
    handlers: list[logging.Handler] = [_file_handler(log_file(home))]
    if to_stderr:
        handlers.append(logging.StreamHandler(sys.stderr))
    # Of nobody's tree: what the libraries log may hold names and texts.
    logger = logging.Logger("pplx_local.daemon", logging.INFO)
    for handler in handlers:
        handler.setFormatter(_OneLine())
        logger.addHandler(handler)
    return logger


def log_bug(logger: logging.Logger, error: BaseException) -> None:
    """Log an exception that nobody foresaw: where it arose, and no word of it.

    Its message, the source lines and the variables may hold what a document says.
    """
    causes = [f"{type(one).__name__} at {_where(one)}" for one in _causes(error)]
    logger.error("a bug: %s", ", after ".join(causes))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an exception and those that it arose from; they may go in a circle."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and all(cause is not one for one in seen):
        seen.append(cause)
        yield cause
        cause = cause.__cause__ or cause.__context__


def _where(error: BaseException) -> str:
    places = [
        f"{_file(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return " > ".join(places) or "an unknown place"


def _file(path: str) -> str:
    """Leave out where the program lies: the person's name is in there."""
    return "/".join(Path(path).parts[-2:])


class _OwnerOnly(RotatingFileHandler):
    """A log that only its owner can read, whatever the process's umask."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the line: a full disk is told by `status`, and ends nothing here."""


class _OneLine(logging.Formatter):
    """A line for each record, and nothing in it that a terminal obeys."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the record, without what `exc_info` would add: see `log_bug`."""
        line = f"{self.formatTime(record)} {record.levelname} {record.getMessage()}"
        return "".join(c if c.isprintable() else _escaped(c) for c in line)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _file_handler(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _OwnerOnly(
            path,
            maxBytes=_MAX_BYTES,
            backupCount=_OLDER_FILES,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        raise DaemonError(
            f"Cannot write the log {path}: {error.strerror}. Make its folder writable, "
            "or choose another place with --home DIR."
        ) from error
