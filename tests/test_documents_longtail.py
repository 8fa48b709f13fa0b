"""The formats of old, which need an extra."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from documents import read_in_child

from pplx_local.documents import Reader, kinds
from pplx_local.errors import NoText, Unreadable

OLD = Path(__file__).parents[1].parent / "shared/folders/home/Documents/tika"
NASTY = OLD.parents[4] / "shared/nasty/tika"


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    if find_spec("xberg") is None:
        pytest.skip("the extra `longtail` is not installed")
    if not OLD.is_dir():
        pytest.skip("the collections are not beside the checkout")
    with Reader(timeout_s=60, memory_bytes=10**9, max_file_bytes=10**8) as reader:
        yield reader


def test_without_the_extra_a_file_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    without = kinds._table()
    monkeypatch.setattr(kinds, "find_spec", lambda name: object())
    with_it = kinds._table()
    for extension in ("doc", "ppt", "msg"):
        assert "pip install 'pplx-local[longtail]'" in (without[extension].reason or "")
        assert with_it[extension].family == "longtail"
        assert with_it[extension].label == without[extension].label


def test_installing_the_extra_has_such_files_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipelines = set()
    for found in (None, object()):
        monkeypatch.setattr(kinds, "find_spec", lambda name, found=found: found)
        monkeypatch.setattr(kinds, "_BY_EXTENSION", kinds._table())
        pipelines.add(kinds.pipeline_of(b"/home/a.doc"))
    assert len(pipelines) == 2


@pytest.mark.shared
def test_an_old_document_has_its_headings(reader: Reader) -> None:
    text, document = read_in_child(reader, OLD / "testException1.doc")
    assert document.metadata["author"] == "Sonya Horsman"
    assert "Access and inclusion for people with disabilities" in text
    labels = [segment.label for segment in document.segments]
    assert "Background to Disability Access and Inclusion Plans" in labels


@pytest.mark.shared
def test_old_slides_are_places(reader: Reader) -> None:
    text, document = read_in_child(
        reader, NASTY / "testPPT_skipBadCompressedObject.ppt"
    )
    third = next(one for one in document.segments if one.label == "3")
    start, end = third.char_span
    assert third.kind == "slide"
    assert text[start:end].startswith("Purpose\n\nCompare and contrast the relative")
    assert document.metadata["slides"] == "14"


@pytest.mark.shared
def test_a_message_of_outlook_has_subject_sender_and_day(reader: Reader) -> None:
    text, document = read_in_child(reader, OLD / "testMSG_forwarded.msg")
    assert document.title == "FW: Testing"
    assert document.metadata["author"] == "Paul Allan Hill"
    assert str(document.day) == "2011-12-08"
    assert "Original Body" in text
    assert "/cn=" not in text.lower()


@pytest.mark.shared
def test_what_cannot_be_read_says_why(reader: Reader) -> None:
    with pytest.raises(NoText, match="holds pictures alone, or is encrypted"):
        read_in_child(reader, NASTY / "testPPT_protected_passtika.ppt")
    with pytest.raises(Unreadable, match="damaged, encrypted"):
        read_in_child(reader, NASTY / "testWORD_protected_passtika.doc")
