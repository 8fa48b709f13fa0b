"""What several test modules need."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from desk import Desk
from documents import Read, read_in_child
from workbench import Bench

from pplx_local.documents import Reader
from pplx_local.records import Document

# A shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before Triton is imported: without a GPU its kernels can only be interpreted.
if not Path("/dev/nvidiactl").exists():
    os.environ["TRITON_INTERPRET"] = "1"

# How long an example takes says more about what else the machine does.
# Half of its hundred are enough for a run: others follow, with other examples.
hypothesis.settings.register_profile("unhurried", deadline=None, max_examples=50)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write(
        "harbour.md", "# Harbour\n\nThe lighthouse keeper counts ships at dawn.\n"
    )
    desk.write("garden.txt", "Tomatoes want sun, water and a wall behind them.\n")
    desk.write("sub/engine.txt", "Replace the timing belt after 90,000 kilometres.\n")
    return desk


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    bench.write("harbour.md", "# Harbour\n\nA lighthouse keeper watches the ships.\n")
    bench.write("garden.txt", "The tomatoes need water.\n")
    bench.write("sub/engine.txt", "The timing belt drives the camshaft.\n")
    with bench.open(write=True) as index:
        bench.index = index
        index.add_folder(bench.folder)
        yield bench


@pytest.fixture
def full(bench: Bench) -> Bench:
    bench.scan()
    bench.read()
    bench.fill()
    return bench


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(timeout_s=30, memory_bytes=10**9, max_file_bytes=10**8) as reader:
        yield reader


@pytest.fixture
def read(reader: Reader, tmp_path: Path) -> Read:
    def read(name: str, content: str | bytes) -> tuple[str, Document]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_in_child(reader, path)

    return read
