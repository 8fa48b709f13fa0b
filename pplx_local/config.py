"""Settings, and every path that the program owns.

Read once, passed down, never changed. The order is: flag, environment, file, default.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast

from pplx_local.errors import ConfigError
from pplx_local.home import default_home

_MORE_THAN_0 = math.ulp(0.0)
_LARGEST = 2**50
"""A petabyte: more than that overflows what systems take as a limit."""

Value = str | bool | int | float
_Default = TypeVar("_Default", str, bool, int, float)
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Key:
    """What a person has to know of a setting."""

    name: str
    default: Value
    about: str
    """What it is for, in a sentence or two."""
    choices: tuple[str, ...]
    """All that there are, or where `is_open` the usual ones; empty for any."""
    is_open: bool
    """Whether there are others, which only an installed backend knows."""
    span: tuple[float, float]
    """The least and the most of a number."""
    is_live: bool
    """Whether a daemon follows while it runs; else one that is started anew does."""

    @property
    def span_in_words(self) -> str:
        """Say which numbers it may be."""
        least, most = self.span
        if least == _MORE_THAN_0:
            return f"more than 0, and at most {most:,}"
        return f"from {least:,} to {most:,}"


def _key(
    default: _Default,
    about: str,
    *,
    choices: tuple[str, ...] = (),
    is_open: bool = False,
    span: tuple[float, float] = (_MORE_THAN_0, _LARGEST),
    is_live: bool = False,
) -> _Default:
    """Declare a setting; only what it does is said here, once for all front ends."""
    if isinstance(default, bool):
        choices = tuple(_WORDS)
    told = {"about": about, "choices": choices, "is_open": is_open}
    metadata = {**told, "span": span, "is_live": is_live}
    declared: _Default = field(default=default, metadata=metadata)
    return declared


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set, in `config.toml` under the home folder."""

    home: Path
    """Where all state lives; not a key of the file."""
    model: str = _key(
        "auto",
        "The checkpoint that answers by meaning, or two as 'A + B'; auto for the best "
        "one here, none for keywords only.",
        choices=("auto", "none"),
        is_open=True,
        is_live=True,
    )
    backend: str = _key(
        "auto",
        "What runs the model; auto for this computer's own.",
        choices=("auto", "mlx", "torch"),
        is_open=True,
    )
    device: str = _key(
        "auto",
        "Where the model runs; auto for the best. One that is not here is refused.",
        choices=("auto", "cpu", "cuda", "mps", "metal"),
        is_open=True,
    )
    dtype: str = _key(
        "auto",
        "The precision: bfloat16 or float32; 8bit or 4bit for quantised weights (MLX). "
        "auto is bfloat16 where the device has it.",
        choices=("auto", "bfloat16", "float32", "8bit", "4bit"),
        is_open=True,
    )
    window_tokens: int = _key(
        8192,
        "How many tokens a contextual checkpoint reads together at most. Another number "
        "means embedding everything anew.",
        span=(256, 32_768),
    )
    exhaustive: bool = _key(
        False,
        "Whether the late leg scores every passage, not a shortlist: all token vectors "
        "are kept beside the model then, where they fit. For a GPU; doctor says how many "
        "do.",
        is_live=True,
    )
    prefix_position: int = _key(
        0,
        "Where a late-interaction checkpoint's prefix stands: 0 for first, as its card "
        "has it; 1 for behind the first token, as PyLate has it. A change means "
        "embedding everything anew.",
        span=(0, 1),
    )
    max_batch_tokens: int = _key(
        16_384,
        "Tokens that the model takes at once, padding counted: less, less memory.",
    )
    max_file_bytes: int = _key(
        1_000_000_000,
        "Longer files are skipped, with this limit as the reason.",
        is_live=True,
    )
    hidden: bool = _key(
        False,
        "Whether files and folders whose names begin with a dot are indexed; those "
        "that look like a secret, caches and the like are not.",
        is_live=True,
    )
    ignore_files: bool = _key(
        True,
        "Whether what .gitignore and .ignore name is left out; .pplxignore always "
        "counts.",
        is_live=True,
    )
    read_timeout_s: float = _key(
        60.0,
        "After so many seconds of silence the reader of a file has failed.",
        span=(_MORE_THAN_0, 1_000_000),
        is_live=True,
    )
    read_memory_bytes: int = _key(
        2_000_000_000, "What the reader of one file may take.", is_live=True
    )
    ocr: bool = _key(
        False,
        "Whether pages of PDFs that are pictures are read by text recognition: by "
        "Tesseract where it is installed, on a Mac by the system (the extra ocr).",
        is_live=True,
    )
    power: str = _key(
        "auto",
        "auto: the daemon spares a battery and a hot computer; always: it works on.",
        choices=("auto", "always"),
        is_live=True,
    )
    idle_minutes: float = _key(
        5.0,
        "After so long without work the daemon gives the model's memory back.",
        span=(_MORE_THAN_0, 1_440),
        is_live=True,
    )

    @property
    def database(self) -> Path:
        """The one SQLite file."""
        return self.home / "index.db"

    @property
    def lock(self) -> Path:
        """Held by the one writer."""
        return self.home / "writer.lock"

    @property
    def file(self) -> Path:
        """Where these settings are read from."""
        return self.home / "config.toml"


