"""The checkpoints as rows, and all that is known of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from pplx_local.tui.fitting import bar, both_ends
from pplx_local.tui.paint import plain
from pplx_local.wording.amounts import size_in_words
from pplx_local.wording.models import (
    change_in_words,
    kind_in_words,
    models_in_words,
    needs_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pplx_local.records import ModelChange, ModelList, ModelRecord, Role, Status

HEIGHT = 2

_SIGNS = {"answers": "●", "being built": "◐", "here": "○", "not here": "·"}
_STYLES = {
    "answers": "bold $text-success",
    "being built": "bold $text-warning",
    "here": "",
    "not here": "$foreground-muted",
}
_ABOUT = {
    "auto": "The best checkpoint that is on this computer.",
    "none": "Keywords only. Vectors that are there are kept.",
}


class ModelRow(NamedTuple):
    """What can be chosen: a checkpoint, "auto" or "none"."""

    name: str
    model: ModelRecord | None
    """None for the two that are no checkpoint."""
    state: str
    """"answers", "being built", "here", "not here"; empty for no checkpoint."""
    legs: str
    """That it serves now or soon; empty for none."""
    is_setting: bool
    """Whether it is what the settings say."""
    is_marked: bool


def rows_of(
    found: ModelList, status: Status | None, marked: Collection[str]
) -> list[ModelRow]:
    """Lay out all that can be chosen: what answers or is here comes first."""
    rows = [_row(model, found.setting, status, marked) for model in found.models]
    rows.sort(key=lambda row: list(_SIGNS).index(row.state))
    setting = found.setting.strip().casefold()
    return rows + [
        ModelRow(name, None, "", "", setting == name, is_marked=False)
        for name in ("auto", "none")
    ]


def _row(
    model: ModelRecord, setting: str, status: Status | None, marked: Collection[str]
) -> ModelRow:
    serving = _legs(status.profile, model.name) if status else ""
    change = status.change if status else None
    coming = _legs(change.profile, model.name) if change else ""
    state = "here" if model.path else "not here"
    if serving or coming:
        state = "answers" if serving else "being built"
    return ModelRow(
        name=model.name,
        model=model,
        state=state,
        legs=serving or coming,
        is_setting=model.name in {part.strip() for part in setting.split("+")},
        is_marked=model.name in marked,
    )


def _legs(profile: Mapping[Role, str | None], name: str) -> str:
    return " and ".join(role for role, used in profile.items() if used == name)


def lay_out(row: ModelRow, width: int) -> list[Content]:
    """Lay out a row in two lines."""
    sign = "✚" if row.is_marked else _SIGNS.get(row.state, " ")
    style = _STYLES.get(row.state, "")
    name = plain(f" {sign} ", style) + plain(row.name, "bold")
    said = f"{row.state}: {row.legs}" if row.legs else row.state
    if not row.model and row.is_setting:
        said = "the setting"
    right = plain(f"{said} ", style)
    return [both_ends(name, right, width), _second_line(row, width)]


def _second_line(row: ModelRow, width: int) -> Content:
    if row.model is None:
        said = _ABOUT[row.name]
    else:
        size = size_in_words(row.model.bytes)
        said = f"{' and '.join(row.model.roles)}, {size}, {row.model.good_for}"
    return plain(f"   {said}", "$foreground-muted").truncate(width, ellipsis=True)


def details(row: ModelRow | None, status: Status | None) -> Content:
    """Say all that is known of one."""
    if row is None:
        return Content("")
    lines = _of_model(row.model) if row.model else _of_word(row, status)
    return Content("\n").join([plain(row.name, "bold"), *lines])


def _of_model(model: ModelRecord) -> Iterator[Content]:
    if model.title != model.name:
        yield plain(model.title)
    yield plain(f"For {model.good_for}.")
    yield Content("")
    yield plain(kind_in_words(model))
    yield plain(needs_in_words(model))
    if model.repository:
        yield plain(f"Published as {model.repository}", "$foreground-muted")
    if model.path:
        yield plain(f"It lies in {model.path}", "$foreground-muted")
    else:
        yield Content("")
        yield plain(_how_to_get(model), "$text-warning")


def _how_to_get(model: ModelRecord) -> str:
    return "Not on this computer. " + (
        "p fetches it, i takes it from a folder." if model.repository else model.install
    )


def _of_word(row: ModelRow, status: Status | None) -> Iterator[Content]:
    yield plain(_ABOUT[row.name])
    if row.is_setting:
        now = models_in_words(status.profile) if status else ""
        yield Content("")
        yield plain(f"This is the setting. Now {now or 'keywords alone'} answers.")


def answering(status: Status | None) -> Content:
    """Say what answers, and how far what will answer is."""
    if status is None:
        return plain("asking the daemon…", "$foreground-muted")
    now = models_in_words(status.profile)
    said = plain(now or "keywords alone", "bold") + plain(" answers")
    return said + _changing(status.change) if status.change else said


def _changing(change: ModelChange) -> Content:
    counts = list(change.embedded.values()) or [0]
    share = sum(counts) / len(counts) / max(1, change.documents)
    return plain(f", {change_in_words(change)} ") + bar(share, 16)
