"""What each call on the socket takes and gives, as types, and values turned into them.

Apart from `wire`, because msgspec takes as long to load as a search takes: clients do
without it where they only search.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import Annotated, Any, NamedTuple

import msgspec

from pplx_local.answer import Answer, Extract, Mode, Picture, State
from pplx_local.errors import DaemonError

MOST_FILES = 1_000
"""That are listed at once: a page has to be short enough to be shown while it is asked
for."""
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
"""Of hits: beyond, it is no count that anyone could want."""


_Page = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Several(NamedTuple):
    """Any number of records of a kind, by its name."""

    record: str


class Call(NamedTuple):
    """What a call takes and gives, as types."""

    args: Mapping[str, Any] = {}
    """By name; none is left out."""
    result: Any = None
    """A string names one of the records, which most clients need not load."""


_WHICH_FILES = {
    "state": State | None,
    "folder": bytes | None,
    "after": bytes | None,
    "limit": Annotated[int, msgspec.Meta(ge=1, le=MOST_FILES)],
}
_WISH = {"k": _Count, "mode": Mode, "explain": bool, "folded": bool, "wait": bool}

CALLS: Mapping[str, Call] = {
    "hello": Call(result=dict[str, Any]),
    "search": Call({"query": str} | _WISH, Answer),
    "similar": Call({"path": bytes, "line": int | None} | _WISH, Answer),
    "text": Call({"path": bytes, "char_start": int, "char_end": int}, Extract),
    "picture": Call({"path": bytes, "page": _Page}, Picture),
    "status": Call(result="Status"),
    "files": Call(_WHICH_FILES, Several("FileRecord")),
    "why": Call({"path": bytes}, str),
    "recent": Call({"after": int}, Several("FileEvent")),
    "retry": Call({"paths": list[bytes] | None}, int),
    "survey": Call({"path": bytes}, "Survey"),
    "add": Call({"paths": list[bytes], "index": bool}, "Outcome"),
    "update": Call({"paths": list[bytes] | None}, "Outcome"),
    "remove": Call({"path": bytes}, int),
    "purge": Call(result=tuple[int, int]),
    "models": Call(result="ModelList"),
    "follow_settings": Call(result=dict[str, str | bool | int | float]),
    "estimate_model": Call({"name": str}, "ModelEstimate"),
    "use_model": Call({"name": str}, list[str]),
    "pause": Call(),
    "resume": Call(),
    "stop": Call(),
}


def as_args(name: str, given: Any) -> Mapping[str, Any]:
    """Take what was sent as the arguments of a call.

    Raises:
        DaemonError: They are none.
    """
    kinds = CALLS[name].args
    if not isinstance(given, dict) or given.keys() != kinds.keys():
        raise DaemonError(f"The arguments are {', '.join(kinds) or 'none'}.")
    try:
        return {arg: msgspec.convert(given[arg], kind) for arg, kind in kinds.items()}
    except msgspec.ValidationError as error:
        raise DaemonError(f"An argument is wrong: {error}.") from error


def as_result(name: str, given: Any) -> Any:
    """Take what was sent as what a call gives.

    Raises:
        ValueError: It is something else.
    """
    kind = CALLS[name].result
    return msgspec.convert(given, _type(kind))


def _type(kind: Any) -> Any:
    if isinstance(kind, Several):
        return GenericAlias(list, _record(kind.record))
    return _record(kind) if isinstance(kind, str) else kind


def as_progress(given: Any) -> Any:
    """Take what was sent as a `Progress`.

    Raises:
        ValueError: It is something else.
    """
    return msgspec.convert(given, _record("Progress"))


def plain(value: Any) -> Any:
    """Turn records into what JSON has; bytes into base64."""
    return msgspec.to_builtins(value, enc_hook=_number)


def _number(value: Any) -> Any:
    """Scores may be numpy's numbers."""
    return value.item()


def _record(name: str) -> Any:
    from pplx_local import records

    return getattr(records, name)
