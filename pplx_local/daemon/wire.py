"""What goes over the socket: one JSON object on a line, in both directions.

    -> {"v": 1, "id": 7, "call": "search", "args": {...}}
    <- {"v": 1, "id": 7, "progress": {...}}      any number of them
    <- {"v": 1, "id": 7, "result": ...}          or "error": {"type": ..., "message": ...}

Bytes travel in base64, named tuples as lists; numbers that are not finite as Python's
json writes them. `hello` and `stop` stay what they are in all versions, so that any
program can end any daemon.

The client's end is here too, and loads next to nothing for a search.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pplx_local import errors
from pplx_local.answer import (
    Answer,
    Copy,
    Elsewhere,
    Hit,
    LegReport,
    Match,
    Place,
    Span,
)
from pplx_local.daemon.place import PROTOCOL
from pplx_local.errors import DaemonError, PplxLocalError

if TYPE_CHECKING:
    from pplx_local.records import Progress

LONGEST_LINE_BYTES = 16_000_000
ANEW = "pplx-local daemon stop; pplx-local daemon start"
"""What to do about a daemon that is of another version, or not understood."""

_Record = TypeVar("_Record")


class Request(NamedTuple):
    """A call that was asked for."""

    number: int
    """Comes back with every reply."""
    call: str
    args: Mapping[str, Any]


class Result(NamedTuple):
    """The end of a call."""

    value: Any


def request_line(request: Request, version: int = PROTOCOL) -> bytes:
    """Write a request."""
    message = {"v": version, "id": request.number}
    said = message | {"call": request.call, "args": request.args}
    return json.dumps(said, default=_base64).encode() + b"\n"


def _base64(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode()


def parse_reply(line: bytes, call: str) -> Progress | Result:
    """Read a reply to a call.

    Raises:
        PplxLocalError: What the call has raised; DaemonError where that, or the whole
            reply, is not understood.
    """
    try:
        message = json.loads(line)
        if "progress" in message:
            return _progress(message["progress"])
        if "result" in message:
            return Result(_result(message["result"], call))
        kind, said = str(message["error"]["type"]), str(message["error"]["message"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DaemonError(
            f"The daemon's answer is not understood. Start it anew: {ANEW}"
        ) from error
    raise _known(kind)(said)


def _known(kind: str) -> type[PplxLocalError]:
    """Find the error of a name; one that only the daemon's version has is its own."""
    found = getattr(errors, kind, None)
    if isinstance(found, type) and issubclass(found, PplxLocalError):
        return found
    return DaemonError


# --- results, without the types of all calls where it can be -----------------


def _progress(sent: Any) -> Progress:
    from pplx_local.daemon.signatures import as_progress

    progress: Progress = as_progress(sent)
    return progress


def _result(sent: Any, call: str) -> Any:
    if call == "hello":
        return dict(sent)
    if call in ("search", "similar"):
        return _answer(sent)
    from pplx_local.daemon.signatures import as_result

    return as_result(call, sent)


def _answer(sent: Sequence[Any]) -> Answer:
    answer = Answer(*sent)
    legs = {leg: LegReport(*report) for leg, report in answer.legs.items()}
    hits, hints = tuple(map(_hit, answer.hits)), tuple(answer.hints)
    return answer._replace(legs=legs, hits=hits, hints=hints)


def _hit(sent: Sequence[Any]) -> Hit:
    hit = Hit(*sent)
    return hit._replace(
        path=a2b_base64(hit.path),
        char_span=Span(*hit.char_span),
        place=_each(Place, hit.place),
        matches=_each(Match, hit.matches),
        words=_each(Span, hit.words),
        more_in_file=tuple(map(_elsewhere, hit.more_in_file)),
        same=tuple(Copy(a2b_base64(path), *rest) for path, *rest in hit.same),
    )


def _elsewhere(sent: Sequence[Any]) -> Elsewhere:
    passage = Elsewhere(*sent)
    return passage._replace(place=_each(Place, passage.place))


def _each(kind: Callable[..., _Record], sent: Iterable[Any]) -> tuple[_Record, ...]:
    return tuple(kind(*fields) for fields in sent)
