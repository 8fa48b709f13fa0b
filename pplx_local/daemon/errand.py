"""What a person asked the daemon to index, and follows until it is done."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from pplx_local.index import Findings, Target
from pplx_local.records import Outcome, Progress


@dataclass(slots=True)
class Errand:
    """An update that was asked for: nothing keeps it waiting, neither battery nor pause.

    Its client may leave; the work goes on.
    """

    targets: Sequence[Target]
    refused: tuple[str, ...] = ()
    """Why some of what was asked for is not among the targets."""
    findings: Findings = field(default_factory=Findings)
    is_looked_at: bool = False
    encoded_tokens: int = 0
    reused_windows: int = 0
    encoder_error: str | None = None
    _outbox: SimpleQueue[Progress | BaseException | None] = field(
        default_factory=SimpleQueue
    )

    def tell(self, progress: Progress) -> None:
        """Pass progress on to the client."""
        self._outbox.put(progress)

    def end(self, error: BaseException | None = None) -> None:
        """Let the client go, with what went wrong."""
        self._outbox.put(error)

    def follow(self) -> Generator[Progress, None, Outcome]:
        """Give progress as it comes, and what came of it at the end.

        Without targets there is nothing to wait for.
        """
        if not self.targets:
            return self.outcome()
        while (told := self._outbox.get()) is not None:
            if isinstance(told, BaseException):
                raise told
            yield told
        return self.outcome()

    def outcome(self) -> Outcome:
        """Say what was done."""
        return Outcome(
            report=self.findings.report(self.encoded_tokens, self.reused_windows),
            failures=tuple(self.findings.failures),
            encoder_error=self.encoder_error,
            refused=self.refused,
        )
