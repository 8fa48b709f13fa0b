"""Several questions from a file: their answers in its order, each as soon as it is there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pplx_local.cli.as_json import answer_json
from pplx_local.cli.asking import Wish, is_found, shortcomings, write_answer
from pplx_local.cli.guard import NOTHING_FOUND
from pplx_local.cli.show import flush_data, say, write_data, write_json
from pplx_local.daemon.client import RemoteIndex
from pplx_local.errors import PplxLocalError, Unsupported
from pplx_local.wording.amounts import count
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.answer import Answer
    from pplx_local.index import Index

STDIN = "-"


def ask_all(reach: Callable[[], Index | RemoteIndex], source: str, wish: Wish) -> int:
    """Ask the questions of a file, one on a line; "-" is stdin.

    Returns:
        The exit code: that of a search, found if any question has found something.

    Raises:
        PplxLocalError: The file cannot be read, or has no question.
    """
    started = time.monotonic()
    questions = _one_or_more(_questions(_lines(source)), source)
    with reach() as index:
        tally = _Tally(by_daemon=isinstance(index, RemoteIndex))
        answers = (index.search(one, **wish.options()) for one in questions)
        _write_all(map(tally.noted, answers), wish)
    asked, took = count(tally.n_asked, "question"), time.monotonic() - started
    say(f"Found something for {tally.n_found:,} of {asked} in {took:.1f} s.")
    for problem in tally.problems:
        say(problem)
    return 0 if tally.n_found else NOTHING_FOUND


class _Tally:
    """What is said at the end."""

    def __init__(self, *, by_daemon: bool) -> None:
        self._by_daemon = by_daemon
        self.n_asked = self.n_found = 0
        self.problems: dict[str, None] = {}
        """Each once, in their order."""

    def noted(self, answer: Answer) -> Answer:
        """Count an answer."""
        self.n_asked += 1
        self.n_found += is_found(answer)
        said = shortcomings(answer, by_daemon=self._by_daemon)
        self.problems |= dict.fromkeys((*answer.hints, *said))
        return answer


def _lines(source: str) -> Iterator[str]:
    """Give the lines of a file in whatever encoding; of stdin each as it comes."""
    if source == STDIN:
        return map(_from_utf8, sys.stdin.buffer)
    try:
        return iter(_decoded(Path(source).read_bytes()).split("\n"))
    except OSError as error:
        raise _unreadable(source, str(error.strerror)) from error
    except Unsupported as error:
        raise _unreadable(source, str(error)) from error


def _decoded(content: bytes) -> str:
    from pplx_local.documents.decode import decode_stream  # slow to load

    return "".join(decode_stream([content]))


def _from_utf8(line: bytes) -> str:
    if b"\0" in line:
        raise _unreadable("stdin", "it is not UTF-8, or holds a NUL")
    return line.decode("utf-8-sig", "replace")


def _unreadable(source: str, why: str) -> PplxLocalError:
    return PplxLocalError(
        f"Cannot read the questions in {source}: {why}. Name a text file with a question "
        "on each line, or - for stdin."
    )


def _questions(lines: Iterable[str]) -> Iterator[str]:
    return filter(None, map(str.strip, lines))


def _one_or_more(questions: Iterator[str], source: str) -> Iterator[str]:
    first = next(questions, None)
    if first is None:
        name = "stdin" if source == STDIN else source
        raise PplxLocalError(
            f"There is no question in {name}. Write one on each line of it."
        )
    return chain([first], questions)


def _write_all(answers: Iterable[Answer], wish: Wish) -> None:
    """Write answers as they come; in one JSON object they wait for each other."""
    if wish.output == "json":
        write_json({"answers": list(map(answer_json, answers))})
        return
    for number, answer in enumerate(answers):
        if wish.output == "jsonl":
            write_json(answer_json(answer))
        else:
            _write(answer, wish, is_first=number == 0)
        flush_data()


def _write(answer: Answer, wish: Wish, *, is_first: bool) -> None:
    """Write the hits, below their question where a person reads them."""
    if wish.output == "text":
        blank = "" if is_first else "\n"
        write_data(f"{blank}> {visible(answer.query)}")
    write_answer(answer, wish)
