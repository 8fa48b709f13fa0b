"""What stands above a chunk."""

from __future__ import annotations

from pplx_local.index.headings import Headings
from pplx_local.records import Document, Segment, Span

DOCUMENT = Document(
    "markdown",
    1,
    "Trees",
    None,
    100,
    (
        Segment("heading", "Trees", Span(0, 100)),
        Segment("page", "1", Span(0, 50)),
        Segment("heading", "Oak", Span(10, 40)),
        Segment("heading", "Bark", Span(20, 40)),
        Segment("heading", "Elm", Span(40, 100)),
    ),
)


def test_the_title_and_open_headings_stand_above_a_chunk() -> None:
    headings = Headings(DOCUMENT)
    assert headings.above(0, "# Trees\n\n") == ""
    assert headings.above(15, "It is hard.") == "Trees. Oak. "
    assert headings.above(30, "It is brown.") == "Trees. Oak. Bark. "
    assert headings.above(60, "It is gone.") == "Trees. Elm. "


def test_what_a_chunk_says_itself_is_not_said_again() -> None:
    assert Headings(DOCUMENT).above(15, "Trees like Oak") == ""
    # The heading that a chunk begins with is in its text.
    assert Headings(DOCUMENT).above(10, "## Oak\nHard.") == "Trees. "


def test_a_document_without_title_or_headings_has_nothing_above() -> None:
    assert Headings(Document("text", 1, None, None, 9, ())).above(5, "text") == ""


def test_the_names_of_chapters_sheets_messages_and_symbols_stand_above_too() -> None:
    for kind in ("chapter", "sheet", "message", "symbol"):
        part = Segment(kind, "Pump", Span(0, 40))
        headings = Headings(Document("code", 1, None, None, 40, (part,)))
        assert headings.above(20, "It runs.") == "Pump. "
