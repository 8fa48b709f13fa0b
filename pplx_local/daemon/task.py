"""Work that is done a step at a time, between other work."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pplx_local.records import Progress

Steps = Generator[Progress, None, None]


class Task:
    """A kind of work: begun when there is some, dropped half-way when told to."""

    def __init__(
        self, begin: Callable[[], Steps | None], tell: Callable[[Progress], None]
    ) -> None:
        """Begin nothing yet.

        Args:
            begin: Gives the steps of what there is to do now, or None.
            tell: Takes the progress of each step.
        """
        self._begin, self._tell = begin, tell
        self._steps: Steps | None = None
        self.is_waiting = False
        """Whether the last step found that others have to work first."""

    @property
    def is_under_way(self) -> bool:
        """Whether something is half done."""
        return self._steps is not None

    def step(self) -> bool:
        """Do one step; return False when there is nothing to do."""
        if self._steps is None:
            self._steps = self._begin()
        if self._steps is None:
            return False
        progress = next(self._steps, None)
        self.is_waiting = progress is not None and progress.waits
        if progress is None:
            self._steps = None
        else:
            self._tell(progress)
        return True

    def drop(self) -> None:
        """Leave what is half done: the steps that were done are kept."""
        if self._steps:
            self._steps.close()
        self._steps = None
