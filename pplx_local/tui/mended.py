"""What Textual holds for too long, let go."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from textual._styles_cache import StylesCache


def let_widgets_go() -> None:
    """Keep nothing of the widgets that are gone.

    Textual caches a method of what each widget has drawn, and with it the thing itself
    (Textualize/textual#6665): of a thousand palettes and messages all lines stay, which
    is some 15 MB for an hour's work. Here the class is what is cached.
    """
    found: Any = vars(StylesCache).get("get_inner_outer")
    if hasattr(found, "cache_clear"):  # a later version may have none
        colors: Any = lru_cache(maxsize=1024)(found.__wrapped__)
        StylesCache.get_inner_outer = classmethod(colors)  # type: ignore[assignment]
