"""Pages as pictures: drawn in the reader's child, asked for through the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Daemon
from test_documents_formats import pdf

from pplx_local.documents import Reader
from pplx_local.documents.messages import pack, unpack
from pplx_local.errors import DaemonError, FolderError, Unreadable, Unsupported
from pplx_local.records import Picture


@pytest.fixture
def reader() -> Reader:
    return Reader(timeout_s=20.0, memory_bytes=1 << 30, max_file_bytes=1 << 20)


@pytest.fixture
def two_pages(tmp_path: Path) -> bytes:
    file = tmp_path / "two.pdf"
    file.write_bytes(pdf("The pump runs.", ""))
    return bytes(file)


def test_a_page_is_drawn_as_it_looks(reader: Reader, two_pages: bytes) -> None:
    picture = reader.draw(two_pages, 1)
    width, height = picture.width, picture.height
    assert len(picture.dots) == width * height
    assert width / height == pytest.approx(612 / 792, abs=0.01)
    ink = [at for at, dot in enumerate(picture.dots) if dot < 128]
    top, left = ink[0] // width / height, min(at % width for at in ink) / width
    assert top == pytest.approx(1 - 710 / 792, abs=0.01), "where the line is written"
    assert left == pytest.approx(72 / 612, abs=0.01)
    blank = reader.draw(two_pages, 2)
    assert set(blank.dots) == {255}
    assert reader.pid is None, "its child is gone"


def test_a_huge_page_is_a_picture_of_the_usual_size(
    reader: Reader, tmp_path: Path
) -> None:
    file = tmp_path / "poster.pdf"
    file.write_bytes(pdf("Sea").replace(b"[0 0 612 792]", b"[0 0 9e3 9e3]"))
    picture = reader.draw(bytes(file), 1)
    assert len(picture.dots) < 2_100_000


def test_what_cannot_be_drawn_is_said(reader: Reader, two_pages: bytes) -> None:
    with pytest.raises(Unreadable, match="no page 3"):
        reader.draw(two_pages, 3)
    broken = Path(two_pages.decode()).with_name("broken.pdf")
    broken.write_bytes(b"%PDF-1.7")
    with pytest.raises(Unreadable, match="damaged"):
        reader.draw(bytes(broken), 1)
    text = broken.with_name("text.txt")
    text.write_text("no page")
    with pytest.raises(Unsupported, match="PDF"):
        reader.draw(bytes(text), 1)


def test_a_picture_that_is_not_what_it_says_is_not_taken() -> None:
    good = Picture(2, 3, b"\0" * 6)
    assert unpack(pack(good)) == good
    for bad in (Picture(2, 3, b"\0" * 5), Picture(-2, -3, b"\0" * 6)):
        with pytest.raises(ValueError, match=r"picture|number"):
            unpack(pack(bad))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("pages")) as daemon:
        (daemon.folder / "two.pdf").write_bytes(pdf("The pump runs.", "It stops."))
        daemon.add()
        yield daemon


def test_the_daemon_draws_pages_of_what_is_indexed(daemon: Daemon) -> None:
    picture = daemon.client.picture(daemon.folder / "two.pdf", 2)
    assert len(picture.dots) == picture.width * picture.height
    assert min(picture.dots) == 0
    other = daemon.settings.home / "other.pdf"
    other.write_bytes(pdf("Not indexed."))
    with pytest.raises(FolderError, match=r"no text of .*other\.pdf in the index"):
        daemon.client.picture(other, 1)
    with pytest.raises(FolderError, match=r"Page 7 of .*two\.pdf.* no page 7"):
        daemon.client.picture(daemon.folder / "two.pdf", 7)
    with pytest.raises(DaemonError, match="wrong"):
        daemon.client.picture(daemon.folder / "two.pdf", 0)
