"""Where a long run of chunks is cut into windows.

The run is cut into cores, one after the other; a window reads a core and, as context,
some whole chunks on both sides of it. Borders follow from what stands near them and not
from how much stands before, so that they fall into step again soon after an edit, and
the windows behind it are equal to those that were encoded before:

- A core ends after the chunk whose digest is smallest among those where it may end.
- What the two windows at a cut share is settled by the chunks around it: at most the
  overlap, half of it before the cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pplx_local.window.rule import Ids, WindowRule

SHORTEST_CORE = 1 / 2
"""Of what a window holds beside its context: there the range begins in which a core may
end. Of novels in windows of 8,192 tokens so 41 % is read twice, and a section put in
costs 3.2 windows of 58; with 2/3 it is 38 % and 4.4 windows, with a longer tail."""


class Window(NamedTuple):
    """Chunks first:last of a run, read for the sake of core_first:core_last."""

    first: int
    last: int
    core_first: int
    core_last: int


def cut(
    run: Sequence[Ids], core_first: int, core_last: int, rule: WindowRule
) -> Iterator[Window]:
    """Cut consecutive chunks, each within the limit, into windows.

    Args:
        run: The chunks' tokens, context before and after included.
        core_first: The first chunk that a core has to hold.
        core_last: One past the last chunk that a core has to hold.
        rule: Of kind "context".

    Yields:
        Windows within the limit, in order; their cores are consecutive.
    """
    ruler = _Ruler.over(run, rule)
    while core_first < core_last:
        end = ruler.core_end(core_first, core_last)
        yield ruler.window(core_first, end)
        core_first = end


@dataclass(frozen=True, slots=True)
class _Ruler:
    """A run of C chunks, measured in tokens."""

    starts: NDArray[np.int64]
    """(C + 1,) Of the chunks in the joined run; each is followed by a separator."""
    shared_first: NDArray[np.int64]
    """(C + 1,) The first chunk that is shared over a cut before each chunk."""
    shared_last: NDArray[np.int64]
    """(C + 1,) One past the last chunk that is shared over it."""
    digests: Sequence[bytes]
    fits: int
    """Tokens of a window at most, a separator behind its last chunk counted."""
    shortest: float
    """Tokens of a core, as long as more chunks follow and chunks allow it."""

    @classmethod
    def over(cls, run: Sequence[Ids], rule: WindowRule) -> _Ruler:
        starts = np.concatenate(([0], np.cumsum([len(ids) + 1 for ids in run])))
        # A chunk is shared when its middle lies in the half before the cut.
        middles = (starts[:-1] + starts[1:]) / 2
        first = np.searchsorted(middles, starts - rule.shared / 2)
        last = np.searchsorted(starts, starts[first] + rule.shared, "right") - 1
        return cls(
            starts,
            first,
            last,
            [blake2b(ids.astype("<i4").tobytes()).digest() for ids in run],
            rule.limit + 1,
            SHORTEST_CORE * (rule.limit - rule.shared),
        )

    def core_end(self, core_first: int, core_last: int) -> int:
        """Choose where a core ends: at `core_last` if the rest fits into a window."""
        window_ends = self.starts[self.shared_last]
        longest = self.starts[self.shared_first[core_first]] + self.fits
        last = int(np.searchsorted(window_ends, longest, "right")) - 1
        if last >= core_last:
            return core_last
        shortest = self.starts[core_first] + self.shortest
        first = max(int(np.searchsorted(self.starts, shortest)), core_first + 1)
        last = max(last, core_first + 1)
        # Of equal chunks the last one: what only repeats itself is read in long windows.
        return min(
            range(min(first, last), last + 1),
            key=lambda end: (self.digests[end - 1], -end),
        )

    def window(self, core_first: int, core_last: int) -> Window:
        """Put context around a core: less of it where one long chunk leaves no room."""
        starts = self.starts
        first = int(self.shared_first[core_first])
        last = int(self.shared_last[core_last])
        if starts[last] - starts[first] > self.fits:
            room = (self.fits - (starts[core_last] - starts[core_first])) // 2
            before = np.searchsorted(starts, starts[core_first] - room)
            after = np.searchsorted(starts, starts[core_last] + room, "right") - 1
            first, last = max(first, int(before)), min(last, int(after))
        return Window(first, last, core_first, core_last)
