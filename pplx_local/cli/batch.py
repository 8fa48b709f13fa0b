"""Several questions from a file: their answers in its order, each as soon as it is there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pplx_local.cli.as_json import answer_json
from pplx_local.cli.asking import Wish, is_found, shortcomings, write_answer
from pplx_local.cli.guard import NOTHING_FOUND
from pplx_local.cli.show import flush_data, say, visible, write_data, write_json
from pplx_local.cli.words import count
from pplx_local.daemon.client import RemoteIndex
from pplx_local.errors import PplxLocalError

if TYPE_CHECKING:
    from pplx_local.answer import Answer
    from pplx_local.index import Index

STDIN = "-"


def ask_all(reach: Callable[[], Index | RemoteIndex], source: str, wish: Wish) -> int:
    """Ask the questions of a file, one on a line; "-" is stdin.

    Returns:
        The exit code: that of a search, found if any question has found something.

    Raises:
        PplxLocalError: The file cannot be read.
    """
    started = time.monotonic()
    with _opened(source) as lines, reach() as index:
        tally = _Tally(by_daemon=isinstance(index, RemoteIndex))
        answers = (index.search(line, **wish.options()) for line in _questions(lines))
        _write_all(map(tally.noted, answers), wish)
    questions, took = count(tally.n_asked, "question"), time.monotonic() - started
    say(f"Found something for {tally.n_found:,} of {questions} in {took:.1f} s.")
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


def _opened(source: str) -> AbstractContextManager[IO[bytes]]:
    if source == STDIN:
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise PplxLocalError(
            f"Cannot read the questions in {source}: {error.strerror}. Name a file with "
            "a question on each line, or - for stdin."
        ) from error


def _questions(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        question = line.decode("utf-8-sig", "replace").strip()
        if question:
            yield question


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
