"""What adding a folder would do, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pplx_local.wording.amounts import count, short_count, size_in_words, time_in_words
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.records import KindCount, Survey


def survey_lines(survey: Survey) -> Iterator[str]:
    """Say what lies in a folder, what of it is not read, and what indexing costs."""
    read = [kind for kind in survey.kinds if not kind.skipped]
    skipped = [kind for kind in survey.kinds if kind.skipped]
    for kind in read:
        yield _kind_line(visible(kind.kind), kind)
    if skipped:
        yield "  not read:"
    for kind in skipped:
        yield _kind_line(f"  {visible(kind.kind)}", kind)
    yield f"  to index: {files_to_index(survey)}, {cost_in_words(survey)}"


def _kind_line(name: str, kind: KindCount) -> str:
    n_files, size = count(kind.files, "file"), size_in_words(kind.size_bytes)
    return f"  {name:<28} {n_files:>14} {size:>10}"


def files_to_index(survey: Survey) -> str:
    """Say `1,204 files`: those that would be read."""
    return count(sum(kind.files for kind in survey.kinds if not kind.skipped), "file")


def cost_in_words(survey: Survey) -> str:
    """Say what indexing them takes: tokens, time and disk."""
    seconds = survey.estimated_seconds
    duration = "time not known yet" if seconds is None else time_in_words(seconds)
    return (
        f"about {short_count(survey.estimated_tokens)} tokens, {duration}, "
        f"{size_in_words(survey.estimated_disk_bytes)} on the disk "
        f"({size_in_words(survey.free_disk_bytes)} free)"
    )
