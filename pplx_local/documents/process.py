"""The child process itself: started, asked, watched, ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time

import psutil

from pplx_local.documents import sandbox
from pplx_local.documents.channel import send_file
from pplx_local.documents.limits import Limits
from pplx_local.documents.messages import NONSENSE, Broken, Message, Ready, unpack

_START_S = 60.0
_POLL_S = 0.25
_MAX_MESSAGE_BYTES = 1 << 28
"""Far more than the longest block, or the places of the longest document."""

_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    *("TESSDATA_PREFIX", "OMP_NUM_THREADS", "OMP_THREAD_LIMIT"),
)
_ENVIRONMENT_FAMILIES = ("LC_", "PYTHON", "DYLD_")


class ReaderProcess:
    """One spawned child and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._greeting: Ready | None = None
        self._silent_since: float | None = None
        self._measured_at = 0.0
        self._own_bytes = 0
        """Resident when it was ready to read."""
        self._connection, theirs = multiprocessing.Pipe(duplex=True)
        self._requests = socket.socket(fileno=os.dup(self._connection.fileno()))
        with theirs:
            # -P: a folder that someone runs us in must not lend us its modules.
            program = [sys.executable, "-P", "-m", "pplx_local.documents.child"]
            arguments = [str(theirs.fileno()), *limits.arguments()]
            self._process = subprocess.Popen(
                sandbox.command([*program, *arguments]),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for us, and we end the child
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Say whether the process is gone."""
        return self._process.poll() is not None

    def send(self, name: bytes, descriptor: int, page: int = 0) -> None:
        """Ask for an open file, or for a page of it as a picture.

        Should the child be gone, `receive` will say so.
        """
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send_file(self._requests, name, descriptor, page)

    def greet(self) -> Ready | Broken:
        """Wait until it has started."""
        while self._greeting is None:
            if isinstance(message := self.poll(_POLL_S), Broken):
                return message
        return self._greeting

    def receive(self) -> Message:
        """Wait for the next message, within the limits."""
        while (message := self.poll(_POLL_S)) is None:
            pass
        return message

    def poll(self, wait_s: float) -> Message | None:
        """Give the next message, or None where there is none yet after a short wait."""
        if self._greeting:
            return self._heard(self._limits.timeout_s, wait_s)
        message = self._heard(_START_S, wait_s)
        if isinstance(message, Ready):
            self._own_bytes = self._memory_bytes()
            self._greeting = message
        elif message:
            return Broken("its reader could not be started", by_file=False)
        return None

    def _heard(self, timeout_s: float, wait_s: float) -> Message | None:
        if not self._connection.poll(min(wait_s, _POLL_S, timeout_s)):
            return self._overdue(timeout_s)
        self._silent_since = None
        try:
            return unpack(self._connection.recv_bytes(_MAX_MESSAGE_BYTES))
        except (EOFError, OSError):
            return self._post_mortem()
        except ValueError:
            return Broken(NONSENSE)

    def _overdue(self, timeout_s: float) -> Broken | None:
        """Judge its silence, which counts from the first time that it was met with."""
        now = time.monotonic()
        if self._silent_since is None:
            self._silent_since = self._measured_at = now
        if now > self._silent_since + timeout_s:
            return Broken(self._limits.time_reason)
        if self._greeting and now >= self._measured_at + _POLL_S:
            self._measured_at = now
            if self._taken_bytes() > self._limits.memory_bytes:
                return Broken(self._limits.memory_reason)
        return None

    def _taken_bytes(self) -> int:
        """Measure what reading took, on top of what the child had before."""
        return self._memory_bytes() - self._own_bytes

    def _memory_bytes(self) -> int:
        """Measure what is resident, with the programs that it runs."""
        n_bytes = 0
        with contextlib.suppress(psutil.Error):
            child = psutil.Process(self.pid)
            for process in (child, *child.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    n_bytes += process.memory_info().rss
        return n_bytes

    def _post_mortem(self) -> Broken:
        """Say why the child ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_POLL_S)
        code = self._process.returncode or 0
        if code == -signal.SIGXCPU:
            return Broken(self._limits.time_reason)
        if code == -signal.SIGKILL:
            return Broken(
                "its reader was ended from outside, perhaps for lack of memory"
            )
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Broken(f"its reader crashed ({how})")

    def kill(self) -> None:
        """End the child at once, with the programs that it runs."""
        self._connection.close()
        self._requests.close()
        if self._process.returncode is None:
            with contextlib.suppress(OSError):  # it may just have ended
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def _environment() -> dict[str, str]:
    """Give what Python goes by; a person's passwords and keys are no business of it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _ENVIRONMENT or name.startswith(_ENVIRONMENT_FAMILIES)
    }
