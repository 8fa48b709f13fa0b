"""The settings as rows, and all that there is to know of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from pplx_local.config import KEYS, Key, Value
from pplx_local.daemon.wire import ANEW
from pplx_local.tui.fitting import both_ends
from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import count
from pplx_local.wording.settings import may_be, takes_effect, value_in_words

if TYPE_CHECKING:
    from pplx_local.tui.memory import Memory

THEME, HISTORY = "theme", "history"
_OWN = {
    THEME: "The colours of this interface; each is shown while you choose.",
    HISTORY: "The questions that come back with alt-up. They are kept in the home and "
    "nowhere else; enter forgets them.",
}


class SettingRow(NamedTuple):
    """Something that can be set."""

    name: str
    value: str
    """In words."""
    is_changed: bool
    """Whether it is not what it is by default."""
    in_force: str | None
    """What the daemon that runs goes by, where that is something else."""
    key: Key | None
    """None for what is of the interface alone."""


def rows_of(
    written: Mapping[str, Value], in_force: Mapping[str, Value], memory: Memory
) -> list[SettingRow]:
    """Lay out all that can be set.

    Args:
        written: In the file, or by default.
        in_force: In the daemon; empty while it has not answered.
        memory: Of the interface.
    """
    theme = memory.theme or "by default"
    kept = count(len(memory.queries), "question")
    return [
        *(_row(key, written[name], in_force) for name, key in KEYS.items()),
        SettingRow(THEME, theme, False, None, None),
        SettingRow(HISTORY, kept, False, None, None),
    ]


def _row(key: Key, value: Value, in_force: Mapping[str, Value]) -> SettingRow:
    other = in_force.get(key.name, value)
    return SettingRow(
        name=key.name,
        value=value_in_words(value),
        is_changed=value != key.default,
        in_force=None if other == value else value_in_words(other),
        key=key,
    )


def lay_out(row: SettingRow, width: int) -> list[Content]:
    """Lay out a row in a line; what is not as by default stands out."""
    sign = "!" if row.in_force else "•" if row.is_changed else " "
    style = "$text-warning" if row.in_force else "$text-accent"
    name = plain(f" {sign} ", style) + plain(row.name)
    value = plain(f"{row.value} ", "bold" if row.is_changed else "$foreground-muted")
    return [both_ends(name, value, width)]


def details(row: SettingRow | None, *, is_own: bool) -> Content:
    """Say what it is for, what it may be, and when a change counts.

    Args:
        row: That is chosen; None for none.
        is_own: Whether the daemon is one that we may end.
    """
    if row is None:
        return Content("")
    said = [plain(row.name, "bold"), Content("")]
    if row.key is None:
        return Content("\n").join([*said, plain(_OWN[row.name])])
    return Content("\n").join([*said, *_of_key(row.key, row, is_own)])


def _of_key(key: Key, row: SettingRow, is_own: bool) -> Iterator[Content]:
    yield plain(key.about)
    yield Content("")
    if row.in_force:
        how = "a starts it anew." if is_own else f"start it anew: {ANEW}"
        said = f"! The daemon that runs goes by {row.in_force}: {how}"
        yield plain(said, "$text-warning")
    elif key.name == "model":
        yield plain("The models screen (f5) changes it.", "$foreground-muted")
    else:
        yield plain(takes_effect(key), "$foreground-muted")
    yield Content("")
    yield _named("now", row.value)
    yield _named("by default", value_in_words(key.default))
    yield _named("it may be", may_be(key))


def _named(name: str, value: str) -> Content:
    return plain(f"{name:<12}", "$foreground-muted") + plain(value)
