"""A plain search that a daemon answers, without waiting for typer to load.

Whatever is not plain, help and mistakes included, is left to the commands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pplx_local.cli.asking import Question
    from pplx_local.cli.invocation import Invocation

_SWITCHES = {
    "--json": "as_json",
    "--jsonl": "as_jsonl",
    "--explain": "explain",
    "--all": "every",
}
_NUMBER = re.compile("[0-9]{1,5}")
_VALUES = {"-k": "k", "--mode": "mode", "--format": "output"}


def search_quickly(args: Sequence[str]) -> int | None:
    """Answer a search through the daemon.

    Args:
        args: What the program was called with.

    Returns:
        The exit code; None where nothing was done: it is no plain search, or no daemon
        runs.
    """
    home = os.environ.get("PPLX_LOCAL_HOME", "")
    if len(args) > 2 and args[0] == "--home":
        home, args = args[1], args[2:]
        if not home:
            return None
    if len(args) < 2 or args[0] != "search" or home.startswith("~"):
        return None
    question = _question(args[1:])
    if question is None:
        return None
    from pplx_local.cli.guard import guarded
    from pplx_local.cli.invocation import Invocation

    invocation = Invocation(Path(home).absolute() if home else None, command="search")
    return guarded(invocation, lambda: _asked(invocation, question))


def _asked(invocation: Invocation, question: Question) -> int | None:
    from pplx_local.cli.asking import ask

    daemon = invocation.daemon()
    return None if daemon is None else ask(lambda: daemon, question)


def _question(args: Sequence[str]) -> Question | None:
    given = _given(iter(args))
    if given is None or not _is_right(given):
        return None
    from pplx_local.cli.asking import Question, Wish, one_format

    formats = one_format(
        given["output"], as_json=given["as_json"], as_jsonl=given["as_jsonl"]
    )
    if len(formats) > 1:
        return None
    k, mode, explain = int(given["k"]), given["mode"], given["explain"]
    wish = Wish(k, mode, formats[0], explain, folded=not given["every"])
    return Question.of(given["words"], wish)


def _is_right(given: Mapping[str, Any]) -> bool:
    from pplx_local.answer import Mode
    from pplx_local.cli.asking import MOST_HITS, Format

    return (
        given["mode"] in get_args(Mode)
        and given["output"] in get_args(Format)
        and _NUMBER.fullmatch(given["k"]) is not None
        and 1 <= int(given["k"]) <= MOST_HITS
        and any(word.strip() for word in given["words"])
    )


def _given(args: Iterator[str]) -> dict[str, Any] | None:
    """Sort words from options; None where one is not known."""
    given: dict[str, Any] = {"words": [], "k": "10", "mode": "hybrid", "output": "text"}
    given |= dict.fromkeys(_SWITCHES.values(), False)
    for arg in args:
        if arg in _SWITCHES:
            given[_SWITCHES[arg]] = True
        elif arg in _VALUES:
            given[_VALUES[arg]] = next(args, "")
        elif arg.startswith("-"):
            return None
        else:
            given["words"].append(arg)
    return given
