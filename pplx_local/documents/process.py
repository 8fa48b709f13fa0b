"""The child process itself: started, asked, watched, ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import subprocess
import sys
import time

import psutil

from pplx_local.documents.limits import Limits
from pplx_local.documents.messages import Broken, Message, Ready, unpack

_START_S = 60.0
_POLL_S = 0.25


class ReaderProcess:
    """One spawned child and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ready = False
        self._own_bytes = 0
        """Resident when it was ready to read."""
        self._connection, theirs = multiprocessing.Pipe(duplex=True)
        with theirs:
            # -P: a folder that someone runs us in must not lend us its modules.
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "pplx_local.documents.child"),
                    *(str(theirs.fileno()), *limits.arguments()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us, and we end the child
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Say whether the process is gone."""
        return self._process.poll() is not None

    def send(self, path: bytes) -> None:
        """Ask for a file. Should the child be gone, `receive` will say so."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send_bytes(path)

    def receive(self) -> Message:
        """Wait for the next message, within the limits."""
        if not self._ready:
            message = self._receive(_START_S)
            if not isinstance(message, Ready):
                return Broken("its reader could not be started", retry=True)
            self._ready = True
            self._own_bytes = self._memory_bytes()
        return self._receive(self._limits.timeout_s)

    def _receive(self, timeout_s: float) -> Message:
        deadline = time.monotonic() + timeout_s
        while not self._connection.poll(min(_POLL_S, timeout_s)):
            if self._ready and self._taken_bytes() > self._limits.memory_bytes:
                return Broken(self._limits.memory_reason)
            if time.monotonic() > deadline:
                return Broken(self._limits.time_reason)
        try:
            return unpack(self._connection.recv_bytes())
        except (EOFError, OSError):
            return self._post_mortem()

    def _taken_bytes(self) -> int:
        """Measure what reading took, on top of what the child had before."""
        return self._memory_bytes() - self._own_bytes

    def _memory_bytes(self) -> int:
        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0

    def _post_mortem(self) -> Broken:
        """Say why the child ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_POLL_S)
        code = self._process.returncode or 0
        if code == -signal.SIGXCPU:
            return Broken(self._limits.time_reason)
        if code == -signal.SIGKILL:
            reason = "its reader was ended from outside, perhaps for lack of memory"
            return Broken(reason, retry=True)
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Broken(f"its reader crashed ({how})")

    def kill(self) -> None:
        """End the child at once."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
