"""Editors and pagers: which one, and how each is told where to go."""

from __future__ import annotations

import shlex
from types import MappingProxyType
from typing import NamedTuple

from pplx_local.errors import OpenError
from pplx_local.opener.command import Command, Where
from pplx_local.opener.environment import Environment


class Form(NamedTuple):
    """How an editor is told the place."""

    at_line: tuple[str, ...]
    at_column: tuple[str, ...] = ()
    """Empty for one that takes no column."""
    in_window: bool = False


def _forms(table: dict[str, Form]) -> MappingProxyType[str, Form]:
    return MappingProxyType(
        {name: form for names, form in table.items() for name in names.split()}
    )


_PLUS = ("+{line}", "{path}")
_PLUS_COLON = ("+{line}:{column}", "{path}")
_CURSOR = ("+call cursor({line},{column})", "{path}")
_AFTER = ("{path}:{line}",)
_AFTER_COLON = ("{path}:{line}:{column}",)
FORMS = _forms(
    {
        "vi nvi ex joe mg": Form(_PLUS),
        "vim nvim vimx lvim": Form(_PLUS, _CURSOR),
        "gvim mvim": Form(_PLUS, _CURSOR, in_window=True),
        # In the terminal, though they may open windows: without one they would not run.
        "emacs emacsclient": Form(_PLUS, _PLUS_COLON),
        "nano rnano ne": Form(_PLUS, ("+{line},{column}", "{path}")),
        "micro kak": Form(_PLUS, _PLUS_COLON),
        "hx helix": Form(_AFTER, _AFTER_COLON),
        "code code-insiders codium vscodium cursor windsurf": Form(
            ("--goto", *_AFTER), ("--goto", *_AFTER_COLON), in_window=True
        ),
        "subl zed zeditor": Form(_AFTER, _AFTER_COLON, in_window=True),
        "gedit gnome-text-editor": Form(_PLUS, _PLUS_COLON, in_window=True),
        "xed pluma bbedit": Form(_PLUS, in_window=True),
        "kate kwrite idea pycharm webstorm goland clion rubymine": Form(
            ("--line", "{line}", "{path}"),
            ("--line", "{line}", "--column", "{column}", "{path}"),
            in_window=True,
        ),
    }
)
_USUAL = ("nano", "vim", "vi")
_PAGERS = ("less", "most")
"""Those that show the control characters of a file and do not obey them: `more` does."""
_LESS = ("-L", "-+F", "-+r")
"""No program that $LESSOPEN names, and for some names of files a shell that obeys them;
stay, also for a short file; and show control characters, whatever $LESS says."""


class Editor(NamedTuple):
    """An editor that is here."""

    argv: tuple[str, ...]
    form: Form | None
    """None for one that is not known: it is given the path alone."""
    remarks: tuple[str, ...] = ()
    """Why it is not the one that the person has chosen."""

    def command(self, path: str, where: Where) -> Command:
        """Plan how it shows a place of a file."""
        arguments = self._arguments(path, where)
        lost = arguments == (path,) and where.line is not None
        remarks = (*self.remarks, *([at_line(where)] if lost else []))
        in_window = self.form is not None and self.form.in_window
        return Command(
            (*self.argv, *arguments), not in_window, " ".join(remarks) or None
        )

    def _arguments(self, path: str, where: Where) -> tuple[str, ...]:
        if self.form is None or where.line is None:
            return (path,)
        has_column = where.column is not None and self.form.at_column
        form = self.form.at_column if has_column else self.form.at_line
        # The name may hold colons, and numbers between them: `talk:12:30.txt`.
        if ":" in path and form[-1] != "{path}":
            return (path,)
        return tuple(part.format(path=path, **where._asdict()) for part in form)


def at_line(where: Where, of: str = "") -> str:
    """Say which line to go to by hand."""
    return f"The place is line {where.line}{of}."


def chosen_editor(environment: Environment) -> tuple[Editor | None, tuple[str, ...]]:
    """Take the person's editor.

    Returns:
        None where none is chosen that would work; and why not, for each that would not.
    """
    remarks: list[str] = []
    for variable in ("VISUAL", "EDITOR"):
        said = environment.variables.get(variable, "").strip()
        if not said:
            continue
        argv = _words(said)
        form = FORMS.get(_name(argv))
        if not argv or not environment.find(argv[0]):
            remarks.append(f"${variable} is {said}, which is not here.")
        elif form and form.in_window and not environment.shows_editors:
            remarks.append(f"${variable} is {said}, which needs a display.")
        else:
            return Editor(argv, form), ()
    return None, tuple(remarks)


def any_editor(environment: Environment) -> Editor:
    """Take the person's editor, or else a usual one.

    Raises:
        OpenError: There is none.
    """
    editor, remarks = chosen_editor(environment)
    if editor:
        return editor
    name = environment.first(*_USUAL)
    why = remarks or ("Neither $VISUAL nor $EDITOR is set.",)
    if name is None:
        raise OpenError(f"{' '.join(why)} Set one of them to your editor.")
    return Editor((name,), FORMS[name], (*why, f"So this is {name}."))


def pager_command(path: str, where: Where, environment: Environment) -> Command:
    """Plan how a pager shows a text from a line on.

    Raises:
        OpenError: There is none that is safe.
    """
    argv = _pager(environment)
    options = _LESS if _name(argv) == "less" else ()
    line = () if where.line is None else (f"+{where.line}",)
    return Command((*argv, *options, *line, path), in_terminal=True)


def _pager(environment: Environment) -> tuple[str, ...]:
    chosen = _words(environment.variables.get("PAGER", ""))
    if _name(chosen) in _PAGERS and environment.find(chosen[0]):
        return chosen
    usual = environment.first(*_PAGERS)
    if usual is None:
        raise OpenError(
            "There is no pager here that a text can safely be read in. Install less, or "
            "set $EDITOR to your editor."
        )
    return (usual,)


def _words(said: str) -> tuple[str, ...]:
    """Split a command as a shell does; nothing for one that no shell would take."""
    try:
        return tuple(shlex.split(said))
    except ValueError:
        return ()


def _name(argv: tuple[str, ...]) -> str:
    return argv[0].rsplit("/", 1)[-1] if argv else ""
