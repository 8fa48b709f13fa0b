"""What an update did, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pplx_local.wording.amounts import count, short_count

if TYPE_CHECKING:
    from pplx_local.records import UpdateReport

_CHANGES = (
    "added",
    "changed",
    "renamed",
    "removed",
    "unreachable",
    "failed",
    "refreshed",
)


def report_lines(report: UpdateReport) -> Iterator[str]:
    """Say what became of the files, and what was embedded."""
    changes = [f"{n:,} {name}" for name in _CHANGES if (n := getattr(report, name))]
    unchanged = count(report.unchanged, "file") + " unchanged"
    if changes:
        yield f"Files: {', '.join(changes)}; {unchanged}."
    elif report.encoded_tokens or report.reused_windows:
        yield f"All files were read already; {unchanged}."
    else:
        yield f"Nothing to do: {unchanged}."
    if report.encoded_tokens or report.reused_windows:
        reused = count(report.reused_windows, "window")
        yield f"Embedded {short_count(report.encoded_tokens)} tokens; {reused} reused."
