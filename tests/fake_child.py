"""A child of `EncoderWorker` without framework or weights: it starts at once.

It dies and dawdles on demand; everything else is what the real child runs.
"""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
from fakes import FakeBackend, FakeEncoder, WordTokenizer
from numpy.typing import NDArray

from pplx_local import models
from pplx_local.encoding import Session, WorkerInfo, worker

_POISON, _SLOW = (WordTokenizer().ids([word])[0][0] for word in ("arsenic", "slowly"))
_SLOW_S = 0.02


class _Encoder(FakeEncoder):
    """Takes its time over windows with the one word, and dies of the other."""

    def _hidden(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        if _SLOW in ids:
            time.sleep(_SLOW_S)
        if _POISON in ids:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._hidden(ids)


def _open_session(setup: worker.Setup) -> tuple[Session, WorkerInfo]:
    checkpoint = setup.checkpoint
    models.verify(checkpoint, setup.model_dir)
    recipe = models.recipe_of(checkpoint, checkpoint.roles)
    encoder = _Encoder(recipe, checkpoint.dim)
    session = Session(WordTokenizer(), checkpoint.window_rule, FakeBackend(), encoder)
    info = WorkerInfo("fake", "cpu", "float32", encoder.dim, os.getpid(), 0.0)
    return session, info


def main() -> None:
    worker.open_session = _open_session
    worker.main()


def use_fake_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers start this program from now on."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    program = f"import sys; sys.path.append({here!r}); import fake_child as c; c.main()"
    monkeypatch.setattr("pplx_local.encoding.process._PROGRAM", program)
