"""The child's side: load, then answer calls in order until the client is gone."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

from pplx_local import models
from pplx_local.backend import Backend, open_backend, registered_backends
from pplx_local.backend.architecture import read_architecture
from pplx_local.encoding.session import Session, WorkerInfo
from pplx_local.errors import BackendUnavailable, PplxLocalError

_PREFERRED = ("mlx", "torch") if sys.platform == "darwin" else ("torch", "mlx")
"""MLX runs elsewhere too, but on the CPU alone, where torch is faster."""
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    # Threads that wait by spinning fight everything else that runs: with a few busy
    # programs beside it a query took 400 ms so, and takes 18 ms.
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Defaults; the person's own environment comes first."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a child has to load."""

    checkpoint: models.Checkpoint
    model_dir: Path
    backend: str
    """A registered name, or "auto"."""
    device: str | None
    dtype: str | None
    max_batch_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: to the set-up first, then to each call in turn."""

    kind: Literal["ready", "refused", "done", "failed"]
    value: Any
    """A `WorkerInfo`, the error, or what the call returned."""


def main() -> None:
    """Serve the client at the other end of the socket named on the command line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    connection = Connection(int(sys.argv[1]))
    inbox: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, inbox), daemon=True).start()
    try:
        session, info = open_session(inbox.get())
    except PplxLocalError as error:
        _reply(connection, Reply("refused", error))
        return
    _reply(connection, Reply("ready", info))
    while True:
        _reply(connection, _answer(session, *inbox.get()))


def open_session(setup: Setup) -> tuple[Session, WorkerInfo]:
    """Load backend, weights and tokenizer.

    Raises:
        BackendUnavailable: The framework or the device is not here.
        ModelError: The folder does not hold the checkpoint.
    """
    checkpoint = setup.checkpoint
    models.verify(checkpoint, setup.model_dir)
    backend = _open_backend(setup.backend)
    encoder = backend.load(
        setup.model_dir,
        models.recipe_of(checkpoint, checkpoint.roles),
        device=setup.device,
        dtype=setup.dtype,
        max_batch_tokens=setup.max_batch_tokens,
    )
    vocab_size = read_architecture(setup.model_dir).vocab_size
    tokenizer = models.load_tokenizer(setup.model_dir, vocab_size)
    session = Session(tokenizer, checkpoint.window_rule, backend, encoder)
    return session, WorkerInfo(
        backend.name, encoder.device, encoder.dtype, encoder.dim, os.getpid(), 0.0
    )


def _open_backend(name: str) -> Backend:
    if name != "auto":
        return open_backend(name)
    known = registered_backends()
    names = [one for one in _PREFERRED if one in known]
    for one in names[:-1]:
        try:
            return open_backend(one)
        except BackendUnavailable:
            continue
    return open_backend(names[-1] if names else "torch")


def _receive(connection: Connection, inbox: SimpleQueue[Any]) -> None:
    """Take calls in while others are worked on; leave at once when the client is gone."""
    try:
        while True:
            inbox.put(pickle.loads(connection.recv_bytes()))
    except (EOFError, OSError):
        os._exit(0)


def _answer(
    session: Session, method: str, args: tuple[Any, ...], options: dict[str, Any]
) -> Reply:
    # Any other error is a defect: the process ends, and the client tries again.
    try:
        return Reply("done", getattr(session, method)(*args, **options))
    except PplxLocalError as error:
        return Reply("failed", error)


def _reply(connection: Connection, reply: Reply) -> None:
    connection.send_bytes(pickle.dumps(reply, protocol=5))
