"""Pages as pictures, on terminals that draw by kitty's protocol.

The other protocol, sixel, takes a second to be written for a page, and is left out.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from pplx_local.answer import Picture

NOT_ASKED = "Pages are shown as pictures from the next start on."
_MISSING = "Pictures of pages need more: pip install 'pplx-local[pictures]'"
_UNABLE = "This terminal shows no pictures of pages; kitty and Ghostty do."
_PALE = (
    "Pictures of pages are told apart by colours that are missing here: set COLORTERM "
    "to truecolor, and NO_COLOR not at all."
)
_MOST_CELLS = 250
"""In each direction; the protocol counts hardly further."""


class Easel:
    """Draws one picture at a time."""

    def __init__(self) -> None:
        self._drawn: Any = None
        self._console = Console()

    def draw(self, picture: Picture, width: int, height: int) -> list[Strip]:
        """Hand a picture to the terminal, and give the cells that it fills in.

        Args:
            picture: It is made to fit.
            width: Cells that there are.
            height: Lines that there are.

        Returns:
            A line each; none where so little room shows nothing.
        """
        from PIL import Image
        from textual_image.renderable import TGPImage

        self.clear()
        image = Image.frombytes("L", (picture.width, picture.height), picture.dots)
        self._drawn = TGPImage(image, "auto", "auto")
        room = min(width, _MOST_CELLS), min(height, _MOST_CELLS)
        options = self._console.options.update_dimensions(*room)
        try:
            lines = Segment.split_lines(self._console.render(self._drawn, options))
            return [Strip(line) for line in lines]
        except ValueError:  # of a strip of a page nothing is left
            return []

    def clear(self) -> None:
        """Let the terminal forget what was drawn."""
        if self._drawn:
            self._drawn.cleanup()


def set_up() -> Easel | str:
    """Ask the terminal, before anything else reads from it.

    Returns:
        What draws on it, or a line that says why nothing does.
    """
    if not is_installed():
        return _MISSING
    try:
        from textual_image import renderable, widget  # noqa: F401  both ask
    except (ArithmeticError, OSError, ValueError):  # its answer made no sense
        return _UNABLE
    if renderable.Image is not renderable.TGPImage:
        return _UNABLE
    console = Console()
    has_colors = console.color_system == "truecolor" and not console.no_color
    return Easel() if has_colors else _PALE


def is_installed() -> bool:
    """Tell whether what draws is here."""
    return find_spec("textual_image") is not None


def why_none(easel: Easel | str) -> str:
    """Say why there are no pictures; empty where there are."""
    if isinstance(easel, Easel):
        return ""
    return easel if is_installed() else _MISSING
