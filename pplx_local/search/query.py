"""The query language: words, "phrases", -exclusions and filters.

Any text is a query. What is not understood is searched for as words. Where it looks like
a filter all the same, a hint says so, and other words, if there are any, are searched for
without it: a mistyped filter is a word that nothing holds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from pplx_local.documents import type_like, types_named
from pplx_local.search.days import DAYS, parse_day
from pplx_local.search.languages import CODES
from pplx_local.store import NO_FILTERS, Among, Filters, Parts

MAX_CONDITIONS = 50
"""Filters, phrases and exclusions of a query; further ones are left out."""

_QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'
_TOKEN = re.compile(
    rf"(?P<minus>-)?(?:(?P<key>[A-Za-z]{{2,12}})[:\uff1a])?"
    rf"(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)[{_QUOTES}]|(?P<bare>\S+))"
)
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_FILTERS = ("path", "type", "after", "before", "title", "author", "lang")
_LISTED = ("type", "lang")
"""Filters whose value may be several, with commas."""
_SHOWN_CHARS = 40
_CLOSE = 0.75
"""Of two words that may be meant for each other: "befor" and "before" have 0.91."""
_SYNONYMS = {
    "by": "author",
    "creator": "author",
    "dir": "path",
    "ext": "type",
    "extension": "type",
    "filetype": "type",
    "folder": "path",
    "from": "author",
    "kind": "type",
    "language": "lang",
    "since": "after",
    "until": "before",
}


@dataclass(frozen=True, slots=True)
class Query:
    """What a text asks for."""

    words: str = ""
    """To rank by, those of phrases too; without exclusions and filters."""
    filters: Filters = NO_FILTERS
    hints: tuple[str, ...] = ()
    """What looks like a filter and is none, a sentence each."""

    @property
    def has_words(self) -> bool:
        """Whether there is a letter or digit to rank by."""
        return bool(_LETTER_OR_DIGIT.search(self.words))


def parse_query(text: str, *, today: date | None = None) -> Query:
    """Read a query; there is no text that is none.

    Args:
        text: As typed.
        today: Where the person is; None for what the clock says.
    """
    parsing = _Parsing(today or date.today())
    for token in _TOKEN.finditer(_clean(text)):
        parsing.take(token)
    return parsing.query()


def _clean(text: str) -> str:
    """Take out what SQLite cannot hold: lone surrogates and NULs."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


class _NotUnderstoodError(Exception):
    """Looks like a filter and is none; the message says why."""


