"""The reader and its child: every file ends in a state, and none stops the next."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pplx_local import documents
from pplx_local.documents import Reader, digest_file, kind_of, pipeline_of
from pplx_local.documents.blocks import cut
from pplx_local.documents.limits import Limits
from pplx_local.errors import (
    DocumentError,
    EmptyDocument,
    NoText,
    Unreadable,
    Unsupported,
)
from pplx_local.records import Document

SHARED = Path(__file__).parents[1].parent / "shared"
LIMITS = {"timeout_s": 30.0, "memory_bytes": 10**9, "max_file_bytes": 10**8}


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(**LIMITS) as reader:
        yield reader


def read(reader: Reader, path: Path) -> tuple[str, Document]:
    """Read a file whole, checking what holds of every document."""
    reading = reader.read(os.fsencode(path))
    text, ordinal = "", 0
    for block in reading:
        assert block.char_start == len(text)
        text += block.text
        for chunk in block.chunks:
            assert chunk.ordinal == ordinal
            assert block.char_start <= chunk.char_span.start < chunk.char_span.end
            ordinal += 1
    assert block.chunks[-1].char_span.end == len(text) == reading.document.n_chars
    for segment in reading.document.segments:
        assert 0 <= segment.char_span.start < segment.char_span.end <= len(text)
    return text, reading.document


def end_of(reader: Reader, path: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read(reader, path)
    return caught.value


def test_text_comes_back_with_the_digest_of_its_bytes(
    reader: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\r\ntwo\rthree\0four")
    reading = reader.read(os.fsencode(path))
    (block,) = reading
    assert block.text == "one\ntwo\nthree\ufffdfour"
    assert reading.document.parser == "text"
    expected = hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()
    assert reading.digest == expected == digest_file(os.fsencode(path))


def test_a_document_is_not_there_before_its_blocks_are_taken(
    reader: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    reading = reader.read(os.fsencode(path))
    with pytest.raises(RuntimeError, match="take all blocks"):
        _ = reading.document
    assert [block.text for block in reading] == ["words"]


def test_a_long_text_comes_in_blocks_that_end_at_paragraphs(
    reader: Reader, tmp_path: Path
) -> None:
    paragraph = "word " * 99 + "end\n\n"
    path = tmp_path / "long.txt"
    path.write_text(paragraph * 3000)
    blocks = list(reader.read(os.fsencode(path)))
    assert len(blocks) > 3
    assert all(block.text.endswith("end\n\n") for block in blocks)
    assert "".join(block.text for block in blocks) == paragraph * 3000


@pytest.mark.parametrize(
    "text",
    [
        "ID3 tags in MP3 files",
        "OggS pages explained",
        "GIF89a or PNG?",
        "GIF87a",
        "%PDF-1.4 is the first line of a PDF",
        "BZhang wrote to us",
        "MZ is how a program begins",
    ],
)
def test_a_note_may_begin_as_other_files_do(
    reader: Reader, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "note.txt"
    path.write_text(text)
    assert read(reader, path)[0] == text


@pytest.mark.parametrize(
    ("name", "data", "kind", "reason"),
    [
        (
            "gif.txt",
            b"GIF89a\x10\0\x10\0\x80\0\0" + b"x" * 99,
            Unsupported,
            "GIF image",
        ),
        ("sound.txt", b"ID3\x04\0\0" + b"x" * 99, Unsupported, "sound"),
        ("ogg.txt", b"OggS\0\x02" + b"x" * 99, Unsupported, "sound"),
        ("bzip2.txt", b"BZh91AY&SY" + b"x" * 99, Unsupported, "bzip2 archive"),
        ("pdf.txt", b"%PDF-1.4\n%\xe2\xe3\n1 0 obj", Unsupported, "PDF document"),
        ("empty.md", b"", EmptyDocument, "empty"),
        ("bom.txt", b"\xef\xbb\xbf", EmptyDocument, "empty"),
        ("blank.txt", b" \t\n" * 200_000, EmptyDocument, "nothing but white space"),
        ("script.html", b"<script>x=1</script>", EmptyDocument, "empty"),
        ("image.txt", b"\x89PNG\r\n\x1a\n" + bytes(99), Unsupported, "PNG image"),
        ("zeros.txt", bytes(4096), Unsupported, "binary file"),
        ("noise.md", bytes(range(256)) * 9, Unsupported, "binary file"),
        ("letter.wpd", b"PK", Unsupported, "no reader for .wpd files yet"),
        ("photo.JPG", b"", Unsupported, "image"),
        ("text.pdf", b"just text", Unsupported, "not a PDF"),
        ("broken.pdf", b"%PDF-1.4\n" + b"x" * 99, Unreadable, "damaged"),
        ("long.txt", b"x" * (10**8 + 1), Unsupported, "larger than 100 MB"),
    ],
)
def test_a_file_without_a_document_says_why(
    reader: Reader,
    tmp_path: Path,
    name: str,
    data: bytes,
    kind: type[DocumentError],
    reason: str,
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    error = end_of(reader, path)
    assert type(error) is kind
    assert reason in str(error)
    assert not error.retry


def test_special_files_are_skipped_at_once(reader: Reader, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "link.md").symlink_to("/dev/zero")
    (tmp_path / "folder.md").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.md"))
    reasons = {
        path.stem: (type(error), str(error))
        for path in tmp_path.iterdir()
        for error in [end_of(reader, path)]
    }
    assert reasons == {
        "pipe": (Unsupported, "named pipe"),
        "link": (Unsupported, "symbolic link"),
        "folder": (Unsupported, "folder"),
        "socket": (Unsupported, "socket"),
    }


def test_a_missing_file_is_worth_another_try(reader: Reader, tmp_path: Path) -> None:
    error = end_of(reader, tmp_path / "gone.md")
    assert (str(error), error.retry) == ("no longer there", True)
    with pytest.raises(Unreadable, match="no longer there"):
        digest_file(os.fsencode(tmp_path / "gone.md"))


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions mean nothing to root")
def test_a_file_without_permission_is_worth_another_try(
    reader: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "private.md"
    path.write_text("words")
    path.chmod(0)
    error = end_of(reader, path)
    assert (str(error), error.retry) == ("no permission to read it", True)


def test_a_file_that_changes_while_it_is_read_is_worth_another_try(
    reader: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "growing.log"
    path.write_text("a line of a log\n" * 500_000)
    blocks = iter(reader.read(os.fsencode(path)))
    next(blocks)
    with path.open("a") as file:
        file.write("one more\n")
    with pytest.raises(Unreadable, match="changed while it was being read") as caught:
        list(blocks)
    assert caught.value.retry


def test_names_may_be_anything(reader: Reader, tmp_path: Path) -> None:
    for name in (b"new\nline.md", b"\xff\xfe.md", b"-rf.md", b"[b]x.md", b"a\x1b"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_text("# Words")
        assert read(reader, path)[0] == "# Words"


def test_files_may_be_asked_for_ahead(reader: Reader, tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.txt" for i in range(12)]
    for path in paths:
        path.write_text(f"this is {path.name}\n" * 30_000)
    for path, following in zip(paths, [*paths[1:], paths[0]], strict=True):
        reading = reader.read(os.fsencode(path))
        reader.prefetch(os.fsencode(following))
        assert all(path.name in block.text for block in reading)
    # The last one asked for was paths[0]: another order costs time, never rightness.
    assert read(reader, paths[5])[0].startswith("this is 5.txt")


def test_a_reading_left_half_way_ends_with_the_next(
    reader: Reader, tmp_path: Path
) -> None:
    long, short = tmp_path / "long.txt", tmp_path / "short.txt"
    long.write_text("words and words\n" * 100_000)
    short.write_text("short")
    blocks = iter(reader.read(os.fsencode(long)))
    next(blocks)
    assert read(reader, short)[0] == "short"
    with pytest.raises(RuntimeError, match="ended when the next one started"):
        next(blocks)


def crash_in_the_middle(reader: Reader, path: Path, sign: signal.Signals) -> Unreadable:
    blocks = iter(reader.read(os.fsencode(path)))
    next(blocks)
    assert reader.pid is not None
    os.kill(reader.pid, sign)
    with pytest.raises(Unreadable) as caught:
        list(blocks)
    return caught.value


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [
        (200, "200 bytes"),
        (300_000, "300 kB"),
        (999_999_999, "1000 MB"),
        (10**9, "1 GB"),
        (2_500_000_000, "2.5 GB"),
    ],
)
def test_limits_are_said_in_units_that_fit(n_bytes: int, words: str) -> None:
    limits = Limits(30.0, n_bytes, n_bytes)
    assert limits.size_reason == f"larger than {words} (the setting max_file_bytes)"
    assert limits.memory_reason == f"needed more than {words} of memory to read"


def test_a_crash_fails_one_file_and_no_other(tmp_path: Path) -> None:
    long, short = tmp_path / "long.txt", tmp_path / "short.txt"
    long.write_text("words and words\n" * 200_000)
    short.write_text("short")
    with Reader(**LIMITS) as reader:
        error = crash_in_the_middle(reader, long, signal.SIGSEGV)
        assert (str(error), error.retry) == ("its reader crashed (SIGSEGV)", True)
        assert read(reader, short)[0] == "short"
        error = crash_in_the_middle(reader, long, signal.SIGKILL)
        assert "ended from outside" in str(error)
        assert error.retry
        assert read(reader, short)[0] == "short"


def test_files_asked_for_ahead_survive_a_crash(tmp_path: Path) -> None:
    long, short = tmp_path / "long.txt", tmp_path / "short.txt"
    long.write_text("words and words\n" * 200_000)
    short.write_text("short")
    with Reader(**LIMITS) as reader:
        blocks = iter(reader.read(os.fsencode(long)))
        next(blocks)
        reader.prefetch(os.fsencode(short))
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGSEGV)
        with pytest.raises(Unreadable, match="crashed"):
            list(blocks)
        assert read(reader, short)[0] == "short"


def test_a_child_that_died_between_files_is_no_files_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    with Reader(**LIMITS) as reader:
        read(reader, path)
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGKILL)
        os.waitid(os.P_PID, reader.pid, os.WEXITED | os.WNOWAIT)
        assert read(reader, path)[0] == "words"


def test_a_silent_child_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    with Reader(**LIMITS | {"timeout_s": 0.5}) as reader:
        read(reader, path)
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGSTOP)
        error = end_of(reader, path)
        assert str(error) == "reading took longer than 0.5 s"
        assert read(reader, path)[0] == "words"


def test_a_file_that_needs_too_much_memory_fails_alone(tmp_path: Path) -> None:
    greedy, small = tmp_path / "greedy.html", tmp_path / "small.html"
    greedy.write_text("<p>words</p>" * 3_000_000)
    small.write_text("<p>words</p>")
    with Reader(**LIMITS | {"memory_bytes": 50_000_000}) as reader:
        error = end_of(reader, greedy)
        assert str(error) == "needed more than 50 MB of memory to read"
        assert read(reader, small)[0] == "words"


def test_the_child_takes_no_modules_from_the_folder_it_is_run_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "a.txt").write_text("words")
    monkeypatch.chdir(tmp_path)
    with Reader(**LIMITS) as reader:
        assert read(reader, tmp_path / "a.txt")[0] == "words"


def test_a_polite_reader_lets_everything_else_go_first(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    with Reader(**LIMITS, niceness=5) as reader:
        read(reader, path)
        child = psutil.Process(reader.pid)
        assert child.nice() == max(5, os.nice(0))
        if sys.platform == "linux":
            assert child.ionice() == (psutil.IOPRIO_CLASS_BE, 7)
        pid = reader.pid
        reader.close()
        assert read(reader, path)[0] == "words"
        assert reader.pid != pid
        assert psutil.Process(reader.pid).nice() == max(5, os.nice(0))


def test_a_closed_reader_leaves_no_process(tmp_path: Path) -> None:
    reader = Reader(**LIMITS)
    assert reader.pid is None
    reader.start()
    pid = reader.pid
    assert pid is not None
    reader.close()
    assert reader.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("name", "label", "family"),
    [
        (b"/a/b.md", "Markdown", "markdown"),
        (b"/a/B.HTM", "HTML", "html"),
        (b"x.py", "Python", "code"),
        (b"x.csv", "CSV", "delimited"),
        (b"x.pdf", "PDF", "pdf"),
        (b"Makefile", "Makefile", "code"),
        (b"no-extension", "other", "text"),
        (b"md", "other", "text"),
        (b"/a.md/x.strange", "other", "text"),
        (b"\xff.zip", "archive", "unsupported"),
        (b"x.docx", "word processing", "word"),
    ],
)
def test_a_name_tells_the_kind(name: bytes, label: str, family: str) -> None:
    kind = kind_of(name)
    assert (kind.label, kind.family) == (label, family)
    assert (kind.reason is not None) == (family == "unsupported")


def test_equal_bytes_under_names_that_read_differently_are_two_documents() -> None:
    assert pipeline_of(b"a.md") == pipeline_of(b"b.markdown") != pipeline_of(b"a.txt")
    assert pipeline_of(b"a.py") != pipeline_of(b"a.js")


@given(
    pieces=st.lists(st.text(alphabet="ab \n", max_size=40), max_size=12),
    size=st.integers(2, 30),
)
def test_blocks_give_the_text_back_and_are_bounded(
    pieces: list[str], size: int
) -> None:
    blocks = list(cut(pieces, size))
    assert "".join(blocks) == "".join(pieces)
    assert all(0 < len(block) <= size for block in blocks)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there")
@pytest.mark.parametrize("folder", ["pdfjs", "tika", "verapdf"])
def test_odd_files_of_other_projects_all_end_in_a_state(
    reader: Reader, folder: str
) -> None:
    ends, reasons = set(), ""
    for path in sorted((SHARED / "nasty" / folder).iterdir()):
        try:
            read(reader, path)
            ends.add("indexed")
        except DocumentError as error:
            ends.add(error.state)
            reasons += f"{path.name}: {error}\n"
    assert {"indexed", NoText.state} <= ends
    assert "crashed" not in reasons
    assert "longer than" not in reasons


def test_public_names_are_the_ones_listed() -> None:
    assert all(hasattr(documents, name) for name in documents.__all__)
