"""Folders as a tree, to be picked by those who do not type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree

from pplx_local.tui.apart import apart
from pplx_local.tui.welcome.disk import Listing, folders_in
from pplx_local.wording.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.style import Style
    from textual.widgets.tree import TreeNode


class FolderTree(Tree[Path]):
    """Folders alone, each read when it is opened, on a thread of its own.

    Textual's tree of files asks the disk in the event loop what is a folder, which
    stops everything where a volume of the network does not answer.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pick", "Choose", show=False),
        Binding("enter,right,l", "open", "Open", show=False),
        Binding("left,h", "leave", "Close", show=False),
        Binding("j", "cursor_down", "Next", show=False),
        Binding("k", "cursor_up", "Before", show=False),
        Binding("full_stop", "toggle_hidden", "Hidden folders", show=False),
    ]
    DEFAULT_CSS = """
    FolderTree {
        min-width: 10;
        padding: 0;
        background: $background;
        scrollbar-size-vertical: 1;
        &:focus { background-tint: $foreground 3%; }
    }
    """

    class Picked(Message):
        """A folder was chosen, or is no longer."""

        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    def __init__(self, home: Path) -> None:
        """Show one's own folders, and the way to all others.

        Args:
            home: Where people keep their files.
        """
        self._picked: frozenset[Path] = frozenset()  # drawn before this returns
        super().__init__("", id="tree")
        self.show_root = False
        self.guide_depth = 2
        self._home = home
        self._has_hidden = False

    def on_mount(self) -> None:
        """Open one's own folder."""
        self.root.expand()
        own = self.root.add(_label("~"), data=self._home)
        self.root.add(_label("/"), data=Path("/"))
        own.expand()

    def mark(self, paths: Collection[Path]) -> None:
        """Mark those that are chosen."""
        self._picked = frozenset(paths)
        self._clear_line_cache()
        self.refresh()

    def render_label(
        self, node: TreeNode[Path], base_style: Style, style: Style
    ) -> Text:
        """Draw a folder with its state: by a sign too, not by colour alone."""
        sign = "●" if node.data in self._picked else "▾" if node.is_expanded else "▸"
        if node.data is None or not (node.allow_expand or node.data in self._picked):
            sign = " "
        label = Text(f"{sign} ", base_style + style)
        return label.append_text(Text(str(node.label), base_style + style))

    # --- reading ---

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Path]) -> None:
        """Read a folder when it is opened for the first time."""
        if event.node.data and not event.node.children:
            self._read(event.node, event.node.data)

    @work(exit_on_error=False)
    async def _read(self, node: TreeNode[Path], folder: Path) -> None:
        hidden = self._has_hidden
        try:
            found = await apart(lambda: folders_in(folder, hidden=hidden))
        except OSError as error:
            node.add_leaf(Text(f"({error.strerror})", "italic"))
            return
        self._fill(node, folder, found)

    def _fill(self, node: TreeNode[Path], folder: Path, found: Listing) -> None:
        node.remove_children()
        for name in found.names:
            node.add(_label(name), data=folder / name)
        if found.n_more:
            more = f"(and {found.n_more:,} more: type the path)"
            node.add_leaf(Text(more, "italic"))
        if not node.children:
            node.allow_expand = False

    # --- actions ---

    def action_pick(self) -> None:
        """Choose the folder under the cursor, or no longer."""
        if self.cursor_node and self.cursor_node.data:
            self.post_message(self.Picked(self.cursor_node.data))

    def action_open(self) -> None:
        """Open the folder under the cursor, or go into it."""
        node = self.cursor_node
        if node is None or not node.allow_expand:
            return
        if node.is_expanded:
            self.action_cursor_down()
        else:
            node.expand()

    def action_leave(self) -> None:
        """Close the folder under the cursor, or go to the one that it lies in."""
        node = self.cursor_node
        if node is None:
            return
        if node.is_expanded and node.allow_expand:
            node.collapse()
        elif node.parent and node.parent is not self.root:
            self.move_cursor(node.parent)

    def action_toggle_hidden(self) -> None:
        """Show hidden folders too, or no longer."""
        self._has_hidden = not self._has_hidden
        for node in self.root.children:
            was_open = node.is_expanded
            node.remove_children()
            node.collapse()
            if was_open:
                node.expand()


def _label(name: str) -> Text:
    return Text(visible(name))
