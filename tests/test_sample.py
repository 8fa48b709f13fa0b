"""The sample folder is read whole, and its PDF is what the script makes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pplx_local.documents import Reader
from pplx_local.records import Document
from pplx_local.watch import Found, walk

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "assets" / "sample"
PAPER = Path("work", "tidal-turbines.pdf")


@pytest.fixture(scope="module")
def sample() -> dict[str, tuple[str, Document]]:
    documents = {}
    with Reader(timeout_s=30, memory_bytes=10**9, max_file_bytes=10**8) as reader:
        for item in walk(os.fsencode(SAMPLE)):
            assert isinstance(item, Found)
            assert item.skip is None
            reading = reader.read(item.path)
            text = "".join(block.text for block in reading)
            name = os.path.relpath(os.fsdecode(item.path), SAMPLE)
            documents[name] = text, reading.document
    return documents


def test_every_file_is_indexed_in_all_families(
    sample: dict[str, tuple[str, Document]],
) -> None:
    assert len(sample) == 13
    parsers = {document.parser for _, document in sample.values()}
    assert parsers == {"text", "markdown", "html", "code", "pdf", "delimited"}


def test_languages_are_those_that_the_files_state(
    sample: dict[str, tuple[str, Document]],
) -> None:
    languages = {document.language for _, document in sample.values()}
    assert languages == {None, "en", "de", "ru"}


@pytest.mark.parametrize(
    ("page", "fact"),
    [
        ("1", "5.9 gigawatt hours"),
        ("2", "380 tonnes of scrap iron"),
        ("3", "clean\nfor 26 months"),
        ("4", "2,114 tracks"),
        ("5", "part that cost 900 crowns"),
    ],
)
def test_each_fact_of_the_paper_lies_on_its_page(
    sample: dict[str, tuple[str, Document]], page: str, fact: str
) -> None:
    text, document = sample[str(PAPER)]
    places = {segment.label: segment.char_span for segment in document.segments}
    assert set(places) == set("12345")
    start, end = places[page]
    assert " ".join(fact.split()) in " ".join(text[start:end].split())


@pytest.mark.skipif(
    find_spec("reportlab") is None, reason="reportlab (group samples) is not installed"
)
def test_the_script_makes_the_paper_again_byte_for_byte(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_sample.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
    assert (tmp_path / PAPER).read_bytes() == (SAMPLE / PAPER).read_bytes()
