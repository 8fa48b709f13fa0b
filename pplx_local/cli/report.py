"""What an update did, and what adding a folder would do, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pplx_local.cli.show import say, write_data
from pplx_local.wording.amounts import count, short_count, size_in_words, time_in_words
from pplx_local.wording.visible import visible, visible_path

if TYPE_CHECKING:
    from pplx_local.records import FileRecord, Survey, UpdateReport

_FAILURES_SHOWN = 20
_CHANGES = ("added", "changed", "renamed", "removed", "unreachable", "failed")


def say_report(report: UpdateReport, failures: Sequence[FileRecord]) -> None:
    """Sum up an update on stderr, with the files that failed."""
    changes = [f"{n:,} {name}" for name in _CHANGES if (n := getattr(report, name))]
    unchanged = count(report.unchanged, "file") + " unchanged"
    if changes:
        say(f"Files: {', '.join(changes)}; {unchanged}.")
    elif report.encoded_tokens or report.reused_windows:
        say(f"All files were read already; {unchanged}.")
    else:
        say(f"Nothing to do: {unchanged}.")
    if report.encoded_tokens or report.reused_windows:
        reused = count(report.reused_windows, "window")
        say(f"Embedded {short_count(report.encoded_tokens)} tokens; {reused} reused.")
    _say_failures(failures)


def _say_failures(failures: Sequence[FileRecord]) -> None:
    for file in failures[:_FAILURES_SHOWN]:
        # visible_path has escaped the path; saying it again changes nothing more.
        say(f"  failed: {visible_path(file.path)}: {file.reason}")
    if len(failures) > _FAILURES_SHOWN:
        more = len(failures) - _FAILURES_SHOWN
        say(f"  and {more:,} more; all of them: pplx-local files --state failed")


def show_survey(survey: Survey) -> None:
    """Say what lies in a folder and what indexing it would cost."""
    read = [kind for kind in survey.kinds if not kind.skipped]
    skipped = [kind for kind in survey.kinds if kind.skipped]
    write_data(visible_path(survey.path))
    for kind in read:
        write_data(_kind_line(visible(kind.kind), kind.files, kind.size_bytes))
    if skipped:
        write_data("  not read:")
    for kind in skipped:
        write_data(_kind_line(f"  {visible(kind.kind)}", kind.files, kind.size_bytes))
    files = sum(kind.files for kind in read)
    write_data(f"  to index: {count(files, 'file')}, {_cost(survey)}")


def _kind_line(name: str, files: int, size_bytes: int) -> str:
    return f"  {name:<28} {count(files, 'file'):>14} {size_in_words(size_bytes):>10}"


def _cost(survey: Survey) -> str:
    seconds = survey.estimated_seconds
    duration = "time not known yet" if seconds is None else time_in_words(seconds)
    return (
        f"about {short_count(survey.estimated_tokens)} tokens, {duration}, "
        f"{size_in_words(survey.estimated_disk_bytes)} on the disk "
        f"({size_in_words(survey.free_disk_bytes)} free)"
    )
