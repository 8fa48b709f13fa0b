"""A plain search that a daemon answers, without waiting for typer to load.

Whatever is not plain, help and mistakes included, is left to the commands.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pplx_local.cli.asking import Question
    from pplx_local.cli.invocation import Invocation

_SWITCHES = {"--json": "as_json", "--jsonl": "as_jsonl", "--explain": "explain"}
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
        home, args = args[1] or "~", args[2:]
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
    if given is None or not "".join(given["words"]).strip():
        return None
    from pplx_local.cli.asking import MOST_HITS, Format, Question, one_format
    from pplx_local.records import Mode

    k, mode, output = given["k"], given["mode"], given["output"]
    if mode not in get_args(Mode) or output not in get_args(Format):
        return None
    if not (k.isascii() and k.isdigit() and 1 <= int(k) <= MOST_HITS):
        return None
    as_json, as_jsonl = given["as_json"], given["as_jsonl"]
    formats = one_format(output, as_json=as_json, as_jsonl=as_jsonl)
    if len(formats) > 1:
        return None
    words, explain = given["words"], given["explain"]
    return Question.of(words, int(k), mode, formats[0], explain=explain)


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
