"""What keeps the indexer from working: a pause, the power, something that went wrong."""

from __future__ import annotations

import time

from pplx_local.config import Settings
from pplx_local.daemon.pausing import is_paused
from pplx_local.daemon.power import Allowance, Effort, allowance, read_conditions

_POWER_EVERY_S = 20.0
_BACK_OFF_S = (5.0, 15.0, 60.0)
"""After the first trouble, the second, ..."""
_PAUSED = Allowance("nothing", "paused; to go on: pplx-local resume")


class Restraint:
    """Knows what may be done now, and when it may be tried again."""

    def __init__(self) -> None:
        """Begin with nothing in the way."""
        self._allowance = Allowance("all", None)
        self._power_at = self._go_on_at = 0.0  # by the monotonic clock
        self._n_stumbles = 0

    @property
    def effort(self) -> Effort:
        """What a pause and the power leave to be done."""
        return self._allowance.effort

    @property
    def reason(self) -> str | None:
        """Why that is not all, for the person."""
        return self._allowance.reason

    def look(self, settings: Settings) -> None:
        """Look at the pause, and from time to time at the power."""
        if is_paused(settings.home):
            self._allowance, self._power_at = _PAUSED, 0.0
        elif time.monotonic() >= self._power_at:
            self._power_at = time.monotonic() + _POWER_EVERY_S
            self._allowance = allowance(read_conditions(), settings.power)

    def stumble(self) -> float:
        """Put the next try off, longer each time; return for how many seconds."""
        wait_s = _BACK_OFF_S[min(self._n_stumbles, len(_BACK_OFF_S) - 1)]
        self._n_stumbles += 1
        self._go_on_at = time.monotonic() + wait_s
        return wait_s

    def went_well(self) -> bool:
        """Forget what went wrong; return whether anything had."""
        stumbled, self._n_stumbles = self._n_stumbles > 0, 0
        return stumbled

    def try_at_once(self) -> None:
        """Wait for nothing: whoever asks may have mended what was wrong."""
        self._go_on_at = 0.0

    def wait_s(self) -> float:
        """Tell for how many seconds the next try is put off; 0 for not at all."""
        return max(0.0, self._go_on_at - time.monotonic())
