"""What is passed over in a registered folder: by default, by a file, and why.

`.pplxignore` outranks `.ignore`, and that `.gitignore`; of two files with the same name
the deeper one counts, and in a file the last line that matches. Nothing in a folder that
is passed over is looked at, so nothing in it can be taken back. The defaults outrank
every file but `.pplxignore`, since a `!` elsewhere means what is kept in a repository.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from pplx_local.watch.ignore_files import (
    GIT,
    NAMES,
    OWN,
    PLAIN,
    IgnoreFile,
    in_words,
    is_repository,
    read_excludes,
    read_ignore_file,
)
from pplx_local.watch.patterns import is_pattern
from pplx_local.watch.rules import SECRET, ignored

_REPOSITORY = b".git"
TELLING = NAMES | {_REPOSITORY}
"""Names whose presence changes what holds in a folder."""
_MOST_KEPT = 4_096
_MOST_PATTERNS = 100_000
"""In force in a folder, and kept of all folders: far more than anybody writes."""


@dataclass(frozen=True, slots=True)
class Level:
    """What holds for the entries of one folder."""

    hidden: bool
    """Whether hidden files count."""
    heeds_all: bool
    """Whether other files than `.pplxignore` are honoured."""
    own: tuple[IgnoreFile, ...] = ()
    """Files of the name `.pplxignore`, the deepest first."""
    plain: tuple[IgnoreFile, ...] = ()
    git: tuple[IgnoreFile, ...] = ()
    """Those of the repository that the folder lies in; its `info/exclude` is last."""
    files: tuple[IgnoreFile, ...] = ()
    """All of them, in the order in which they count."""

    def enter(self, folder: bytes, names: Collection[bytes]) -> Level:
        """Give what holds in a folder, given what holds around it.

        Args:
            folder: Absolute.
            names: Those of its entries that are in `TELLING`.
        """
        if not names:
            return self
        own = self._with(self.own, folder, OWN, names)
        plain, git = self.plain, self.git
        if self.heeds_all:
            plain = self._with(plain, folder, PLAIN, names)
            if _REPOSITORY in names and is_repository(folder):
                git = _some(read_excludes(folder))
            git = self._with(git, folder, GIT, names)
        return replace(self, own=own, plain=plain, git=git, files=own + plain + git)

    def _with(
        self,
        files: tuple[IgnoreFile, ...],
        folder: bytes,
        name: bytes,
        names: Collection[bytes],
    ) -> tuple[IgnoreFile, ...]:
        if name not in names:
            return files
        path = os.path.join(folder, name)  # noqa: PTH118  bytes
        file = read_ignore_file(path, folder)
        if file and self.n_patterns + file.n_patterns > _MOST_PATTERNS:
            file = IgnoreFile(path, folder, why_not="there are too many of them")
        return _some(file) + files

    @property
    def n_patterns(self) -> int:
        """How many lines are in force."""
        return sum(file.n_patterns for file in self.files)

    def why(self, path: bytes, name: bytes, *, is_folder: bool) -> str | None:
        """Say why an entry is passed over; None when it is not.

        Args:
            path: Absolute.
            name: The end of it.
            is_folder: Whether it is a folder, and no link to one.
        """
        by_default = ignored(name, is_folder=is_folder, hidden=self.hidden)
        if not self.files:
            return by_default
        if name in NAMES and (note := self._note(path)):
            return note
        if by_default:
            is_meant = self._is_meant(path, name, by_default, is_folder=is_folder)
            return None if is_meant else by_default
        for file in self.files:
            if line := file.last(path, name, is_folder=is_folder):
                return None if line.is_negated else file.reason(line)
        return None

    def _note(self, path: bytes) -> str | None:
        return next((file.note for file in self.files if file.path == path), None)

    def _is_meant(
        self, path: bytes, name: bytes, by_default: str, *, is_folder: bool
    ) -> bool:
        """Tell whether a person takes back a default, which needs more than a `!*`."""
        for file in self.own:
            if line := file.last(path, name, is_folder=is_folder):
                is_so = line.says if by_default == SECRET else line.means
                return line.is_negated and is_so(name)
        return False


def _some(file: IgnoreFile | None) -> tuple[IgnoreFile, ...]:
    return (file,) if file else ()


class Rules:
    """The rules of one registered folder; no rule applies to the folder itself.

    What was read of ignore files is kept until `forget`. Not for two threads at once.
    """

    def __init__(
        self, folder: bytes, *, hidden: bool = False, ignore_files: bool = True
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            folder: Absolute, without links.
            hidden: Whether hidden files and folders count.
            ignore_files: Whether `.ignore` and `.gitignore` are honoured.
        """
        self.folder = folder
        self._outside = Level(hidden, ignore_files)
        self._inside: dict[bytes, Level | str] = {}
        self._n_kept = 0

    def forget(self) -> None:
        """Read every ignore file anew."""
        self._inside.clear()
        self._n_kept = 0
        self.__dict__.pop("_around", None)

    @cached_property
    def _around(self) -> Level:
        """What holds around the registered folder, from its repository's top down."""
        level = self._outside
        for folder in _between_repository_and(self.folder):
            level = level.enter(folder, _telling_names(folder))
        return level

    def why(self, path: bytes, *, is_folder: bool) -> str | None:
        """Say why a path is passed over, or a folder above it; None when a walk reads it.

        Args:
            path: The registered folder or something in it, which may be gone.
            is_folder: Whether it is a folder, and no link to one.
        """
        if path == self.folder:
            return None
        level = self.beside(path)
        if isinstance(level, str):
            return level
        return level.why(path, path.rpartition(b"/")[2], is_folder=is_folder)

    def by_default(self, path: bytes, *, is_folder: bool) -> str | None:
        """Say why a path is passed over if no file says otherwise, by its name alone."""
        name = path.rpartition(b"/")[2]
        return ignored(name, is_folder=is_folder, hidden=self._outside.hidden)

    def remedy(self, path: bytes, *, is_folder: bool) -> str:
        """Say what would have a path indexed that is passed over by default.

        Returns:
            Words to follow the reason; none for what another rule passes over, or
            where the name would have to be written as a pattern.
        """
        name = path.rpartition(b"/")[2]
        why = self.why(path, is_folder=is_folder)
        if not why or why != self.by_default(path, is_folder=is_folder):
            return ""
        if is_pattern(name):
            return ""
        line = in_words(b"!" + name + b"/" * is_folder)
        file = in_words(os.path.join(self.folder, OWN))  # noqa: PTH118  bytes
        return f"; to have it all the same, write {line} into {file}"

    def beside(self, path: bytes) -> Level | str:
        """Give what holds where a path lies, or why nothing is looked at there.

        Args:
            path: The registered folder or something in it.
        """
        if path == self.folder:
            return self._around
        return self._inside_of(path.rpartition(b"/")[0] or b"/")

    def _inside_of(self, folder: bytes) -> Level | str:
        unknown: list[bytes] = []
        while (level := self._known(folder)) is None:
            unknown.append(folder)
            folder = folder.rpartition(b"/")[0] or b"/"
        for inner in reversed(unknown):
            level = self._keep(inner, self._entered(level, inner), level)
        return level

    def _known(self, folder: bytes) -> Level | str | None:
        known = self._inside.get(folder)
        if known is None and folder in (self.folder, b"/"):
            level = self._around.enter(folder, _telling_names(folder))
            known = self._keep(folder, level, self._around)
        return known

    def _entered(self, level: Level | str, folder: bytes) -> Level | str:
        if isinstance(level, str):
            return level
        name = folder.rpartition(b"/")[2]
        why = level.why(folder, name, is_folder=True)
        return why or level.enter(folder, _telling_names(folder))

    def _keep(
        self, folder: bytes, level: Level | str, above: Level | str
    ) -> Level | str:
        if isinstance(level, Level) and level is not above:
            self._n_kept += level.n_patterns
        if len(self._inside) >= _MOST_KEPT or self._n_kept > _MOST_PATTERNS:
            self._inside.clear()
            self._n_kept = 0
        self._inside[folder] = level
        return level


def _between_repository_and(folder: bytes) -> Iterable[bytes]:
    """List folders above one, from the top of the repository that it lies in."""
    above: list[bytes] = []
    around = folder
    while not is_repository(around):
        if around in (b"/", b""):
            return []
        around = around.rpartition(b"/")[0] or b"/"
        above.append(around)
    return reversed(above)


def _telling_names(folder: bytes) -> set[bytes]:
    return {
        name
        for name in TELLING
        if os.path.lexists(os.path.join(folder, name))  # noqa: PTH118  bytes
    }
