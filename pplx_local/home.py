"""Where all state lives, unless a person says otherwise.

Apart from the settings, which take longer to load than a search through the daemon has.
"""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "PPLX_LOCAL_HOME"
"""Moves the database, the settings and the logs."""


def default_home() -> Path:
    """Follow the platform, unless the environment says otherwise."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platform_home()


def platform_home() -> Path:
    """Follow the platform, whatever the environment says."""
    import platformdirs

    return Path(platformdirs.user_data_dir("pplx-local", appauthor=False))
