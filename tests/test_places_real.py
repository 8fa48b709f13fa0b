"""Twenty hits in real files, and where they lie: each was looked up by other means.

Pages by pdftotext, slides and cells in the XML of their packages, chapters in the files of
the book, messages and headings by eye.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk

from pplx_local.index import Index
from pplx_local.wording.place import place_in_words

HOME = (Path(__file__).parents[2] / "shared" / "folders" / "home").resolve()
pytestmark = pytest.mark.skipif(
    not HOME.is_dir(), reason="needs the real files of ../shared/folders"
)

TIKA = "Documents/tika"
KYC = f"{TIKA}/CVLKRA-KYC_Download_File_Structure_V3.1.xlsx"
DOCX = "Books/Rust Book drafts (docx)/chapter15.docx"
MOBY = "Books/EPUB/moby-dick.epub"
TALES = "Books/EPUB/childrens-literature.epub"
RC = "Docs/rust-book/ch15-04-rc.md"
DRACULA = "Books/Gutenberg/Dracula/345-h/345-h.htm"

HITS = [
    ("CoNLL named entity recognition feature-based", "Papers/bert.pdf", "page 9"),
    ("triple loss ablation study cosine", "Papers/distilbert.pdf", "page 4"),
    ("where stylistic biases come from", "Papers/hellaswag.pdf", "page 4"),
    ("eight mathematical word problem datasets", "Papers/PAL.pdf", "page 4"),
    ("Quest Watershed Avalanche Mystery", f"{TIKA}/testPPT.pptx", "slide 3"),
    ("slide that is hidden", f"{TIKA}/testPPT_various2.pptx", "slide 9"),
    ("Slide2Header FirstBullet", f"{TIKA}/testPPT_various2.pptx", "slide 2"),
    ("Zimbabwe", KYC, "sheet Country Master > cells A244:B244"),
    ("Puducherry", KYC, "sheet State Master > cells A35:B35"),
    ("Aadhaar card as address proof", KYC, "sheet Address Proof > cells A31:C31"),
    ('"This is row 7 of 10"', f"{TIKA}/test-columnar.ods", "sheet testing > cells A9:H9"),
    ("numbers and their squares", f"{TIKA}/testEXCEL.xlsx", "sheet Feuil1 > cell A1"),
    ("Queequeg arm counterpane patchwork", MOBY, "Chapter 4. The Counterpane."),
    ("Pip castaway leaped from the boat", MOBY, "Chapter 93. The Castaway."),
    ("gold doubloon navel of the ship", MOBY, "Chapter 99. The Doubloon."),
    ("clothes that the weavers wove for the Emperor", TALES, "THE EMPEROR'S NEW CLOTHES"),
    ("shuffle sort start Padmanabhan", f"{TIKA}/complex.mbox", "message Re: question"),
    ("deref coercion converts a reference", DOCX, "Using Deref Coercion in Functions"),
    ("clone count drops when a value goes out of scope path:*.md", RC, "Cloning to Increase the Reference"),
    ("driver was climbing into the calèche", DRACULA, "CHAPTER I JONATHAN"),
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    desk = Desk(tmp_path_factory.mktemp("places"))
    with desk.open(write=True, model=False) as index:
        for name in sorted({name for _, name, _ in HITS}):
            index.add_folder(HOME / name)
        list(index.update())
        yield index


@pytest.mark.parametrize(("query", "name", "place"), HITS)
def test_a_hit_says_where_it_is(
    index: Index, query: str, name: str, place: str
) -> None:
    hit = index.search(query, mode="lexical", folded=True).hits[0]
    assert hit.path == bytes(HOME / name)
    said = place_in_words(hit.place)
    assert all(part in said for part in place.split(" > ")), said
