"""One question from the first keyword to the last leg."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from pplx_local.answer import LOADING, Answer, Mode

if TYPE_CHECKING:
    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.tui.link import Link

_MORE_KEYS_S = 0.03
"""Who holds a key down, or pastes, goes on within this. Who types does not; what is asked for
half a word is given up with the next letter."""
_LOADS_S = 0.5
"""Between two looks whether the model is loaded."""


class Question(NamedTuple):
    """What is asked."""

    query: str
    mode: Mode
    k: int
    """At most so many hits."""
    is_more: bool = False
    """Whether some are shown already: then there is no need of a glance."""


class Reply(NamedTuple):
    """What is known so far."""

    question: Question
    answer: Answer
    is_final: bool
    """Whether nothing better comes of the same question."""


async def replies(link: Link, question: Question) -> AsyncIterator[Reply]:
    """Ask: keywords answer first, then all legs; once more when a model is loaded.

    Raises:
        PplxLocalError: The question cannot be answered.
    """
    began = monotonic()
    if question.mode == "hybrid" and not question.is_more:
        quick = question._replace(mode="lexical")
        answer = await link.ask("keywords", partial(_search, quick, folded=False))
        yield Reply(question, answer, is_final=False)
        await asyncio.sleep(_MORE_KEYS_S - (monotonic() - began))
    while True:
        answer = await link.ask("search", partial(_search, question))
        is_final = not _is_loading(answer)
        yield Reply(question, answer, is_final)
        if is_final:
            return
        await asyncio.sleep(_LOADS_S)


def _search(question: Question, daemon: RemoteIndex, *, folded: bool = True) -> Answer:
    return daemon.search(
        question.query,
        k=question.k,
        mode=question.mode,
        explain=True,
        folded=folded,
        wait=False,
    )


def _is_loading(answer: Answer) -> bool:
    return any(leg.reason == LOADING for leg in answer.legs.values())
