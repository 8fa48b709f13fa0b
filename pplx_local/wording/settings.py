"""Settings in words: their values, what they may be, and when a change takes effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pplx_local.daemon.wire import ANEW
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from pplx_local.config import Key, Value


def value_in_words(value: Value) -> str:
    """Say `8,192`, `5`, `auto`, `true`."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.15g}"


def may_be(key: Key) -> str:
    """Say what a setting may be: `auto, always`, `from 256 to 32,768`, `more than 0`."""
    if key.choices:
        return ", ".join(key.choices) + (", or another" if key.is_open else "")
    return key.span_in_words.split(", and at most")[0]


def takes_effect(key: Key) -> str:
    """Say when a change counts."""
    if key.is_live:
        return "A running daemon follows at once."
    return f"A daemon keeps what it was started with. To start it anew: {ANEW}"
