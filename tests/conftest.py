"""What several test modules need."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from desk import Desk


# A shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write(
        "harbour.md", "# Harbour\n\nThe lighthouse keeper counts ships at dawn.\n"
    )
    desk.write("garden.txt", "Tomatoes want sun, water and a wall behind them.\n")
    desk.write("sub/engine.txt", "Replace the timing belt after 90,000 kilometres.\n")
    return desk
