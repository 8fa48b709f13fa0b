"""Settings, and every path that the program owns.

Read once, passed down, never changed. The order is: flag, environment, file, default.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pplx_local.errors import ConfigError
from pplx_local.home import default_home

_MORE_THAN_0 = math.ulp(0.0)
_LARGEST = 2**50
"""A petabyte: more than that overflows what systems take as a limit."""
_LIMITS: Mapping[str, tuple[float, float]] = {
    "window_tokens": (256, 32_768),
    "prefix_position": (0, 1),
    "read_timeout_s": (_MORE_THAN_0, 1_000_000),
    "idle_minutes": (_MORE_THAN_0, 1_440),
}
"""Of the numbers that cannot be just anything above 0."""
_CHOICES: Mapping[str, tuple[str, ...]] = {"power": ("auto", "always")}
"""Of the words that cannot be just anything."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set, in `config.toml` under the home folder."""

    home: Path
    """Where all state lives; not a key of the file."""
    model: str = "auto"
    """Name of a checkpoint, "auto" for the best one here, "none" for keywords only."""
    backend: str = "auto"
    """Name of a registered backend, "auto" for the one of this platform."""
    device: str = "auto"
    """"cpu", "cuda", "mps", "metal"; "auto" for the best one. Obeyed or refused."""
    dtype: str = "auto"
    """"bfloat16" or "float32"; "8bit" or "4bit" for quantised weights (MLX); "auto" for
    bfloat16 where the device has it."""
    window_tokens: int = 8192
    """Tokens that a contextual checkpoint reads together, at most: up to 32,768."""
    prefix_position: int = 0
    """Where a late-interaction checkpoint's prefix stands: 0 for first, as its card has
    it; 1 for behind the first token, as PyLate has it."""
    max_batch_tokens: int = 16_384
    """Tokens in one forward pass, padding counted."""
    max_file_bytes: int = 1_000_000_000
    """Longer files are skipped, with this limit as the reason."""
    read_timeout_s: float = 60.0
    """A file whose reader is silent for longer has failed."""
    read_memory_bytes: int = 2_000_000_000
    """What the reader of one file may take."""
    power: str = "auto"
    """"auto": the daemon spares a battery and a hot computer; "always": it works on."""
    idle_minutes: float = 5.0
    """After so long without work the daemon gives the model's memory back."""

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
    except OSError as error:
        why = error.strerror
        raise ConfigError(f"Cannot read the settings in {path}: {why}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"Cannot read the settings in {path}: {error}.") from error
    return {key: _checked(path, key, value) for key, value in values.items()}


def _checked(path: Path, key: str, value: Any) -> Any:
    kinds: dict[str, type] = {
        field.name: type(field.default)
        for field in fields(Settings)
        if field.name != "home"
    }
    if key not in kinds:
        near = get_close_matches(key, kinds, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(kinds)}."
        raise ConfigError(f"{path} has the unknown key {key!r}.{hint}")
    wanted = kinds[key]
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ConfigError(
            f"{path}: {key} = {value!r} should be of type {wanted.__name__}."
        )
    if isinstance(value, int | float):
        _check_limits(path, key, value)
    elif value not in (choices := _CHOICES.get(key, (value,))):
        words = " or ".join(f'"{choice}"' for choice in choices)
        raise ConfigError(f"{path}: {key} = {value!r} should be {words}.")
    return value


def _check_limits(path: Path, key: str, value: float) -> None:
    least, most = _LIMITS.get(key, (_MORE_THAN_0, _LARGEST))
    if not least <= value <= most:
        span = f"from {least:,} to {most:,}"
        if least == _MORE_THAN_0:
            span = f"more than 0, and at most {most:,}"
        raise ConfigError(f"{path}: {key} = {value} should be {span}.")


def write_setting(path: Path, key: str, value: str) -> None:
    """Change one key of a settings file, keeping the rest and its comments.

    Raises:
        ConfigError: The file cannot be read or written.
    """
    import tomlkit

    temporary = path.with_suffix(".new")
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        document[key] = value
        temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
        temporary.replace(path)
    except (OSError, tomlkit.exceptions.TOMLKitError) as error:
        with suppress(OSError):
            temporary.unlink()
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"Cannot change the settings in {path}: {why}.") from error
