"""Reading PDFs, beside pypdf on the same files with as many processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue

from pplx_local.bench.result import BenchResult, BenchRow, machine
from pplx_local.config import Settings
from pplx_local.documents import Reader
from pplx_local.errors import DocumentError, FolderError
from pplx_local.watch import Found, walk

_PROCESSES = 2
_RIVAL = "pypdf"


def measure_read(settings: Settings, folder: Path | None) -> BenchResult:
    """Compare pages/s of the reader's child with those of pypdf.

    Only files that have text count: the others cost neither side much. Each side has
    the machine to itself, its processes started before the clock runs.

    Args:
        settings: Limits of the reader.
        folder: Where the PDFs are.

    Raises:
        FolderError: There is none, or it holds no PDF with text.
    """
    if folder is None or not folder.is_dir():
        raise FolderError("Name a folder with PDFs: --folder DIR")
    with _readers(settings) as readers:
        pages = dict(_pages(readers[0], folder))
        if not pages:
            raise FolderError(f"There is no PDF with text in {folder}.")
        files = sorted(pages, key=lambda path: pages[path], reverse=True)
        ours = _by_readers(readers, files)
    n_pages = sum(pages.values())
    what = f"reading PDFs in {_PROCESSES} processes"
    rival = _beside(n_pages, files)
    ratio = n_pages / ours / rival.value if rival.value else None
    rows = [
        BenchRow("files", len(files), "files"),
        BenchRow("pages", n_pages, "pages"),
        BenchRow(what, n_pages / ours, "pages/s", rival.what if ratio else None, ratio),
        rival,
    ]
    return BenchResult("read", machine(), tuple(rows))


@contextmanager
def _readers(settings: Settings) -> Iterator[list[Reader]]:
    readers = [
        Reader(
            timeout_s=settings.read_timeout_s,
            memory_bytes=settings.read_memory_bytes,
            max_file_bytes=settings.max_file_bytes,
        )
        for _ in range(_PROCESSES)
    ]
    try:
        yield readers
    finally:
        for reader in readers:
            reader.close()


def _pages(reader: Reader, folder: Path) -> Iterator[tuple[bytes, int]]:
    """Find the PDFs that have text, and how many pages each has."""
    for found in walk(os.fsencode(folder)):
        if not isinstance(found, Found) or not found.path.lower().endswith(b".pdf"):
            continue
        try:
            reading = reader.read(found.path)
            for _ in reading:
                pass
        except DocumentError:
            continue
        yield found.path, int(reading.document.metadata["pages"])


def _by_readers(readers: Sequence[Reader], files: Sequence[bytes]) -> float:
    """Read all files, the longest first; return seconds."""

    def work(reader: Reader) -> None:
        while (path := waiting.get()) is not None:
            for _ in reader.read(path):
                pass

    waiting: SimpleQueue[bytes | None] = SimpleQueue()
    with ThreadPoolExecutor(len(readers)) as threads:
        for reader in readers:
            waiting.put(files[-1])
            waiting.put(None)
            threads.submit(work, reader).result()
        started = time.perf_counter()
        for path in (*files, *(None for _ in readers)):
            waiting.put(path)
        for done in [threads.submit(work, reader) for reader in readers]:
            done.result()
        return time.perf_counter() - started


def _beside(n_pages: int, files: Sequence[bytes]) -> BenchRow:
    what = f"{_RIVAL} in {_PROCESSES} processes"
    if find_spec(_RIVAL) is None:
        return BenchRow(f"{_RIVAL} is not here: pip install {_RIVAL}", None, "pages/s")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, spawn) as pool:
        for done in [pool.submit(_read_by_rival, files[-1]) for _ in range(_PROCESSES)]:
            done.exception()
        started = time.perf_counter()
        for done in [pool.submit(_read_by_rival, path) for path in files]:
            done.exception()  # a file that it cannot read counts as read
        return BenchRow(what, n_pages / (time.perf_counter() - started), "pages/s")


def _read_by_rival(path: bytes) -> None:
    import pypdf

    logging.getLogger(_RIVAL).setLevel(logging.CRITICAL)
    for page in pypdf.PdfReader(os.fsdecode(path)).pages:
        page.extract_text()
