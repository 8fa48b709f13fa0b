"""Days, as a person writes them in a query."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

DAYS = "written 2024, 2024-05, 2024-05-17, today, yesterday, 7d, 3w, 2m or 1y"
_DAY = re.compile(r"([1-9]\d{3})(?:-(\d\d?)(?:-(\d\d?))?)?", re.ASCII)
_AGO = re.compile(r"(\d{1,4})([dwmy])", re.ASCII)
_NAMED = {"today": "0d", "yesterday": "1d"}


def parse_day(text: str, today: date) -> date | None:
    """Read a day, the first one of a month or a year, or one that lies so far back.

    Args:
        text: As in `DAYS`; capitals do not matter.
        today: Where the person is.

    Returns:
        None where it is no day.
    """
    text = text.lower()
    try:
        if found := _AGO.fullmatch(_NAMED.get(text, text)):
            return _back(today, int(found[1]), found[2])
        if found := _DAY.fullmatch(text):
            return date(*(int(part or 1) for part in found.groups()))
    except (ValueError, OverflowError):  # the 31st of June, or before the year 1
        return None
    return None


def _back(today: date, n: int, unit: str) -> date:
    if unit in "dw":
        return today - timedelta(days=n * (7 if unit == "w" else 1))
    months = today.year * 12 + today.month - 1 - n * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(today.day, last))
