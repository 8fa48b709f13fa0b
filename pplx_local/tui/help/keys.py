"""The keys of a screen, in groups, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual.widgets import Input

from pplx_local.tui.keys import key_name

if TYPE_CHECKING:
    from textual.binding import Binding
    from textual.screen import Screen

_NOT_OURS = {
    *("app.focus_next", "app.focus_previous", "screen.copy_text"),
    *("scroll_left", "scroll_right", "page_left", "page_right"),
}
"""What Textual binds, and nothing here answers to."""
_SAID = {"palette": "Every action, to choose from"}
"""In place of what Textual says."""

Pairs = list[tuple[str, str]]
"""Keys, and what they do."""


def keys_of(screen: Screen[Any]) -> Pairs:
    """Give the keys of a screen, and of what has the focus in it."""
    everywhere = dict(screen.app._bindings)
    found = [
        (key, active)
        for key, active in screen.active_bindings.items()
        if key not in everywhere and not isinstance(active.node, Input)
    ]
    found.sort(key=lambda one: one[1].node is not screen)  # its own come first
    return _pairs((key, active.binding) for key, active in found)


def keys_of_text(screen: Screen[Any]) -> Pairs:
    """Give the keys of the line of text that has the focus; none without one."""
    return _pairs(
        (key, active.binding)
        for key, active in screen.active_bindings.items()
        if isinstance(active.node, Input)
    )


def keys_of_app(screen: Screen[Any]) -> Pairs:
    """Give the keys that do the same everywhere."""
    return _pairs(screen.app._bindings)


def _pairs(bindings: Iterable[tuple[str, Binding]]) -> Pairs:
    """Put the keys that do the same together."""
    keys: dict[str, list[str]] = {}
    for key, binding in bindings:
        if binding.description and binding.action not in _NOT_OURS:
            name = key_name(key)
            said = _SAID.get(binding.description, binding.description)
            known = keys.setdefault(said, [])
            known += [name] if name not in known else []
    return [(", ".join(names), said) for said, names in keys.items()]
