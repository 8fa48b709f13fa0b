"""A search from the question to the last line: hits on stdout, how found on stderr.

Apart from the command, because typer takes longer to load than the daemon to answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pplx_local.cli.guard import NOTHING_FOUND
from pplx_local.cli.show import flush_data, say, write_json
from pplx_local.daemon.client import RemoteIndex
from pplx_local.wording.amounts import GOES_ON, share_in_words

if TYPE_CHECKING:
    from pplx_local.answer import Answer, Mode
    from pplx_local.index import Index

MOST_HITS = 10_000
_GO_ON = "To go on: pplx-local update"
Format = Literal["text", "vimgrep", "json", "jsonl"]


class Wish(NamedTuple):
    """How many hits are wanted, ranked by what, and how they are written."""

    k: int
    mode: Mode
    output: Format
    explain: bool
    folded: bool
    """One hit for a file and its copies."""

    def options(self) -> dict[str, Any]:
        """Say it to an index.

        Words that matched choose the part of a passage that is shown. To an editor each
        passage is a place of its own.
        """
        shows_part = self.output in ("text", "vimgrep")
        return {
            "k": self.k,
            "mode": self.mode,
            "explain": self.explain or shows_part,
            "folded": self.folded and self.output != "vimgrep",
        }


class Question(NamedTuple):
    """What is searched for."""

    text: str
    wish: Wish

    @classmethod
    def of(cls, words: Sequence[str], wish: Wish) -> Question:
        """Make words that were typed in some other encoding into text."""
        typed = os.fsencode(" ".join(words))
        return cls(typed.decode("utf-8", "replace"), wish)


def one_format(output: Format, *, as_json: bool, as_jsonl: bool) -> list[Format]:
    """List the formats that were asked for; more than one exclude each other."""
    asked: set[Format] = {output} - {"text"}
    asked |= {"json"} if as_json else set()
    asked |= {"jsonl"} if as_jsonl else set()
    return sorted(asked) or ["text"]


def ask(reach: Callable[[], Index | RemoteIndex], question: Question) -> int:
    """Search, and write what was found.

    Returns:
        The exit code.
    """
    with reach() as index:
        answer = index.search(question.text, **question.wish.options())
    return show(answer, question.wish, by_daemon=isinstance(index, RemoteIndex))


def show(answer: Answer, wish: Wish, *, by_daemon: bool) -> int:
    """Write an answer, and say how it was found.

    Returns:
        The exit code.
    """
    write_answer(answer, wish)
    flush_data()  # on a terminal the hits come first
    say(how_found(answer))
    for problem in (*answer.hints, *shortcomings(answer, by_daemon=by_daemon)):
        say(problem)
    return 0 if is_found(answer) else NOTHING_FOUND


def is_found(answer: Answer) -> bool:
    """Tell whether there is something close."""
    return bool(answer.hits) and not answer.nothing_close


def write_answer(answer: Answer, wish: Wish) -> None:
    """Write the hits."""
    from pplx_local.cli.as_json import answer_json, hit_json
    from pplx_local.cli.hits import show_hits, show_vimgrep

    if wish.output == "json":
        write_json(answer_json(answer))
    elif wish.output == "jsonl":
        for hit in answer.hits:
            write_json(hit_json(hit))
    elif wish.output == "vimgrep":
        show_vimgrep(answer)
    else:
        show_hits(answer, wish.explain)


def how_found(answer: Answer) -> str:
    """Say which legs ran, how much each of them covers, and how long it took."""
    ran = [
        leg if report.coverage >= 1 else f"{leg} ({share_in_words(report.coverage)})"
        for leg, report in answer.legs.items()
        if report.ran
    ]
    n = len(answer.hits)
    found = f"{n} hit{'' if n == 1 else 's'}" if n else "Nothing found"
    if n and answer.nothing_close:
        found = f"Nothing close; {found}"
    by = f" by {', '.join(ran)}" if ran else ""  # filters alone are listed by none
    return f"{found}{by} in {answer.took_ms:.0f} ms."


def shortcomings(answer: Answer, *, by_daemon: bool = False) -> list[str]:
    """Say what kept legs from running or from seeing all documents, and what helps."""
    reasons: dict[str, list[str]] = {}
    for leg, report in answer.legs.items():
        if not report.ran and report.reason and answer.mode in ("hybrid", leg):
            reasons.setdefault(report.reason.rstrip("."), []).append(leg)
    said = [f"Without {' and '.join(legs)}: {why}." for why, legs in reasons.items()]
    if any(report.ran and report.coverage < 1 for report in answer.legs.values()):
        said.append(
            f"Not everything is embedded yet. {GOES_ON if by_daemon else _GO_ON}"
        )
    return said
