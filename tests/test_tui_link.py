from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import Daemon, wait_for

from pplx_local.daemon.claim import claimed_by
from pplx_local.errors import DaemonEnded, DaemonError, FolderError
from pplx_local.records import Progress
from pplx_local.tui.link import Link

Steps = Callable[[Link], Coroutine[Any, Any, None]]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path) as daemon:
        yield daemon


def with_link(home: Path, steps: Steps, *, device: str | None = None) -> None:
    async def run() -> None:
        link = Link(home, {"--device": device, "--backend": None})
        try:
            await steps(link)
        finally:
            link.close()

    asyncio.run(run())


def test_a_daemon_that_runs_is_asked(daemon: Daemon) -> None:
    async def steps(link: Link) -> None:
        hello = await link.ask("any", lambda one: one.hello())
        assert hello["pid"] == daemon.pid
        assert not link.is_own

    with_link(daemon.settings.home, steps)
    assert daemon.client.hello()["pid"] == daemon.pid, "it goes on without us"


def test_one_that_others_started_is_refused_where_it_was_told_what_to_run_on(
    daemon: Daemon,
) -> None:
    async def steps(link: Link) -> None:
        with pytest.raises(DaemonError, match="has its own settings"):
            await link.ask("any", lambda one: one.hello())

    with_link(daemon.settings.home, steps, device="cpu")
    assert daemon.client.hello()["pid"] == daemon.pid


def test_one_is_started_where_none_runs_and_ends_with_us(tmp_path: Path) -> None:
    home = tmp_path / "home"

    async def steps(link: Link) -> None:
        asked = [link.ask(f"lane {n}", lambda one: one.hello()) for n in range(4)]
        pids = {hello["pid"] for hello in await asyncio.gather(*asked)}
        assert len(pids) == 1, "one for all lanes"
        assert link.is_own
        assert claimed_by(home) == pids.pop()

    with_link(home, steps, device="cpu")
    wait_for(lambda: claimed_by(home) is None)


def test_why_none_can_be_started_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("modle = 1\n")

    async def steps(link: Link) -> None:
        with pytest.raises(DaemonError, match="modle"):
            await link.ask("any", lambda one: one.hello())

    with_link(home, steps, device="cpu")


def test_where_it_is_killed_another_one_answers(tmp_path: Path) -> None:
    home = tmp_path / "home"

    async def steps(link: Link) -> None:
        first = (await link.ask("any", lambda one: one.hello()))["pid"]
        os.kill(first, signal.SIGKILL)
        second = (await link.ask("any", lambda one: one.hello()))["pid"]
        assert second != first

    with_link(home, steps, device="cpu")


def test_an_error_of_the_call_comes_through(daemon: Daemon) -> None:
    async def steps(link: Link) -> None:
        with pytest.raises(FolderError, match="nowhere"):
            await link.ask("any", lambda one: one.remove_folder(Path("/nowhere")))
        assert await link.ask("any", lambda one: one.status())

    with_link(daemon.settings.home, steps)


def test_work_is_followed_and_its_outcome_given(daemon: Daemon) -> None:
    daemon.write("a.txt", "A fox.")
    seen: list[Progress] = []

    async def steps(link: Link) -> None:
        work = await link.follow(
            "work", lambda one: one.add([daemon.folder]), seen.append
        )
        assert work.report.added == 1

    with_link(daemon.settings.home, steps)
    assert seen


def test_a_lane_does_not_wait_for_another(daemon: Daemon) -> None:
    async def steps(link: Link) -> None:
        slow = asyncio.create_task(link.ask("slow", lambda one: time.sleep(2)))
        await asyncio.sleep(0)
        began = time.monotonic()
        await link.ask("quick", lambda one: one.hello())
        assert time.monotonic() - began < 2
        await slow

    with_link(daemon.settings.home, steps)


def test_what_is_cancelled_before_its_turn_is_never_asked(daemon: Daemon) -> None:
    asked: list[str] = []

    async def steps(link: Link) -> None:
        first = asyncio.create_task(link.ask("one", lambda one: time.sleep(0.3)))
        second = asyncio.create_task(
            link.ask("one", lambda one: asked.append("second"))
        )
        await asyncio.sleep(0.1)
        second.cancel()
        await first
        await link.ask("one", lambda one: asked.append("third"))

    with_link(daemon.settings.home, steps)
    assert asked == ["third"]


def test_what_is_cancelled_under_way_holds_nothing_up(daemon: Daemon) -> None:
    """The daemon hears that nobody waits, and the lane is free for the next question."""

    async def steps(link: Link) -> None:
        endless = asyncio.create_task(
            link.ask("one", lambda one: list(iter(one.hello, None)))
        )
        await asyncio.sleep(0.2)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        hello = await asyncio.wait_for(link.ask("one", lambda one: one.hello()), 5)
        assert hello["pid"] == daemon.pid

    with_link(daemon.settings.home, steps)


def test_giving_up_one_call_leaves_the_next_alone(daemon: Daemon) -> None:
    async def steps(link: Link) -> None:
        for _ in range(30):
            old = asyncio.create_task(link.ask("one", lambda one: one.status()))
            await asyncio.sleep(0.002)
            new = asyncio.create_task(link.ask("one", lambda one: one.hello()))
            old.cancel()
            assert (await new)["pid"] == daemon.pid

    with_link(daemon.settings.home, steps)


def test_a_lane_that_is_abandoned_ends_its_work(daemon: Daemon) -> None:
    async def steps(link: Link) -> None:
        endless = asyncio.create_task(
            link.ask("long", lambda one: list(iter(one.hello, None)))
        )
        await asyncio.sleep(0.2)
        link.abandon("long")
        with pytest.raises(DaemonEnded):
            await endless
        assert await link.ask("long", lambda one: one.hello()), "the name is free again"

    with_link(daemon.settings.home, steps)


def test_after_the_end_nothing_is_asked(daemon: Daemon) -> None:
    async def steps(link: Link) -> None:
        await link.ask("any", lambda one: one.hello())
        link.close()
        with pytest.raises(DaemonEnded):
            await link.ask("any", lambda one: one.hello())

    with_link(daemon.settings.home, steps)
