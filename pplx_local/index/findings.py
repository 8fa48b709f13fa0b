"""What an update has found so far, in files."""

from __future__ import annotations

from dataclasses import dataclass, field

from pplx_local.records import FileRecord, UpdateReport


@dataclass(slots=True)
class Findings:
    """Counted by the scan, completed by the reading stage."""

    failures: list[FileRecord] = field(default_factory=list)
    """What could not be looked at, and what could not be read."""
    n_new: int = 0
    n_changed: int = 0
    n_renamed: int = 0
    n_unchanged: int = 0
    n_refreshed: int = 0
    """Of these, made anew."""
    n_removed: int = 0
    n_unreachable: int = 0

    def report(self, encoded_tokens: int, reused_windows: int) -> UpdateReport:
        """Put them together with what was embedded."""
        return UpdateReport(
            added=self.n_new,
            changed=self.n_changed,
            renamed=self.n_renamed,
            unchanged=self.n_unchanged,
            refreshed=self.n_refreshed,
            removed=self.n_removed,
            unreachable=self.n_unreachable,
            failed=len(self.failures),
            encoded_tokens=encoded_tokens,
            reused_windows=reused_windows,
        )
