"""What goes over the socket: one JSON object on a line, in both directions.

    -> {"v": 1, "id": 7, "call": "search", "args": {...}}
    <- {"v": 1, "id": 7, "progress": {...}}      any number of them
    <- {"v": 1, "id": 7, "result": ...}          or "error": {"type": ..., "message": ...}

Bytes travel in base64; numbers that are not finite as Python's json writes them. `hello`
and `stop` stay what they are in all versions, so that any program can end any daemon.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, NamedTuple

import msgspec

from pplx_local import errors
from pplx_local.answer import Answer, Mode
from pplx_local.daemon.place import PROTOCOL
from pplx_local.errors import DaemonError, PplxLocalError

if TYPE_CHECKING:
    from pplx_local.records import Progress

LONGEST_LINE_BYTES = 16_000_000
ENDED = "The daemon ended. What was done is kept; run the same command again."
"""Said by the daemon while it can be, and by the client when it cannot."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
"""Of hits: beyond, it is no count that anyone could want."""


class Call(NamedTuple):
    """What a call takes and gives, as types."""

    args: Mapping[str, Any] = {}
    """By name; none is left out."""
    result: Any = None
    """A string names one of the records, which most clients need not load."""

    def result_type(self) -> Any:
        """Give the type of the result."""
        return _record(self.result) if isinstance(self.result, str) else self.result


def _record(name: str) -> Any:
    from pplx_local import records

    return getattr(records, name)


CALLS: Mapping[str, Call] = {
    "hello": Call(result=dict[str, Any]),
    "search": Call(
        {"query": str, "k": _Count, "mode": Mode, "explain": bool, "wait": bool},
        Answer,
    ),
    "status": Call(result="Status"),
    "add": Call({"paths": list[bytes], "index": bool}, "Outcome"),
    "update": Call({"paths": list[bytes] | None}, "Outcome"),
    "remove": Call({"path": bytes}, int),
    "purge": Call(result=tuple[int, int]),
    "estimate_model": Call({"name": str}, "ModelEstimate"),
    "use_model": Call({"name": str}, list[str]),
    "pause": Call(),
    "resume": Call(),
    "stop": Call(),
}


class Request(NamedTuple):
    """A call that was asked for."""

    number: int
    """Comes back with every reply."""
    call: str
    args: Mapping[str, Any]


# --- lines -------------------------------------------------------------------


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


def _line(number: int | None, version: int = PROTOCOL, **content: Any) -> bytes:
    message = {"v": version, "id": number} | content
    plain = msgspec.to_builtins(message, enc_hook=_number)
    return json.dumps(plain).encode() + b"\n"


def _number(value: Any) -> Any:
    """Scores may be numpy's numbers."""
    return value.item()


# --- requests ----------------------------------------------------------------


def request_line(request: Request, version: int = PROTOCOL) -> bytes:
    """Write a request."""
    return _line(request.number, version, call=request.call, args=request.args)


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
    call = CALLS.get(name) if isinstance(name, str) else None
    if call is None:
        raise DaemonError(f"There is no such call; there are {', '.join(CALLS)}.")
    return Request(number, str(name), _args(call, message.get("args")))


def _args(call: Call, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict) or given.keys() != call.args.keys():
        raise DaemonError(f"The arguments are {', '.join(call.args) or 'none'}.")
    try:
        return {
            name: msgspec.convert(given[name], kind) for name, kind in call.args.items()
        }
    except msgspec.ValidationError as error:
        raise DaemonError(f"An argument is wrong: {error}.") from error


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


class Result(NamedTuple):
    """The end of a call."""

    value: Any


def parse_reply(line: bytes, call: str) -> Progress | Result:
    """Read a reply to a call.

    Raises:
        PplxLocalError: What the call has raised; DaemonError where that, or the whole
            reply, is not understood.
    """
    try:
        message = json.loads(line)
        if "progress" in message:
            progress: Progress = msgspec.convert(
                message["progress"], _record("Progress")
            )
            return progress
        if "result" in message:
            return Result(msgspec.convert(message["result"], CALLS[call].result_type()))
        error = msgspec.convert(message["error"], dict[str, str])
        kind, said = error["type"], error["message"]
    except (ValueError, TypeError, KeyError) as error:
        raise DaemonError(
            "The daemon's answer is not understood. Start it anew: pplx-local daemon "
            "stop; pplx-local daemon start"
        ) from error
    raise _known(kind)(said)


def _known(kind: str) -> type[PplxLocalError]:
    """Find the error of a name; one that only the daemon's version has is its own."""
    found = getattr(errors, kind, None)
    if isinstance(found, type) and issubclass(found, PplxLocalError):
        return found
    return DaemonError
