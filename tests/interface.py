"""The terminal interface in a test: driven by keys, over a real daemon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from pplx_local.tui.app import PplxLocal

Steps = Callable[[Pilot[Any]], Awaitable[None]]


def drive(app: PplxLocal, steps: Steps, size: tuple[int, int] = (100, 30)) -> None:
    """Run an app without a terminal, and do what a person would.

    A bug in the app fails the test.
    """

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await steps(pilot)

    asyncio.run(run())


async def until(
    pilot: Pilot[Any], condition: Callable[[], Any], seconds: float = 30.0
) -> None:
    """Let the app go on until something holds, or fail."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        await pilot.pause(0.02)


def shown(app: PplxLocal) -> str:
    """Give what is on the screen, line by line, without colours."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines[:height]) if width else ""
