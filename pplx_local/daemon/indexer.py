"""The daemon's one indexing thread: what there is to do, a step at a time.

Looking at what has changed comes before reading, reading before embedding, what an older
program made comes last, and a search before all of them. Every step is short and ends
outside of a transaction, so a file that is saved while a million others are embedded is
read at once.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from logging import Logger
from pathlib import Path
from typing import NoReturn, TypeVar

from pplx_local.daemon.answering import Answering
from pplx_local.daemon.errand import Errand
from pplx_local.daemon.log import log_bug
from pplx_local.daemon.looking import Looking
from pplx_local.daemon.memory import give_back
from pplx_local.daemon.power import Effort
from pplx_local.daemon.report import Reporter
from pplx_local.daemon.restraint import Restraint
from pplx_local.daemon.task import Steps, Task
from pplx_local.errors import DaemonEnded, DaemonError, PplxLocalError
from pplx_local.index import Filling, Findings, Index
from pplx_local.records import Progress
from pplx_local.watch import Watcher

TRIES = 3
"""Of a file that could not be read and might be the next time."""

_TIDY_AFTER_S = 60.0
"""Without work."""
_REST_EVERY_S = 15.0
_FILL_AGAIN_S = 120.0
"""After an encoder that could not be used."""
_GIVE_WAY_S = 0.25
"""A search that takes longer waits for something itself, such as a model that loads; and
whoever asks without pause leaves half of the time to the index."""
_LONGEST_WAIT_S = 5.0
_SHORTEST_WAIT_S = 0.02
_BUG = "The daemon met a bug ({}); what is needed to mend it is in its log."

_Given = TypeVar("_Given")


class Indexer:
    """Does the work of one home; only its own thread touches the index.

    `do`, `take` and `wake` may be called from any thread.
    """

    def __init__(
        self,
        index: Index,
        watcher: Watcher,
        answering: Answering,
        reporter: Reporter,
        log: Logger,
        wake: threading.Event,
    ) -> None:
        """Prepare; nothing happens before `run`. Setting `wake` ends a wait."""
        self._index, self._watcher, self._answering = index, watcher, answering
        self._reporter, self._log, self._wake = reporter, log, wake
        self._asked: deque[Callable[[], None]] = deque()
        self._errands: deque[Errand] = deque()
        self._looking = looking = Looking(index, watcher)
        self._paths = Task(looking.begin_paths, self._tell)
        self._folder = Task(lambda: looking.begin_folder(self._errand), self._tell)
        self._reading = Task(self._begin_reading, self._tell)
        self._refreshing = Task(self._begin_refreshing, self._tell)
        self._filling = Task(self._begin_filling, self._tell)
        self._may_lack = True
        """Whether something may have no vectors yet."""
        self._is_filled = False
        """Whether all that was read has the vectors that it can have."""
        self._restraint = Restraint()
        # When, by the monotonic clock, things may or should be done next.
        self._fill_at = self._rest_at = 0.0
        self._tidy_at: float | None = None
        self._next_try_s = math.inf

    # --- from other threads ---

    def wake(self) -> None:
        """Look whether there is something to do."""
        self._wake.set()

    def do(self, work: Callable[[Index], _Given]) -> _Given:
        """Let the indexing thread do something short between two steps, and wait."""
        done: Future[_Given] = Future()

        def run() -> None:
            try:
                done.set_result(work(self._index))
            except Exception as error:  # noqa: BLE001 - it is the caller's
                done.set_exception(error)

        self._asked.append(run)
        self._wake.set()
        return done.result()

    def take(self, make: Callable[[Index], Errand]) -> Errand:
        """Have an errand made between two steps, and do it after those before it."""

        def work(index: Index) -> Errand:
            errand = make(index)
            if errand.targets:
                self._errands.append(errand)
                self._restraint.try_at_once()
            return errand

        return self.do(work)

    # --- inside `do` ---

    def follow_folders(self) -> None:
        """Go by the folders that are registered now."""
        self._drop(self._paths, self._folder, self._reading, self._refreshing)
        self._looking.forget()
        self._looking.watch()

    def end_reading(self) -> None:
        """Leave what is being read; it is begun again with the next step."""
        self._drop(self._reading, self._refreshing)

    def read_again(self, paths: Sequence[Path] | None) -> int:
        """Have files that failed read again, and say how many there are."""
        targets = self._index.give_another_try(paths)
        self._looking.look_again(targets)
        self._restraint.try_at_once()
        return len(targets)

    def follow_settings(self) -> None:
        """Go by the model that is chosen now, and by what is to be passed over."""
        self._looking.follow_settings()
        self._filling.drop()
        self._answering.renew()
        self._note_lack()
        self._fill_at = 0.0

    # --- the loop ---

    def run(self, check: Callable[[], None]) -> NoReturn:
        """Work until an exception ends it: that of a signal, or of `check`.

        Args:
            check: Called between two steps.
        """
        try:
            self._looking.watch()
            while True:
                check()
                self._wake.clear()
                self._answering.give_way(_GIVE_WAY_S)
                if not self._turn():
                    self._wake.wait(self._wait_s())
        finally:
            self._drop_all()
            for errand in self._errands:
                errand.end(DaemonEnded())

    def _turn(self) -> bool:
        """Do what is most urgent; return whether anything was done."""
        while self._asked:
            self._asked.popleft()()
        if self._restraint.wait_s():
            return False
        try:
            worked = self._work()
        except PplxLocalError as error:
            self._stumble(error)
            return False
        except Exception as error:  # noqa: BLE001 - searches go on, whatever it was
            log_bug(self._log, error)
            self._stumble(DaemonError(_BUG.format(type(error).__name__)))
            return False
        if self._restraint.went_well():
            self._reporter.trouble = None
        return worked

    def _work(self) -> bool:
        self._restraint.look(self._index.settings)
        self._looking.notice()
        looked = self._paths.step() or self._folder.step()
        reading = self._reading_now()
        read = self._may_read() and reading.step()
        waits = read and reading.is_waiting
        self._may_lack |= looked
        if read and not waits:
            self._note_lack()
        filled = (not read or waits) and self._may_fill() and self._filling.step()
        if looked or read or filled:
            self._tidy_at = time.monotonic() + _TIDY_AFTER_S
            return True
        if self._errand:
            self._errands.popleft().end()
            return True
        if self._refresh():
            return True
        self._rest()
        return False

    def _wait_s(self) -> float:
        if put_off_s := self._restraint.wait_s():
            return min(_LONGEST_WAIT_S, put_off_s)
        waits = (_LONGEST_WAIT_S, self._watcher.wait_s(), self._next_try_s)
        return max(_SHORTEST_WAIT_S, min(waits))

    def _tell(self, progress: Progress) -> None:
        self._reporter.note(progress)
        for errand in self._errands:
            errand.tell(progress)

    # --- reading ---

    def _may_read(self) -> bool:
        # At the end of a look at what was noticed, what was renamed need not be read.
        return self._effort != "nothing" and not self._paths.is_under_way

    def _begin_reading(self) -> Steps | None:
        if self._index.next_try_s() != 0:
            return None
        return self._read(self._index.read)

    def _reading_now(self) -> Task:
        """Choose the task that reads what is due: there is one reader.

        One that reads stale files takes all others first. To drop it for each of them
        would begin a file that takes long over and over.
        """
        is_due = self._refreshing.is_under_way and self._index.next_try_s() == 0
        return self._refreshing if is_due else self._reading

    def _read(self, read: Callable[..., Steps]) -> Steps:
        findings = self._errand.findings if self._errand else Findings()
        n_files, n_failed = 0, len(findings.failures)
        try:
            for progress in read(findings, tries=TRIES):
                n_files = progress.done
                yield progress
        finally:
            n_failed = len(findings.failures) - n_failed
            self._log.info("read %d files; %d failed", n_files, n_failed)

    def _begin_refreshing(self) -> Steps | None:
        return self._read(self._index.refresh) if self._index.has_stale() else None

    def _refresh(self) -> bool:
        """Read some stale files when all else has its vectors, and leave them to embedding.

        Nobody waits for it: what an older program made of them answers until then.
        """
        may_embed = self._effort == "all" and self._is_filled
        if not may_embed or not self._refreshing.step():
            return False
        if not self._refreshing.is_under_way:
            self._note_lack()
        self._tidy_at = time.monotonic() + _TIDY_AFTER_S
        return True

    # --- embedding ---

    def _may_fill(self) -> bool:
        return self._effort == "all" and time.monotonic() >= self._fill_at

    def _begin_filling(self) -> Steps | None:
        if not self._may_lack:
            return None
        self._may_lack = self._is_filled = False
        return self._fill(self._index.fill())

    def _fill(self, filling: Filling) -> Steps:
        try:
            yield from filling.run()
            yield from filling.switch()
        finally:
            self._note(filling)
        self._is_filled = filling.is_complete
        if filling.error:
            self._may_lack = True
            self._fill_at = time.monotonic() + _FILL_AGAIN_S

    def _note(self, filling: Filling) -> None:
        self._reporter.trouble = filling.error
        if filling.encoded_tokens:
            self._log.info("embedded %d tokens", filling.encoded_tokens)
        if errand := self._errand:
            errand.encoded_tokens += filling.encoded_tokens
            errand.reused_windows += filling.reused_windows
            errand.encoder_error = filling.error

    # --- what keeps it waiting ---

    @property
    def _errand(self) -> Errand | None:
        return self._errands[0] if self._errands else None

    @property
    def _effort(self) -> Effort:
        """What may be done: all of what a person asked for and follows."""
        return "all" if self._errands else self._restraint.effort

    def _why_waiting(self) -> str | None:
        if self._effort == "all":
            return None
        has_work = self._index.queue().waiting or self._index.backlog().documents
        return self._restraint.reason if has_work else None

    def _stumble(self, error: PplxLocalError) -> None:
        """Leave it for a while; what was done is kept, and searches go on."""
        self._drop_all()  # which says how embedding went: before what is to be seen
        wait_s = self._restraint.stumble()
        self._log.error("%s Trying again in %.0f s.", error, wait_s)
        self._reporter.trouble = str(error)
        self._reporter.idle(f"the next try is {wait_s:.0f} s after the last one")
        if self._errand:
            self._errands.popleft().end(error)

    def _drop_all(self) -> None:
        looking = self._paths, self._folder
        self._drop(*looking, self._reading, self._refreshing, self._filling)

    def _drop(self, *tasks: Task) -> None:
        """Leave what is half done; what was read of it may have no vectors yet."""
        for task in tasks:
            task.drop()
        self._note_lack()

    def _note_lack(self) -> None:
        self._may_lack, self._is_filled = True, False

    # --- idle ---

    def _rest(self) -> None:
        """Give back what is not used, and tidy up once after work."""
        now = time.monotonic()
        self._reporter.idle(self._why_waiting())
        next_try_s = self._index.next_try_s() if self._may_read() else None
        self._next_try_s = math.inf if next_try_s is None else next_try_s
        if self._tidy_at is not None and now >= self._tidy_at:
            self._tidy_at = None
            self._index.tidy()
            give_back()
        if now >= self._rest_at:
            self._rest_at = now + _REST_EVERY_S
            self._index.rest(self._index.settings.idle_minutes * 60)
            self._answering.rest()
