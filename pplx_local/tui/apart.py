"""Looks at the disk that nobody waits for: a volume that is away may never answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_Found = TypeVar("_Found")


async def apart(look: Callable[[], _Found]) -> _Found:
    """Look on a thread of its own; one that hangs keeps nothing from ending.

    Raises:
        Exception: What the look has raised.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Found] = loop.create_future()

    def settle(give: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the interface has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if done.done() else give())

    def run() -> None:
        try:
            found = look()
        except Exception as error:  # noqa: BLE001 - it is the caller's
            failure = error
            settle(lambda: done.set_exception(failure))
        else:
            settle(lambda: done.set_result(found))

    threading.Thread(target=run, name="look", daemon=True).start()
    return await done
