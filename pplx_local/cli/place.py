"""A place as it is typed: a path, a line and a column, the way editors write them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from pplx_local.cli.options import typed_path

_WITH_NUMBER = re.compile(r"(?P<path>.+):(?P<number>\d{1,12})", re.DOTALL)


class TypedPlace(NamedTuple):
    """A file, and where in it."""

    path: Path
    line: int | None = None
    column: int | None = None


def typed_place(text: str) -> TypedPlace:
    """Take a path apart from a line and a column.

    A name may end like that too: what is there is meant, by its longest name.

    Raises:
        BadParameter: It is no path, as for `typed_path`.
    """
    meant = [TypedPlace(typed_path(text))]
    rest = text.removesuffix(":")
    while len(meant) < 3 and (found := _WITH_NUMBER.fullmatch(rest)):
        rest = found["path"]
        path, number = typed_path(rest), int(found["number"])
        meant.append(TypedPlace(path, number, meant[-1].line))
    return next((one for one in meant if os.path.lexists(one.path)), meant[-1])
