"""The daemon of a home, asked from an event loop: found, or started as our own child.

The interface never waits for an answer and never computes one. Each lane is a thread
with a connection of its own: what is asked on one never stands behind another.
"""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from pplx_local.errors import DaemonEnded, DaemonError

if TYPE_CHECKING:
    from pplx_local.daemon.client import RemoteIndex
    from pplx_local.records import Progress

_ENDS_S = 10.0
"""What a daemon may take to end before another one is started."""
_POLL_S = 0.05

_Found = TypeVar("_Found")
_Work = TypeVar("_Work", bound="Iterable[Progress]")


class Link:
    """The lanes to one daemon; the daemon is started again should it end."""

    def __init__(
        self, home: Path, flags: Mapping[str, str | None] | None = None
    ) -> None:
        """Connect to nothing yet.

        Args:
            home: Whose daemon it is.
            flags: For a daemon that is started, such as `{"--device": "cpu"}`; one that
                others have started is refused then.
        """
        self.home = home
        self.flags = flags or {}
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._has_launched = False
        self._lanes: dict[str, _Lane] = {}
        self._is_closed = False

    @property
    def is_own(self) -> bool:
        """Whether the daemon is our child, and ends with us."""
        return self._child is not None and self._child.poll() is None

    async def ask(self, lane: str, call: Callable[[RemoteIndex], _Found]) -> _Found:
        """Ask on a lane, after what was asked on it before.

        A call that is cancelled before its turn is never made; one that is under way is
        given up: the daemon stops it, and what comes next does not wait. Where the
        daemon ends in the middle, another is asked.

        Raises:
            PplxLocalError: What the call has raised; DaemonError where there is none to
                ask.
        """
        asking = _Asking(call)
        try:
            return await self._run(lane, lambda one: one.ask(asking, once_more=True))
        except asyncio.CancelledError:
            asking.give_up()
            raise

    async def follow(
        self,
        lane: str,
        call: Callable[[RemoteIndex], _Work],
        tell: Callable[[Progress], None],
    ) -> _Work:
        """Have work done to its end.

        Args:
            lane: Which is taken until then.
            call: What to do, such as `lambda daemon: daemon.add(paths)`.
            tell: Called in the event loop for each progress.

        Returns:
            What the call gave, followed to the end: it holds what came of it.

        Raises:
            PplxLocalError: As for `ask`; it is not done again by itself.
        """
        loop = asyncio.get_running_loop()

        def work(daemon: RemoteIndex) -> _Work:
            steps = call(daemon)
            for progress in steps:
                loop.call_soon_threadsafe(tell, progress)
            return steps

        asking = _Asking(work)
        return await self._run(lane, lambda one: one.ask(asking, once_more=False))

    def abandon(self, lane: str) -> None:
        """Hang up on a lane: work that is followed on it stops."""
        if one := self._lanes.pop(lane, None):
            one.close()

    def close(self) -> None:
        """Leave; a daemon of our own ends by itself."""
        self._is_closed = True
        for lane in list(self._lanes):
            self.abandon(lane)
        if self._lock.acquire(blocking=False):  # else who starts one lets it go
            self._let_child_go()
            self._lock.release()

    def _let_child_go(self) -> None:
        child, self._child = self._child, None
        if child:
            from pplx_local.daemon.launch import let_go

            let_go(child)

    async def _run(self, lane: str, call: Callable[[_Lane], _Found]) -> _Found:
        if self._is_closed:
            raise DaemonEnded
        one = self._lanes.get(lane)
        if one is None:
            one = self._lanes[lane] = _Lane(lane, self._reach)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(one.thread, call, one)

    def _reach(self) -> RemoteIndex:
        """Connect, or start a child and connect; on the thread of a lane."""
        from pplx_local.daemon.launch import launch

        with self._lock:  # one child for all lanes
            if daemon := self._found():
                self._refuse_others(daemon)
                return daemon
            self._let_child_go()  # one that has ended
            self._has_launched = True
            daemon, self._child = launch(self.home, self.flags, as_child=True)
        if self._is_closed:  # and who closed did not wait for us
            self._let_child_go()
        return daemon

    def _refuse_others(self, daemon: RemoteIndex) -> None:
        """Leave a daemon that does not run as we were told to: one of others."""
        if any(self.flags.values()) and not self._has_launched:
            from pplx_local.wording.working import own_settings

            daemon.close()
            raise DaemonError(own_settings(daemon.pid))

    def _found(self) -> RemoteIndex | None:
        """Connect to the daemon that there is; one that is ending is waited for."""
        from pplx_local.daemon.client import connect

        until = time.monotonic() + _ENDS_S
        while not self._is_closed:
            try:
                return connect(self.home)
            except DaemonEnded:
                if time.monotonic() > until:
                    raise
                time.sleep(_POLL_S)
        raise DaemonEnded


class _Asking(Generic[_Found]):
    """A call that is made on one thread, and may be given up on another."""

    def __init__(self, call: Callable[[RemoteIndex], _Found]) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._asked: RemoteIndex | None = None
        self.is_given_up = False

    def of(self, daemon: RemoteIndex) -> _Found:
        """Make the call.

        Raises:
            DaemonEnded: Also where it is given up.
        """
        with self._lock:
            if self.is_given_up:
                raise DaemonEnded
            self._asked = daemon
        try:
            return self._call(daemon)
        finally:
            with self._lock:
                self._asked = None

    def give_up(self) -> None:
        """Hang up if it is under way, on no other call of the same lane."""
        with self._lock:
            self.is_given_up = True
            if self._asked:
                self._asked.hang_up()


class _Lane:
    """A thread, and its connection."""

    def __init__(self, name: str, reach: Callable[[], RemoteIndex]) -> None:
        self.thread = ThreadPoolExecutor(1, name)
        self._reach = reach
        self._daemon: RemoteIndex | None = None
        self._is_closed = False

    def ask(self, asking: _Asking[_Found], *, once_more: bool) -> _Found:
        """Call; on the lane's thread."""
        try:
            return asking.of(self._connected())
        except DaemonEnded:
            self._disconnect()
            if not once_more or asking.is_given_up:
                raise
            return asking.of(self._connected())
        except BaseException:
            if not once_more:  # what is left of its progress is nobody's
                self._disconnect()
            raise

    def _connected(self) -> RemoteIndex:
        if self._is_closed:
            raise DaemonEnded
        self._daemon = self._daemon or self._reach()
        return self._daemon

    def _disconnect(self) -> None:
        daemon, self._daemon = self._daemon, None
        if daemon:
            daemon.close()

    def close(self) -> None:
        """Hang up, whatever is under way; its thread ends when it has tidied up."""
        self._is_closed = True
        if daemon := self._daemon:
            daemon.hang_up()
        self.thread.submit(self._disconnect)
        self.thread.shutdown(wait=False)
