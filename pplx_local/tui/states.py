"""The states of files as signs and words: told apart without colour too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.content import Content

from pplx_local.tui.paint import plain

if TYPE_CHECKING:
    from pplx_local.records import Fate, State

_SIGNS_OF_CHANGES: dict[str, tuple[str, str]] = {
    "renamed": ("→", "$text-accent"),
    "removed": ("⌫", "$foreground-muted"),
}
SIGNS: dict[State, tuple[str, str]] = {
    "indexed": ("✓", "$text-success"),
    "pending": ("…", "$text-accent"),
    "failed": ("✗", "bold $text-error"),
    "unreachable": ("?", "$text-warning"),
    "no_text": ("○", "$text-warning"),
    "empty": ("∅", "$foreground-muted"),
    "skipped": ("·", "$foreground-muted"),
}
"""In the order in which a person wants to hear of them."""
_WIDEST = max(map(len, SIGNS))
_GAP = Content("  ")


def state_sign(state: State) -> Content:
    """Show a state in one cell."""
    sign, style = SIGNS[state]
    return plain(sign, style)


def fate_sign(fate: Fate) -> Content:
    """Show what happened to a file in one cell."""
    if fate == "renamed" or fate == "removed":
        return plain(*_SIGNS_OF_CHANGES[fate])
    return state_sign(fate)


def state_content(state: State) -> Content:
    """Show a state in a column: its sign and its name."""
    name = state.replace("_", " ")
    return state_sign(state) + plain(f" {name:<{_WIDEST}}", SIGNS[state][1])


def counts_content(counts: Mapping[State, int]) -> Content:
    """Say how many files are in which state, leaving out what is none."""
    said = [
        state_sign(state) + plain(f" {n:,} {state.replace('_', ' ')}", style)
        for state, (_, style) in SIGNS.items()
        if (n := counts.get(state, 0))
    ]
    return _GAP.join(said) if said else plain("no files", "$foreground-muted")