class _Parsing:
    """A query while it is read."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._words: list[str] = []
        self._unclear: dict[str, str] = {}
        """What looks like a filter and is none, and why."""
        self._hints: list[str] = []
        self._conditions: list[tuple[str, bool, Any]] = []
        """(What of, excluded, value)."""

    def query(self) -> Query:
        """Give what was read."""
        if len(self._conditions) > MAX_CONDITIONS:
            self._hints.append(
                f"Only the first {MAX_CONDITIONS} filters, phrases and exclusions count."
            )
        for token, why in self._unclear.items():
            done = "left out" if self._words else "searched for as words"
            self._hints.append(f"{_shortened(token)} was {done}: {why}")
        filters = _filters(self._conditions[:MAX_CONDITIONS])
        words = " ".join(" ".join(self._words or self._unclear).split())
        return Query(words, filters, tuple(dict.fromkeys(self._hints)))

    def take(self, token: re.Match[str]) -> None:
        """Take the next word, phrase, exclusion or filter."""
        excluded = bool(token["minus"])
        if token["key"]:
            self._take_filter(token, excluded)
        elif token["quoted"] is not None:
            self._take_phrase(" ".join(token["quoted"].split()), excluded)
        elif excluded and _is_word(token["bare"]):
            self._conditions.append(("word", True, token["bare"]))
        else:
            self._words.append(token[0])
            self._look_for_value(token["bare"])

    def _take_phrase(self, phrase: str, excluded: bool) -> None:
        if _LETTER_OR_DIGIT.search(phrase):
            self._conditions.append(("phrase", excluded, phrase))
        if phrase and not excluded:
            self._words.append(phrase)

    def _take_filter(self, token: re.Match[str], excluded: bool) -> None:
        key = token["key"].lower()
        value = token["quoted"] if token["bare"] is None else token["bare"]
        try:
            read = self._read(key, value.strip(f" {_QUOTES}"))
        except _NotUnderstoodError as why:
            if str(why):
                self._unclear[token[0]] = str(why)
            else:
                self._words.append(token[0])
        else:
            self._conditions.append((key, excluded, read))

    def _read(self, key: str, value: str) -> Any:
        """Read the value of a filter."""
        if key not in _FILTERS:
            raise _NotUnderstoodError(_meant(key))
        if not value.strip("," if key in _LISTED else None):
            raise _NotUnderstoodError("there is nothing behind the colon.")
        match key:
            case "path":
                return _read_path(value)
            case "type":
                return _read_types(value)
            case "lang":
                return _read_languages(value)
            case "after" | "before":
                return _read_day(value, self._today)
        return value

    def _look_for_value(self, word: str) -> None:
        """Hint at a filter whose value stands behind a blank, or nowhere."""
        key = word.lower().lstrip("-")[:-1]
        if word.endswith((":", "\uff1a")) and key in _FILTERS:
            self._hints.append(
                f"{_shortened(word)} was searched for as words: {key}: and its value "
                "are written without a blank."
            )


def _meant(key: str) -> str:
    """Say which filter is meant; nothing where it looks like none."""
    near = get_close_matches(key, _FILTERS, n=1, cutoff=_CLOSE)
    meant = _SYNONYMS.get(key) or "".join(near)
    return meant and f"{key}: is no filter. Did you mean {meant}:?"


def _shortened(token: str) -> str:
    return token if len(token) <= _SHOWN_CHARS else token[:_SHOWN_CHARS] + "..."


def _is_word(text: str) -> bool:
    """Tell "-word" from "--flag", "->" and "-"."""
    return not text.startswith("-") and bool(_LETTER_OR_DIGIT.search(text))


def _read_path(value: str) -> str:
    if not value.startswith("~"):
        return value
    try:
        # A home whose name is no text becomes a pattern, "?" for what cannot be said.
        return _clean(str(Path(value).expanduser()))
    except RuntimeError:  # there is no such person
        return value


def _read_types(value: str) -> Among:
    """Read types with commas between them."""
    found = []
    for name in filter(None, value.split(",")):
        types = types_named(name)
        if types is None:
            near = type_like(name)
            meant = f" Did you mean type:{near}?" if near else ""
            raise _NotUnderstoodError(f"there is no type {name}.{meant}")
        found.append(Among(*types))
    return reduce(or_, found, Among(frozenset()))


def _read_languages(value: str) -> Among:
    codes = set()
    for name in filter(None, value.casefold().split(",")):
        if name not in CODES:
            near = get_close_matches(name, CODES, n=1, cutoff=_CLOSE)
            meant = f" Did you mean lang:{near[0]}?" if near else ""
            raise _NotUnderstoodError(f"there is no language {name}.{meant}")
        codes.add(CODES[name])
    return Among(frozenset(codes))


def _read_day(value: str, today: date) -> date:
    day = parse_day(value, today)
    if day is None:
        raise _NotUnderstoodError(f"a day is {DAYS}.")
    return day


# --- from conditions to filters ----------------------------------------------


def _filters(conditions: list[tuple[str, bool, Any]]) -> Filters:
    sorted_out: dict[tuple[str, bool], list[Any]] = defaultdict(list)
    for what, excluded, value in conditions:
        sorted_out[what, excluded].append(value)

    def of(what: str, excluded: bool = False) -> tuple[Any, ...]:
        return tuple(sorted_out[what, excluded])

    # Not after a day is before it, and the other way round.
    after = of("after") + of("before", excluded=True)
    before = of("before") + of("after", excluded=True)
    return Filters(
        phrases=of("phrase"),
        without=of("word", excluded=True),
        without_phrases=of("phrase", excluded=True),
        path=Parts(of("path"), of("path", excluded=True)),
        title=Parts(of("title"), of("title", excluded=True)),
        author=Parts(of("author"), of("author", excluded=True)),
        extension=_among(of("type"), of("type", excluded=True)),
        language=_among(of("lang"), of("lang", excluded=True)),
        after=max(after, default=None),
        before=min(before, default=None),
    )


def _among(wanted: tuple[Among, ...], unwanted: tuple[Among, ...]) -> Among | None:
    """Take what is in any of the first and in none of the second."""
    if not wanted and not unwanted:
        return None
    everything = Among(frozenset(), inverted=True)
    some = reduce(or_, wanted) if wanted else everything
    return some & ~reduce(or_, unwanted) if unwanted else some
