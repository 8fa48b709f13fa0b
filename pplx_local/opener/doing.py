"""Starting what was planned: in the terminal until it ends, or on its own."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pplx_local.errors import OpenError
from pplx_local.opener.command import Command
from pplx_local.umask import persons_own

_SOON_S = 10.0
"""A program with windows that fails later has been seen by the person."""


def run(command: Command) -> None:
    """Give a program the terminal, and wait until it ends.

    Raises:
        OpenError: It cannot be started, or says that it failed.
    """
    try:
        with _left_to_the_program():
            code = subprocess.call(command.argv, umask=persons_own())
    except OSError as error:
        raise _not_started(command, error) from error
    if code:
        raise _failed(command, code)


def spawn(
    command: Command, on_failure: Callable[[OpenError], None] | None = None
) -> threading.Thread:
    """Start a program that lives on without us and without our terminal.

    Args:
        command: One with windows.
        on_failure: Told, from another thread, when the program fails soon.

    Returns:
        The thread that waits for the program, so that no zombie is left.

    Raises:
        OpenError: It cannot be started.
    """
    process = _start(command)
    waiter = threading.Thread(
        target=_wait, args=(command, process, on_failure or _nobody), daemon=True
    )
    waiter.start()
    return waiter


def _start(command: Command) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            cwd="/",  # else a disk that we were started on could not be ejected
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            umask=persons_own(),
        )
    except OSError as error:
        raise _not_started(command, error) from error


def _wait(
    command: Command,
    process: subprocess.Popen[bytes],
    on_failure: Callable[[OpenError], None],
) -> None:
    started = time.monotonic()
    code = process.wait()
    if code and command.otherwise:
        other = Command(command.otherwise, in_terminal=False)
        try:
            _wait(other, _start(other), on_failure)
        except OpenError as error:
            on_failure(error)
    elif code and time.monotonic() - started < _SOON_S:
        on_failure(_failed(command, code))


def _nobody(error: OpenError) -> None:
    pass


def _not_started(command: Command, error: OSError) -> OpenError:
    return OpenError(f"Cannot start {command.program}: {error.strerror}.")


def _failed(command: Command, code: int) -> OpenError:
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    return OpenError(f"{command.program} could not do it: it ended with {how}.")


@contextmanager
def _left_to_the_program() -> Iterator[None]:
    """Leave Ctrl-C and its like to the program, for which they may be keys.

    A handler that does nothing, not SIG_IGN, which the program would inherit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    keys = (signal.SIGINT, signal.SIGQUIT)
    kept = {key: signal.signal(key, _nothing) for key in keys}
    try:
        yield
    finally:
        for key, handler in kept.items():
            signal.signal(key, handler)


def _nothing(number: int, frame: FrameType | None) -> None:
    pass
