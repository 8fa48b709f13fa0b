"""What an update did, and what adding a folder would do, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pplx_local.cli.show import say, write_data
from pplx_local.wording.survey import survey_lines
from pplx_local.wording.update import report_lines
from pplx_local.wording.visible import visible_path

if TYPE_CHECKING:
    from pathlib import Path

    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.index import Index
    from pplx_local.records import FileRecord, Survey, UpdateReport

_FAILURES_SHOWN = 20


def say_report(report: UpdateReport, failures: Sequence[FileRecord]) -> None:
    """Sum up an update on stderr, with the files that failed."""
    for line in report_lines(report):
        say(line)
    _say_failures(failures)


def _say_failures(failures: Sequence[FileRecord]) -> None:
    for file in failures[:_FAILURES_SHOWN]:
        # visible_path has escaped the path; saying it again changes nothing more.
        say(f"  failed: {visible_path(file.path)}: {file.reason}")
    if len(failures) > _FAILURES_SHOWN:
        more = len(failures) - _FAILURES_SHOWN
        say(f"  and {more:,} more; all of them: pplx-local files --state failed")


def say_passed_over(index: Index | RemoteIndex, paths: Sequence[Path]) -> None:
    """Say of paths that somebody named why nothing of them is indexed."""
    for path in paths[:_FAILURES_SHOWN]:
        why = index.why(path)
        if why.startswith("skipped: "):
            say(f"  {visible_path(path)}: {why}")


def show_survey(survey: Survey) -> None:
    """Say what lies in a folder and what indexing it would cost."""
    write_data(visible_path(survey.path))
    for line in survey_lines(survey):
        write_data(line)
