"""A child process on the other end of a socket: started, spoken to, noticed when dead."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue

from pplx_local.encoding import wire
from pplx_local.encoding.worker import Reply

_PROGRAM = "from pplx_local.encoding.worker import main; main()"
_END_TIMEOUT_S = 5.0
_LAST_WORDS_BYTES = 4096


class Child:
    """One run of the worker, with a thread that sends and one that reads.

    Sending never blocks the caller, so that texts can be handed over while the child
    still imports its framework.
    """

    def __init__(
        self,
        on_reply: Callable[[Child, Reply], None],
        on_end: Callable[[Child, str], None],
        niceness: int = 0,
    ) -> None:
        self._on_reply, self._on_end = on_reply, on_end
        self._outbox: SimpleQueue[wire.Message | None] = SimpleQueue()
        self._started = time.monotonic()
        self._has_ended = threading.Event()
        self._why_killed: str | None = None
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the reader
        self._process, self._connection = self._spawn(niceness)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, daemon=True).start()

    def _spawn(self, niceness: int) -> tuple[subprocess.Popen[bytes], Connection]:
        # Not multiprocessing: it runs the caller's main module again, which needs a
        # guard there. A session of its own keeps the terminal's Ctrl-C away.
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-c", _PROGRAM),
                    *(str(theirs.fileno()), str(niceness)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return process, wire.connect(ours)

    def age_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started

    def send(self, message: wire.Message) -> None:
        """Hand over a message and return at once."""
        self._outbox.put(message)

    def end(self) -> None:
        """Let it go: it leaves when its socket closes, or is killed."""
        self._process.kill()
        self._outbox.put(None)
        if threading.current_thread() is not self._reader:
            self._reader.join(_END_TIMEOUT_S)

    def kill(self, why: str) -> None:
        """End it as a crash does, with a cause of our own."""
        self._why_killed = why
        self._process.kill()

    def has_ended(self, wait_s: float) -> bool:
        """Wait for its end, but not for longer; tell whether it has come."""
        return self._has_ended.wait(wait_s)

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                wire.send(self._connection, message)
            except OSError:  # it is dead; the reader thread tells
                return

    def _read(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._on_reply(self, wire.receive(self._connection))
        self._outbox.put(None)
        code = self._process.wait()
        cause = self._cause(code)
        self._connection.close()
        self._stderr.close()
        self._has_ended.set()
        self._on_end(self, cause)

    def _cause(self, code: int) -> str:
        """Say in words how it ended."""
        if self._why_killed:
            return self._why_killed
        if code < 0:
            return f"killed by signal {-code}" + (", out of memory?" * (code == -9))
        self._stderr.seek(0, 2)
        self._stderr.seek(max(self._stderr.tell() - _LAST_WORDS_BYTES, 0))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {code}"
