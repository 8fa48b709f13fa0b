"""The client of the encoder worker: requests sent ahead, crashes mended."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pplx_local.encoding import wire
from pplx_local.encoding.pending import MAX_CRASHES, Pending, Request
from pplx_local.encoding.process import Child
from pplx_local.encoding.session import EncodedQuery, WorkerInfo
from pplx_local.encoding.worker import Reply, Setup
from pplx_local.errors import EncoderCrashed, PplxLocalError
from pplx_local.models import Checkpoint
from pplx_local.records import (
    Encoded,
    Nearest,
    Scores,
    Span,
    TokenVectors,
    WindowPlan,
)
from pplx_local.window import WindowRule

_PATIENCE_S = 60.0
"""A query comes between two layers of a pass, so that only a child that stands still
takes longer: stopped, or waiting for a device that does."""
_LOOK_EVERY_S = 5.0


class EncoderWorker:
    """A child process that holds tokenizer, framework and weights.

    Calls are sent ahead, so that the child never waits for the next piece of work.
    Plans and encodings of documents are answered in order; everything else comes
    before them, even while one is under way. A child that dies is started again and
    given the unanswered calls once more. Any thread may call.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        model_dir: Path,
        *,
        backend: str = "auto",
        device: str | None = None,
        dtype: str | None = None,
        max_batch_tokens: int = 16_384,
        niceness: int = 0,
    ) -> None:
        self._setup = Setup(
            checkpoint,
            model_dir,
            backend,
            None if device == "auto" else device,
            None if dtype == "auto" else dtype,
            max_batch_tokens,
        )
        self._niceness = niceness
        self._lock = threading.RLock()
        self._pending = Pending()
        self._n_calls = 0
        self._last_use = time.monotonic()
        self._last_query = -math.inf
        self._info: Future[WorkerInfo] = Future()
        self._child: Child | None = None
        self._refusal: PplxLocalError | None = None
        self._failed_starts = 0
        self._closed = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the child and return at once: it loads while the caller works."""
        with self._lock:
            if self._closed:
                raise EncoderCrashed("The encoder was closed.")
            self._last_use = time.monotonic()
            if self._child is None and self._refusal is None:
                self._spawn()

    def info(self) -> WorkerInfo:
        """Wait until the weights are ready.

        Raises:
            BackendUnavailable: The framework or the device is not here.
            ModelError: The folder does not hold the checkpoint.
            EncoderCrashed: The child ended again and again while loading.
        """
        self.start()
        return self._info.result()

    def is_ready(self) -> bool:
        """Tell whether the weights are loaded, so that a call is answered soon."""
        with self._lock:
            is_loaded = self._child is not None and self._info.done()
            return is_loaded and self._refusal is None

    def idle_s(self) -> float:
        """Tell for how long it has had nothing to do; loading counts as work."""
        with self._lock:
            return 0.0 if self._is_busy() else time.monotonic() - self._last_use

    def since_query_s(self) -> float:
        """Tell how long ago a query was last encoded; infinite for never."""
        return time.monotonic() - self._last_query

    def rest(self, after_s: float) -> bool:
        """End the child if it has been idle for so long; the next call starts another.

        One that could not load, for want of memory perhaps, is tried again then.

        Returns:
            Whether there was one to end.
        """
        with self._lock:
            child = self._child
            if child is None or self._is_busy() or self.idle_s() < after_s:
                return False
            self._child = self._refusal = None
        child.end()
        return True

    @property
    def window_rule(self) -> WindowRule:
        """How the checkpoint wants its input laid out; known before it is loaded."""
        return self._setup.checkpoint.window_rule

    def plan(
        self,
        texts: Sequence[str],
        owned: range | None = None,
        headings: Sequence[str] | None = None,
    ) -> Future[list[WindowPlan]]:
        """Lay the chunks of one document into windows, as `window.plan` does."""
        return self._ask("plan", list(texts), owned, headings)

    def encode(self, plans: Sequence[WindowPlan]) -> Future[Encoded]:
        """Encode plans: vectors in the order of plans and of their chunks."""
        return self._ask("encode", list(plans))

    def encode_query(self, text: str) -> Future[EncodedQuery]:
        """Encode a query; a text without tokens has no vectors."""
        return self._ask("encode_query", text)

    def query(self, text: str) -> EncodedQuery:
        """Encode a query and wait for it."""
        return self.encode_query(text).result()

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Future[Scores]:
        """Score chunks as `reference.maxsim` does."""
        return self._ask("maxsim", query, docs, want_matches=want_matches)

    def keep(self, name: str, ids: Sequence[int], docs: TokenVectors) -> Future[None]:
        """Add chunks to those that the child keeps on its device."""
        return self._ask("keep", name, list(ids), docs)

    def let_go(self, name: str, ids: Sequence[int]) -> Future[None]:
        """Leave chunks that the child keeps out from now on."""
        return self._ask("let_go", name, list(ids))

    def let_all_go(self) -> Future[None]:
        """Give the memory of what the child keeps back."""
        return self._ask("let_all_go")

    def best(
        self, name: str, n_chunks: int, query: TokenVectors, k: int
    ) -> Nearest | None:
        """Find the k best of the chunks that are kept; None where others are."""
        found: Nearest | None = self._ask("best", name, n_chunks, query, k).result()
        return found

    def scores(
        self, name: str, query: TokenVectors, ids: Sequence[int]
    ) -> NDArray[np.float32] | None:
        """Score some of the chunks that are kept, nan for others; None as `best`."""
        values: NDArray[np.float32] | None = self._ask(
            "scores", name, query, list(ids)
        ).result()
        return values

    def free_bytes(self) -> int:
        """Tell how much memory of the encoder's device nobody uses now."""
        n_bytes: int = self._ask("free_bytes").result()
        return n_bytes

    def token_spans(self, texts: Sequence[str]) -> Future[list[list[Span]]]:
        """Say where each token of each text lies, in characters."""
        return self._ask("token_spans", list(texts))

    def memory_bytes(self) -> int:
        """Tell the most memory that the encoder took so far, on its device."""
        n_bytes: int = self._ask("memory_bytes").result()
        return n_bytes

    def close(self) -> None:
        """End the child; calls without an answer fail."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            child, self._child = self._child, None
        if child:
            child.end()
        self._fail(EncoderCrashed("The encoder was closed."))

    # --- requests ---

    def _is_busy(self) -> bool:
        is_loading = self._child is not None and not self._info.done()
        return is_loading or bool(self._pending)

    def _ask(self, method: str, *args: Any, **options: Any) -> Future[Any]:
        with self._lock:
            number = self._n_calls = self._n_calls + 1
        call = (number, method, args, options)
        message = wire.pack(call)  # long: not with the lock
        request = Request(method, message)
        request.future.set_running_or_notify_cancel()
        with self._lock:
            self.start()
            if self._refusal:
                raise self._refusal
            if method == "encode_query":
                self._last_query = self._last_use
            self._pending.add(number, request)
            if self._child:
                self._child.send(message)
        return request.future

    def _spawn(self) -> None:
        """Start a child and give it all that is unanswered. Called with the lock."""
        if self._info.done():
            self._info = Future()
        try:
            self._child = Child(self._on_reply, self._on_end, self._niceness)
        except OSError as error:
            self._fail(EncoderCrashed(f"The encoder cannot be started: {error}."))
            return
        self._child.send(wire.pack(self._setup))
        for message in self._pending.messages():
            self._child.send(message)
        threading.Thread(target=self._oversee, args=(self._child,), daemon=True).start()

    def _oversee(self, child: Child) -> None:
        """End a child that stands still, as if it had crashed: another one goes on."""
        while not child.has_ended(_LOOK_EVERY_S):
            with self._lock:
                waits_s = self._pending.query_waits_s() if self._info.done() else 0.0
                is_stuck = child is self._child and waits_s > _PATIENCE_S
            if is_stuck:
                child.kill(f"no answer for {_PATIENCE_S:.0f} seconds")
                return

    def _on_reply(self, child: Child, reply: Reply) -> None:
        """Take what a child says. Called by the child's reader thread."""
        match reply.kind:
            case "ready":
                self._on_ready(child, reply.value)
            case "refused":
                with self._lock:
                    self._refusal = reply.value
                self._fail(reply.value)
            case "began":
                with self._lock:
                    self._pending.begin(reply.number)
            case _:
                self._on_answer(reply)

    def _on_ready(self, child: Child, info: WorkerInfo) -> None:
        with self._lock:
            self._failed_starts = 0
            self._last_use = time.monotonic()
            self._pending.wait_anew()
            self._info.set_result(replace(info, load_s=child.age_s()))

    def _on_answer(self, reply: Reply) -> None:
        with self._lock:
            self._last_use = time.monotonic()
            request = self._pending.answered(reply.number)
        if reply.kind == "failed":
            request.future.set_exception(reply.value)
        else:
            request.future.set_result(reply.value)

    def _on_end(self, child: Child, cause: str) -> None:
        """Mend a crash. Called by the child's reader thread, last."""
        with self._lock:
            if child is not self._child or self._refusal:  # closed, or at rest
                return
            self._child = None
            if self._info.done():
                self._pending.blame(cause)
            else:
                self._blame_start(cause)
            self._pending.restart()
            if self._pending or not self._info.done():
                self._spawn()

    def _blame_start(self, cause: str) -> None:
        self._failed_starts += 1
        if self._failed_starts == MAX_CRASHES:
            self._failed_starts = 0
            self._fail(
                EncoderCrashed(
                    f"The encoder ended {MAX_CRASHES} times while it loaded "
                    f"{self._setup.model_dir} ({cause}). Run pplx-local doctor; "
                    "a smaller model needs less memory."
                )
            )

    def _fail(self, error: PplxLocalError) -> None:
        """Fail everyone who waits."""
        with self._lock:
            self._pending.fail(error)
            if not self._info.done():
                self._info.set_exception(error)
