"""The day that a document says it was written on, in the ways that documents write it."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_MONTH = r"(?P<month>[a-z]{3})[a-z]{0,6}\.?"
_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        r"(?:D:)?(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?!\d{3}(?:\D|\Z))",
        r"(?P<year>\d{4})([-/.])(?P<month>\d\d?)\2(?P<day>\d\d?)(?!\d)",
        r"(?P<year>\d{4})-(?P<month>\d\d)\Z",
        r"(?:D:)?(?P<year>\d{4})\Z",
        r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})(?!\d)",
        rf"(?:[a-z]+,? )?(?P<day>\d\d?)(?:st|nd|rd|th)? {_MONTH},? (?P<year>\d{{4}})\b",
        rf"(?:[a-z]+, )?{_MONTH} (?P<day>\d\d?)(?:st|nd|rd|th)?,? (?P<year>\d{{4}})\b",
    )
)
_FIRST_YEAR, _LAST_YEAR = 1000, 2200


def read_day(text: str) -> date | None:
    """Read a day: ISO 8601, as PDF or mail write it, "17.05.2024", "May 17, 2024".

    What comes behind it, such as the time, does not matter. Days that mean different
    things in different countries, such as "05/06/2024", are none.
    """
    text = " ".join(text[:100].split())
    for form in _FORMS:
        if found := form.match(text):
            return _day(**found.groupdict())
    return None


def _day(year: str, month: str = "1", day: str = "1") -> date | None:
    number = int(month) if month.isdigit() else _month(month)
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        return None
    try:
        return date(int(year), number, int(day))
    except ValueError:
        return None


def _month(name: str) -> int:
    """Number a month; 0, which is none, for other words."""
    place = _MONTHS.find(name.lower())
    return place // 3 + 1 if place % 3 == 0 else 0
