"""The child's side: load, then answer calls until the client is gone.

Calls that a person waits for come first, even in the midst of encoding documents.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from pplx_local import models, priority
from pplx_local.backend import Backend, open_backend, registered_backends
from pplx_local.backend.architecture import read_architecture
from pplx_local.encoding import wire
from pplx_local.encoding.inbox import Call, Inbox
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
_FOLLOW_UP_S = 0.1
"""How long documents wait behind a query: the search that sent it looks its candidates
up, which takes the processor too, and then wants them scored."""


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
    """An answer to the set-up, then a sign of the beginning and one of the end of calls.

    A call that begins before another has ended is inside it, and ends first.
    """

    kind: Literal["ready", "refused", "began", "done", "failed"]
    value: Any = None
    """A `WorkerInfo`, the error, or what the call returned."""
    number: int = -1
    """Of the call; none for the set-up."""


def main() -> None:
    """Serve the client at the other end of the socket named on the command line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, niceness = map(int, sys.argv[1:])
    priority.lower(niceness)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    connection = wire.connect(socket.socket(fileno=descriptor))
    inbox = Inbox()
    setup = wire.receive(connection)
    threading.Thread(target=_receive, args=(connection, inbox), daemon=True).start()
    gc.disable()  # what a framework loads stays: to look through it takes a seventh more
    try:
        session, info = open_session(setup)
    except PplxLocalError as error:
        _reply(connection, Reply("refused", error))
        return
    gc.freeze()
    gc.enable()
    _reply(connection, Reply("ready", info))
    _Server(session, inbox, connection).serve()


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


def _receive(connection: Connection, inbox: Inbox) -> None:
    """Take calls in while others are worked on; leave at once when the client is gone."""
    try:
        while True:
            inbox.put(Call(*wire.receive(connection)))
    except (EOFError, OSError):
        os._exit(0)


class _Server:
    """Answers calls, the urgent ones first."""

    def __init__(self, session: Session, inbox: Inbox, connection: Connection) -> None:
        self._session, self._inbox, self._connection = session, inbox, connection
        self._patience_s = 0.0

    def serve(self) -> None:
        """Answer call after call, until the process ends."""
        while True:
            self._serve_urgent()
            self._answer(self._inbox.take())

    def _serve_urgent(self) -> None:
        """Answer what cannot wait, and what follows from a query."""
        while call := self._inbox.take_urgent(self._patience_s):
            self._answer(call)
        self._patience_s = 0.0

    def _answer(self, call: Call) -> None:
        _reply(self._connection, Reply("began", number=call.number))
        try:
            reply = Reply("done", self._run(call), call.number)
        except PplxLocalError as error:
            reply = Reply("failed", error, call.number)
        except Exception as error:
            # A defect: the process ends, and the client tries again. Not by the error
            # itself, which a backend whose encoding this call is inside might handle.
            raise SystemExit(f"{type(error).__name__}: {error}") from error
        _reply(self._connection, reply)
        # Not twice in a row: documents get on, however many queries come.
        expects_more = call.method == "encode_query" and not self._patience_s
        self._patience_s = _FOLLOW_UP_S if expects_more else 0.0

    def _run(self, call: Call) -> Any:
        options = call.options
        if call.method == "encode":
            options = {**options, "between": self._serve_urgent}
        return getattr(self._session, call.method)(*call.args, **options)


def _reply(connection: Connection, reply: Reply) -> None:
    wire.send(connection, wire.pack(reply))
