"""What is said about an answer: what was found, by which legs, of how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.answer import LOADING
from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import count, share_in_words
from pplx_local.wording.working import doing_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pplx_local.answer import Leg, LegReport
    from pplx_local.records import Status
    from pplx_local.tui.search.asking import Reply

_GAP = Content.styled("  ·  ", "$foreground-muted")


def summary(reply: Reply, n_marked: int) -> Content:
    """Say it on one line, the most needed first."""
    return _GAP.join(_parts(reply, n_marked))


def doing(status: Status) -> str:
    """Say what is being done, or why it is not; nothing where there is nothing to do."""
    daemon = status.daemon
    if daemon is None:
        return ""
    if daemon.trouble:
        return f"trouble: {daemon.trouble}"
    return doing_in_words(daemon) if daemon.doing or daemon.waits else ""


def _parts(reply: Reply, n_marked: int) -> Iterator[Content]:
    answer = reply.answer
    if n_marked:
        yield plain(count(n_marked, "hit") + " marked", "bold $text-accent")
    if not answer.hits:
        yield plain("nothing found", "bold")
    elif answer.nothing_close:
        yield plain("nothing close: the nearest are shown", "bold $text-warning")
    else:
        more = "+" if len(answer.hits) >= reply.question.k else ""
        yield plain(f"{len(answer.hits)}{more} found in {answer.took_ms:.0f} ms")
    for hint in answer.hints:
        yield plain(hint, "$text-warning")
    if ran := [leg for leg, report in answer.legs.items() if report.ran]:
        yield plain(", ".join(ran), "$foreground-muted")
    yield from _gaps(answer.legs)
    if not reply.is_final and not _is_loading(answer.legs):
        yield plain("…", "$foreground-muted")


def _gaps(legs: Mapping[Leg, LegReport]) -> Iterator[Content]:
    """Say what a leg could not do."""
    reasons: dict[str, list[str]] = {}
    for leg, report in legs.items():
        if report.reason:
            reasons.setdefault(report.reason, []).append(leg)
        elif report.ran and report.coverage < 1:
            covered = f"covers {share_in_words(report.coverage)} of the documents"
            reasons.setdefault(covered, []).append(leg)
    for reason, found in reasons.items():
        yield plain(f"{' and '.join(found)}: {reason}", "$text-warning")


def _is_loading(legs: Mapping[Leg, LegReport]) -> bool:
    return any(report.reason == LOADING for report in legs.values())