KEYS: Mapping[str, Key] = {
    one.name: Key(name=one.name, default=cast("Value", one.default), **one.metadata)
    for one in fields(Settings)
    if one.name != "home"
}
"""Those of the file, in the order in which they are shown."""


def load_settings(home: Path | None = None, **flags: Any) -> Settings:
    """Read the settings of a home folder.

    Args:
        home: None for the platform's place or `PPLX_LOCAL_HOME`.
        **flags: Given on the command line; None means not given.

    Raises:
        ConfigError: The file cannot be read, or holds an unknown key, a wrong type, a
            limit that is not more than 0, or a word that is not among the choices.
    """
    settings = Settings(home=(home or default_home()).expanduser().absolute())
    given = {key: value for key, value in flags.items() if value is not None}
    return replace(settings, **{**_read(settings.file), **given})


def _read(path: Path) -> Mapping[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = _in_words(error)
        raise ConfigError(f"Cannot read the settings in {path}: {why}.") from error
    return {key: _checked(path, key, value) for key, value in values.items()}


def _in_words(error: Exception) -> str:
    """Say why a settings file cannot be read or written."""
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        return f"line {line} is not in UTF-8. Open it in an editor and save it as UTF-8"
    if isinstance(error, OSError):
        return str(error.strerror)
    return str(error)


def _checked(path: Path, name: str, value: Any) -> Value:
    """Return a value that a setting may have, as it is given on.

    Raises:
        ConfigError: It may not, or there is no such setting.
    """
    key = _known(path, name)
    wanted = type(key.default)
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        what = "true or false" if wanted is bool else f"of type {wanted.__name__}"
        raise ConfigError(f"{path}: {name} = {value!r} should be {what}.")
    if wanted is bool:
        return cast("bool", value)
    if isinstance(value, int | float):
        _check_span(path, key, value)
    elif key.choices and not key.is_open and value not in key.choices:
        words = " or ".join(f'"{choice}"' for choice in key.choices)
        raise ConfigError(f"{path}: {name} = {value!r} should be {words}.")
    return value


def _known(path: Path, name: str) -> Key:
    if name not in KEYS:
        raise ConfigError(f"{path} has the unknown key {name!r}. {_meant(name)}")
    return KEYS[name]


def _meant(name: str) -> str:
    near = get_close_matches(name, KEYS, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(KEYS)}."


def _check_span(path: Path, key: Key, value: float) -> None:
    least, most = key.span
    if not least <= value <= most:
        raise ConfigError(
            f"{path}: {key.name} = {value} should be {key.span_in_words}."
        )


# --- one at a time -----------------------------------------------------------


def lookup_key(name: str) -> Key:
    """Find a setting by its name.

    Raises:
        ConfigError: There is none.
    """
    if name in KEYS:
        return KEYS[name]
    raise ConfigError(f"No setting is called {name!r}. {_meant(name)}")


def parse_value(path: Path, key: Key, text: str) -> Value:
    """Take what was typed as the value of a setting; numbers may have `_` in them.

    Raises:
        ConfigError: The setting cannot have it.
    """
    kind = type(key.default)
    try:
        value = _WORDS[text.strip()] if kind is bool else kind(text.strip())
    except (KeyError, ValueError):
        value = text.strip()  # refused below, in the words that the file gets
    return _checked(path, key.name, value)


def write_setting(path: Path, key: str, value: Value | None) -> None:
    """Change one key of a settings file, keeping the rest and its comments.

    Args:
        path: Of the file, which may not be there yet, or be a link to where it is kept.
        key: Its name.
        value: None takes the key out, so that its default holds.

    Raises:
        ConfigError: The file cannot be read or written.
    """
    import tomlkit

    kept_at = Path(os.path.realpath(path))  # resolve() raises on a circle of links
    temporary = kept_at.with_suffix(".new")
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        if value is None:
            document.pop(key, None)
        else:
            document[key] = value
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
        temporary.replace(kept_at)
    except (OSError, UnicodeDecodeError, tomlkit.exceptions.TOMLKitError) as error:
        with suppress(OSError):
            temporary.unlink()
        why = _in_words(error)
        raise ConfigError(f"Cannot change the settings in {path}: {why}.") from error
