"""What is said of an indexed file, and what is read for it."""

from __future__ import annotations

import pytest
from workbench import Bench

from pplx_local.index.passages import passages_at
from pplx_local.records import Chunk, Document, FileRecord, Segment, Span, TextBlock


def write(bench: Bench, name: str, **metadata: str) -> None:
    """Index a file of a line and a segment that needs no parser."""
    path, [folder] = bench.write(name, "x"), bench.index.store.folders()
    with bench.index.store.write_document(name, "p") as writer:
        writer.add(TextBlock(0, "a line\n", (Chunk(0, Span(0, 7)),)))
        segments = (Segment("sheet", "A", Span(0, 7)),)
        writer.finish(Document("text", 1, None, None, 7, segments, metadata))
    bench.index.store.put_file(
        FileRecord(
            *(bench.path(name), folder.folder_id, 1, 1, 1, path.stat().st_mtime_ns),
            *("d", "indexed", None, writer.document_id),
        )
    )


@pytest.mark.parametrize("kind", ["damaged_parts", "damaged_sheets"])
def test_what_is_damaged_is_told(bench: Bench, kind: str) -> None:
    write(bench, "a.xlsx", **{kind: "A, C"})
    told = bench.index.why(bench.folder / "a.xlsx")
    assert told == "indexed; damaged and left out: A, C"


def test_no_segment_is_read_for_a_fact_or_a_line(bench: Bench) -> None:
    write(bench, "a.xlsx", pages="1")
    path, store, asked = bench.folder / "a.xlsx", bench.index.store, list[str]()

    def note(_: object, sql: str, __: object) -> bool:
        asked.append(sql)
        return True

    store._database._connection.exec_trace = note
    assert bench.index.why(path) == "indexed"
    assert len(passages_at(store, path, 1, bench.settings)) == 1
    assert asked
    assert not any("segments" in sql for sql in asked)
