"""The passage in its document, with the words that matched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from pplx_local.tui.paint import painted
from pplx_local.wording.excerpt import marks

if TYPE_CHECKING:
    from pplx_local.answer import Hit


class Preview(Static):
    """Shows a hit."""

    def __init__(self) -> None:
        super().__init__(id="preview", markup=False)

    def show(self, hit: Hit | None) -> None:
        """Show a hit, or nothing."""
        self.update(painted(hit.text, marks(hit)) if hit else "")
