"""The settings command: what can be set, what it is for, and a change of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson
from pplx_local.cli.show import say, write_data, write_json
from pplx_local.cli.use import choose_model
from pplx_local.wording.settings import may_be, takes_effect, value_in_words
from pplx_local.wording.visible import visible_path

if TYPE_CHECKING:
    from pplx_local.config import Key, Settings, Value


def complete_key(incomplete: str) -> list[str]:
    """Offer the names of settings."""
    from pplx_local.config import KEYS

    return [name for name in KEYS if name.startswith(incomplete)]


def settings(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY",
            show_default=False,
            autocompletion=complete_key,
            help="A setting; without one all are listed.",
        ),
    ] = None,
    value: Annotated[
        str | None,
        typer.Argument(
            metavar="VALUE",
            show_default=False,
            help="What it should be from now on; without one it is shown.",
        ),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--default", help="Back to what it is by default.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the settings, show one, or change it; comments in the file are kept."""
    from pplx_local.config import KEYS, load_settings, lookup_key

    invocation = Invocation.of(ctx)
    if (value is not None or reset) and name is None:
        raise typer.BadParameter("which KEY should be changed?")
    if value is not None and reset:
        raise typer.BadParameter("either a VALUE or --default")
    wanted = list(KEYS.values()) if name is None else [lookup_key(name)]
    if value is not None or reset:
        _change(invocation, wanted[0], value)
        if not as_json:
            return
    found = load_settings(invocation.home)
    if as_json:
        write_json([_as_json(key, getattr(found, key.name)) for key in wanted])
    else:
        _show(found, wanted)


def _change(invocation: Invocation, key: Key, text: str | None) -> None:
    """Write it, and have a running daemon follow; None stands for the default."""
    from pplx_local.config import Settings, parse_value, write_setting

    file = Settings(invocation.home_folder()).file  # it may have a mistake to mend
    value = key.default if text is None else parse_value(file, key, text)
    if key.name == "model":
        with invocation.library(write=True) as index:
            choose_model(index, str(value))
        return
    write_setting(file, key.name, None if text is None else value)
    say(f"{key.name} is {value_in_words(value)} now, in {visible_path(file)}.")
    _tell_daemon(invocation, key, value)


def _tell_daemon(invocation: Invocation, key: Key, value: Value) -> None:
    daemon = invocation.daemon()
    if daemon is None:
        return
    with daemon:
        in_force = daemon.follow_settings()
    follows = in_force[key.name] == value
    say("The daemon follows from now on." if follows else takes_effect(key))


def _show(found: Settings, wanted: list[Key]) -> None:
    for key in wanted:
        value = getattr(found, key.name)
        is_changed = value != key.default
        default = f" (by default {value_in_words(key.default)})" if is_changed else ""
        write_data(f"{key.name} = {value_in_words(value)}{default}")
        write_data(f"    {key.about}")
        write_data(f"    It may be: {may_be(key)}")
        if len(wanted) == 1:
            write_data(f"    {takes_effect(key)}")


def _as_json(key: Key, value: Value) -> dict[str, Any]:
    return {
        "name": key.name,
        "value": value,
        "default": key.default,
        "about": key.about,
        "choices": list(key.choices),
        "live": key.is_live,
    }
