"""One run of the daemon, from the lock to the last line of its log."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from logging import Logger
from types import FrameType

from threadpoolctl import threadpool_limits

from pplx_local import __version__
from pplx_local.config import Settings
from pplx_local.daemon.answering import Answering
from pplx_local.daemon.calls import Calls
from pplx_local.daemon.claim import claim, claimed_by
from pplx_local.daemon.indexer import Indexer
from pplx_local.daemon.log import log_bug, open_log
from pplx_local.daemon.memory import keep_loaded
from pplx_local.daemon.parent import end_with_parent
from pplx_local.daemon.place import socket_path
from pplx_local.daemon.presence import Presence
from pplx_local.daemon.recent import Recent
from pplx_local.daemon.report import Reporter
from pplx_local.daemon.server import Server
from pplx_local.errors import PplxLocalError, StoreBusy
from pplx_local.index import Index, WorkerFactory, Workers, spawn_polite_worker
from pplx_local.models import Profile
from pplx_local.priority import NICENESS, lower_thread
from pplx_local.watch import Watcher

_SWITCH_S = 0.001
"""How long the indexing thread may keep Python from a search; the default, 5 ms, comes
dozens of times in one search."""
_ASK_AGAIN_S = 0.5
_Open = Callable[..., Index]
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run_daemon(
    settings: Settings,
    *,
    worker: WorkerFactory = spawn_polite_worker,
    profile: Profile | None = None,
    with_parent: bool = False,
) -> int:
    """Watch, index and answer for a home until a signal ends it.

    Args:
        settings: Its `home` says for which.
        worker: How encoder workers are made.
        profile: The checkpoints to use; None for those that the settings name.
        with_parent: The end of stdin ends it too.

    Returns:
        0; also where another daemon does so already.

    Raises:
        StoreError: The home cannot be written to.
        DaemonError: There is no safe place for the socket.
    """
    log = open_log(settings.home, to_stderr=sys.stderr.isatty())
    workers = Workers(worker, settings, keep_for_queries=True)
    open_index = partial(Index.open, workers=workers, profile=profile)
    with _ending_on_signals(), ExitStack() as stack:
        if with_parent:
            end_with_parent()
        claimed = claim(settings.home)
        if claimed is None:
            who = claimed_by(settings.home)
            log.warning("process %s is the daemon of %s already", who, settings.home)
            return 0
        stack.callback(claimed.release)
        stack.callback(workers.close)
        index = _become_writer(settings, open_index, log)
        stack.callback(index.close)
        try:
            reporter = Reporter(with_parent=with_parent)
            _serve(index, open_index, reporter, log, stack)
        except PplxLocalError as error:
            log.error("%s", error)
            raise
        except Exception as error:
            log_bug(log, error)
            raise
    log.info("ended")
    return 0


def _serve(
    index: Index, open_index: _Open, reporter: Reporter, log: Logger, stack: ExitStack
) -> None:
    sys.setswitchinterval(_SWITCH_S)
    # What a query multiplies here is small: on a busy computer the wait for a second
    # thread takes longer.
    stack.enter_context(threadpool_limits(1, user_api="blas"))
    home = index.settings.home
    # Choosing a model replaces the settings of the index: ask for them each time.
    answering = Answering(lambda: open_index(index.settings))
    stack.callback(answering.renew)
    recent = Recent()
    index.tell = recent.note
    wake = threading.Event()
    watcher = Watcher(wake.set, rules_of=index.rules_of)
    stack.callback(watcher.close)
    indexer = Indexer(index, watcher, answering, reporter, log, wake)
    calls = Calls(indexer, answering, reporter, recent, watcher.watching, home)
    server = Server(socket_path(home), calls.by_name(), on_bug=partial(log_bug, log))
    stack.callback(server.close)
    presence = Presence(home, server, log)
    stack.callback(presence.end)
    log.info("pplx-local %s started as process %d", __version__, os.getpid())
    keep_loaded()
    lower_thread()  # only now: threads inherit it, and those of searches should not
    indexer.run(presence.check)


def _become_writer(settings: Settings, open_index: _Open, log: Logger) -> Index:
    """Open the index for writing, once whoever writes now has ended."""
    told = False
    while True:
        try:
            return open_index(settings, write=True, niceness=NICENESS)
        except StoreBusy as error:
            if not told:
                log.warning("waiting: %s", error)
            told = True
            time.sleep(_ASK_AGAIN_S)


class _Ended(BaseException):
    """A signal has come; what is open is closed on the way out."""


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """End in good order on SIGTERM, SIGINT and SIGHUP, in the middle of anything."""

    def end(number: int, frame: FrameType | None) -> None:
        for one in _SIGNALS:  # the second one must not break the good order
            signal.signal(one, signal.SIG_IGN)
        raise _Ended

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    except _Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
