"""The daemon's end of `wire`: requests read, replies written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

from pplx_local.daemon.place import PROTOCOL
from pplx_local.daemon.signatures import CALLS, as_args, plain
from pplx_local.daemon.wire import LONGEST_LINE_BYTES, Request
from pplx_local.errors import DaemonError, PplxLocalError
from pplx_local.records import Progress

# --- requests ----------------------------------------------------------------


def read_line(stream: BinaryIO) -> bytes:
    """Read a line with its end; nothing when the other end has gone.

    Raises:
        DaemonError: It is longer than any request is; it was passed over.
    """
    line = stream.readline(LONGEST_LINE_BYTES)
    if line.endswith(b"\n"):
        return line
    if len(line) < LONGEST_LINE_BYTES:
        return b""
    while line and not line.endswith(b"\n"):
        line = stream.readline(LONGEST_LINE_BYTES)
    raise DaemonError(f"A request is longer than {LONGEST_LINE_BYTES:,} bytes.")


def parse_line(line: bytes) -> dict[str, Any]:
    """Read the object on a line.

    Raises:
        DaemonError: There is none.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DaemonError("What came over the socket is not JSON.") from error
    if not isinstance(message, dict):
        raise DaemonError("What came over the socket is no JSON object.")
    return message


def number_of(message: Mapping[str, Any]) -> int | None:
    """Find which request an answer should name; None where it has no number."""
    number = message.get("id")
    return number if type(number) is int else None


def as_request(message: Mapping[str, Any]) -> Request:
    """Take a message as a request, its arguments as the types that the call has.

    Raises:
        DaemonError: It is none, is of another version, or names no call that there is.
    """
    number = number_of(message)
    if number is None:
        raise DaemonError("A request has a whole number as its id.")
    if message.get("v") != PROTOCOL:
        raise DaemonError(f"This daemon speaks version {PROTOCOL} of its protocol.")
    name = message.get("call")
    if not isinstance(name, str) or name not in CALLS:
        raise DaemonError(f"There is no such call; there are {', '.join(CALLS)}.")
    return Request(number, name, as_args(name, message.get("args")))


# --- replies -----------------------------------------------------------------


def progress_line(number: int, progress: Progress) -> bytes:
    """Write how far a call has come."""
    return _line(number, progress=progress)


def result_line(number: int, result: Any) -> bytes:
    """Write what a call gave."""
    return _line(number, result=result)


def error_line(number: int | None, error: PplxLocalError) -> bytes:
    """Write why a call gave nothing."""
    said = {"type": type(error).__name__, "message": str(error)}
    return _line(number, error=said)


def _line(number: int | None, **content: Any) -> bytes:
    message = {"v": PROTOCOL, "id": number} | plain(content)
    return json.dumps(message).encode() + b"\n"
