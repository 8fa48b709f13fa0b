"""The face of the database: one class, in terms of the records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pplx_local.records import (
    Chunk,
    DenseVectors,
    Document,
    FileRecord,
    FolderRecord,
    QueueStatus,
    Segment,
    SpaceSpec,
    Span,
    State,
    TokenVectors,
)
from pplx_local.store import schema
from pplx_local.store.backup import write_backup
from pplx_local.store.connection import Database, create_file
from pplx_local.store.documents import ChunkRef, Documents, DocumentWriter
from pplx_local.store.files import Files
from pplx_local.store.filters import Filters
from pplx_local.store.kills import KillCount, Kills
from pplx_local.store.lexical import LexicalQuery, Lexicon, Matches, Term
from pplx_local.store.phrases import Phrases
from pplx_local.store.queue import Queue, Waiting
from pplx_local.store.remembered import Counts
from pplx_local.store.selecting import Selections
from pplx_local.store.selection import Selection
from pplx_local.store.settle import Settling
from pplx_local.store.spaces import Backlog, Space, Spaces
from pplx_local.store.texts import Texts
from pplx_local.store.vectors import Vectors


class Store:
    """The index on disk. Not for sharing between threads."""

    def __init__(self, database: Database) -> None:
        """Wrap an open database; `Store.open` is the way in."""
        self.path = database.path
        self._database = database
        self._lexicon = Lexicon(database)
        self._files = Files(database)
        self._queue = Queue(database)
        self._kills = KillCount(database)
        self._texts = Texts(database)
        self._documents = Documents(database, self._lexicon, self._texts)
        self._spaces = Spaces(database)
        self._vectors = Vectors(database, self._spaces)
        self._selections = Selections(
            database, self._documents, Phrases(database, self._texts)
        )
        self._counts = Counts(database)
        self._settling = Settling(
            database, self._documents, self._lexicon, self._vectors
        )

    @classmethod
    def open(cls, path: Path, *, readonly: bool = False) -> Self:
        """Open the index, making or upgrading it unless readonly.

        Raises:
            SchemaTooNew: A newer program wrote it.
            StoreDamaged: It is truncated, corrupt, or no index.
            StoreError: There is none yet (readonly), or it cannot be opened.
        """
        if readonly and not path.exists():
            raise schema.no_index(path)
        if not readonly:
            create_file(path)
        database = Database(path, readonly=readonly)
        try:
            schema.upgrade(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._vectors.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Open an immediate transaction, or a savepoint inside one.

        Raises:
            StoreFull: The disk is full; nothing of the transaction was kept.
            StoreBusy: Another process holds the write lock.
        """
        return self._database.transaction()

    def snapshot(self) -> AbstractContextManager[None]:
        """Let several reads see one state of the index, whatever a writer does."""
        return self._database.snapshot()

    # --- folders and files ---

    def add_folder(self, path: bytes, device: int, added_ns: int) -> FolderRecord:
        """Register a folder, which takes over those inside it; keep one that is."""
        return self._files.add_folder(path, device, added_ns)

    def folders(self) -> list[FolderRecord]:
        """List the registered folders by path."""
        return self._files.folders()

    def set_scanned(self, folder_id: int, device: int, scanned_ns: int) -> None:
        """Record the end of a walk."""
        self._files.set_scanned(folder_id, device, scanned_ns)

    def remove_folder(self, folder_id: int) -> int:
        """Forget a folder and its files; say how many files."""
        return self._files.remove_folder(folder_id)

    def file(self, path: bytes) -> FileRecord | None:
        """Look one file up."""
        return self._files.get(path)

    def files(
        self,
        *,
        folder_id: int | None = None,
        state: State | None = None,
        under: bytes | None = None,
    ) -> Iterator[FileRecord]:
        """List files by path; safe while writing.

        Args:
            folder_id: Only those of one folder.
            state: Only those in one state.
            under: Only this path itself and what lies below it.
        """
        return self._files.select(folder_id, state, under)

    def page_of_files(
        self, state: State | None, under: bytes | None, after: bytes, limit: int
    ) -> list[FileRecord]:
        """List at most `limit` files by path, from the one that follows `after`."""
        return self._files.page(state, under, after, limit)

    def put_file(self, record: FileRecord) -> None:
        """Insert a file, or replace the one of the same path."""
        self._files.put([record])

    def put_files(self, records: Iterable[FileRecord]) -> None:
        """Insert files, or replace those of the same path; all or none."""
        with self._database.transaction():
            self._files.put(records)

    def forget_files(self, paths: Iterable[bytes]) -> None:
        """Drop files; their documents go when they are settled."""
        with self._database.transaction():
            self._files.forget(paths)

    def count_states(
        self, folder_id: int | None = None, under: bytes | None = None
    ) -> dict[State, int]:
        """Count files by state; a state without files is absent.

        Args:
            folder_id: Only those of one folder.
            under: Only this path itself and what lies below it.
        """
        if under is not None:
            return self._files.count_states(folder_id, under)
        counted = self._counts.get(
            ("states", folder_id), lambda: self._files.count_states(folder_id, None)
        )
        return dict(counted)

    # --- files that have to be read ---

    def queue_files(self, files: Iterable[Waiting], *, anew: bool = False) -> None:
        """Let files that have records wait to be read, once for each path.

        Args:
            files: Those that wait already and have not changed wait on as they do.
            anew: Forget their failed attempts all the same.
        """
        with self._database.transaction():
            self._queue.add(files, anew=anew)

    def queued(self, path: bytes) -> Waiting | None:
        """Look up a file that waits."""
        return self._queue.get(path)

    def queued_with_inode(self, device: int, inode: int) -> list[Waiting]:
        """List the files of this inode that wait."""
        return self._queue.of_inode(device, inode)

    def due_files(
        self, now_ns: int, limit: int, *, stale: bool = False
    ) -> list[Waiting]:
        """List what is to be read now, the newest first, and then the stale if asked."""
        return self._queue.due(now_ns, limit, stale=stale)

    def count_due(self, now_ns: int, *, stale: bool = False) -> int:
        """Count what is to be read now, with the stale if asked."""
        return self._queue.count_due(now_ns, stale=stale)

    def has_stale(self, now_ns: int) -> bool:
        """Tell whether a stale file is to be read now."""
        return self._queue.has_stale(now_ns)

    def next_try_s(self, now_ns: int) -> float | None:
        """Give the seconds until a file is due that is not stale, 0 for now.

        Returns:
            None when none waits.
        """
        return self._queue.next_try_s(now_ns)

    def put_off(self, path: bytes, reason: str, now_ns: int) -> int:
        """Count a failed attempt; return the seconds until the next one."""
        return self._queue.put_off(path, reason, now_ns)

    def unqueue(self, path: bytes) -> None:
        """Let a file wait no longer."""
        self._queue.remove(path)

    def queue(self) -> QueueStatus:
        """Count what waits."""
        return self._queue.status()

    def kills(self, digest: str, pipeline: str) -> Kills:
        """Say how often bytes have killed the process of their parser."""
        return self._kills.get(digest, pipeline)

    def count_kill(self, digest: str, pipeline: str, reason: str) -> int:
        """Note that they did; return how often by now."""
        return self._kills.add(digest, pipeline, reason)

    def forget_kills(self, digests: Iterable[str]) -> None:
        """Start afresh with these bytes."""
        with self._database.transaction():
            self._kills.forget(digests)

    # --- documents ---

    def find_document(self, digest: str, pipeline: str) -> int | None:
        """Find a document, hidden ones too."""
        return self._documents.find(digest, pipeline)

    def write_document(
        self, digest: str, pipeline: str
    ) -> AbstractContextManager[DocumentWriter]:
        """Write a document in one transaction, or inside an open one.

        `add` its blocks, then `finish` it; leaving earlier rolls all of it back.
        Documents of the same digest from other pipelines stay.

        Raises:
            ValueError: It is there already, or was left without `finish`.
        """
        return self._documents.write(digest, pipeline)

    def settle_documents(self, now_ns: int) -> tuple[int, int]:
        """Hide documents that no file needs, show hidden ones that a file needs.

        A hidden document is in no leg and in no null sample; its vectors are parked.

        Returns:
            How many were hidden, and how many shown.
        """
        return self._settling.settle(now_ns)

    def purge(self, before_ns: int | None = None) -> int:
        """Delete documents hidden before a time, with all that was made from them.

        With None all hidden ones go, and what is left of their words on the disk too:
        that rewrites the file. While others read it for longer than some seconds, the
        log beside it keeps the words until they have ended.
        """
        return self._settling.purge(before_ns)

    def purge_first_hidden(self, n_kept: int) -> int:
        """Delete the documents that were hidden first, down to so many chunks."""
        return self._settling.purge_first_hidden(n_kept)

    def document_meta(self, document_id: int) -> Document:
        """Fetch what is known of a document besides its text."""
        return self._documents.meta(document_id)

    def title_and_length(self, document_id: int) -> tuple[str | None, int]:
        """Fetch a document's title and its length in characters."""
        return self._documents.title_and_length(document_id)

    def metadata(self, document_id: int) -> dict[str, str]:
        """Fetch a document's metadata alone: it may have a hundred thousand segments."""
        return self._documents.metadata(document_id)

    def segments(self, document_id: int, char_span: Span) -> tuple[Segment, ...]:
        """List those that have characters of a span, by start, the outer one first."""
        return self._documents.segments(document_id, char_span)

    def text(self, document_id: int, char_span: Span) -> str:
        """Cut a piece out of a document's text."""
        return self._texts.text(document_id, char_span)

    def line_of(self, document_id: int, char: int) -> int:
        """Number the line that holds a character, from 1."""
        return self._texts.line_of(document_id, char)

    def paths_of(self, document_id: int) -> list[bytes]:
        """List the files that hold a document, by path."""
        return self._files.paths_of(document_id)

    def paths_of_each(self, document_ids: Iterable[int]) -> dict[int, list[bytes]]:
        """List the files that hold each of these documents, by path."""
        return self._files.paths_of_each(document_ids)

    def chunk_texts(
        self, document_id: int, first_ordinal: int = 0
    ) -> Iterator[tuple[int, Chunk, str]]:
        """Give (chunk id, chunk, text) in order, one block in memory at a time."""
        return self._documents.chunk_texts(document_id, first_ordinal)

    def chunk_refs(self, chunk_ids: Sequence[int]) -> list[ChunkRef]:
        """Say where chunks lie, in the order asked.

        Raises:
            StoreError: An id is unknown.
        """
        return self._documents.chunk_refs(chunk_ids)

    def chunks_of(self, document_id: int) -> range:
        """Give the ids of a document's chunks, in its order."""
        first, n_chunks = self._documents.chunk_run(document_id)
        return range(first, first + n_chunks)

    def is_visible(self, document_id: int) -> bool:
        """Tell whether a document is there and not hidden."""
        return self._documents.is_visible(document_id)

    def newest_document(self) -> int:
        """Give the largest id of a document; they rise, and none comes twice."""
        return self._documents.newest()

    def count_documents(self, *, hidden: bool = False) -> int:
        """Count the visible documents, or the hidden ones."""
        return self._count(hidden=hidden)[0]

    def count_chunks(self, *, hidden: bool = False) -> int:
        """Count the chunks of the visible documents, or of the hidden ones."""
        return self._count(hidden=hidden)[1]

    def _count(self, *, hidden: bool) -> tuple[int, int]:
        return self._counts.get(
            ("documents", hidden), lambda: self._documents.count(hidden=hidden)
        )

    # --- spaces ---

    def open_space(self, spec: SpaceSpec, *, create: bool = True) -> Space | None:
        """Find the space of a fingerprint, making it if told to.

        Raises:
            FingerprintMismatch: One of the same role and checkpoint was made by other
                rules.
        """
        found = self._spaces.find(spec)
        return self._vectors.create(spec) if found is None and create else found

    def spaces(self) -> list[Space]:
        """List the spaces, the oldest first."""
        return self._spaces.all()

    def drop_space(self, space: Space) -> None:
        """Drop a space with its vectors; for what has no others nothing has to wait."""
        with self._database.transaction():
            self._vectors.drop(space)
            self._queue.freshen()

    def unencoded_documents(
        self, spaces: Sequence[Space], *, after: int = 0
    ) -> Iterator[int]:
        """Give the visible documents that some of these spaces lacks.

        The newest file comes first; what is finished meanwhile is passed over.

        Args:
            spaces: Have to hold all of a document.
            after: Only documents with a larger id: those that were written later.
        """
        return self._spaces.unencoded_documents(spaces, after)

    def unencoded_lengths(self, spaces: Sequence[Space]) -> list[int]:
        """List the lengths of those documents, in characters."""
        return self._spaces.unencoded_lengths(spaces)

    def count_unencoded(self, spaces: Sequence[Space]) -> Backlog:
        """Count what `unencoded_documents` would give: documents and characters."""
        return self._spaces.count_unencoded(spaces)

    def known_windows(
        self, space: Space, digests: Sequence[bytes]
    ) -> dict[bytes, tuple[int, ...]]:
        """Find the chunks whose vectors came from windows of these digests.

        Those of hidden documents count: their vectors can be copied too.
        """
        return self._spaces.known_windows(space, digests)

    def encoded_chunks(self, space: Space, document_id: int) -> set[int]:
        """Collect the chunks of a document that went through the model."""
        first, n_chunks = self._documents.chunk_run(document_id)
        return self._spaces.encoded_chunks(space, first, n_chunks)

    def write_vectors(
        self,
        space: Space,
        digest: bytes,
        chunk_ids: Sequence[int],
        vectors: DenseVectors | TokenVectors,
    ) -> None:
        """Write the vectors (C rows) that one window gave to its C chunks.

        A dense vector of zeros is left out: it has no direction.
        """
        self._vectors.write(space, digest, chunk_ids, vectors)

    def copy_vectors(
        self,
        space: Space,
        digest: bytes,
        from_chunks: Sequence[int],
        to_chunks: Sequence[int],
    ) -> None:
        """Give chunks the vectors that an equal window made for others."""
        self._vectors.copy(space, digest, from_chunks, to_chunks)

    def finish_document(
        self, space: Space, document_id: int, n_without_tokens: int
    ) -> None:
        """Record that a document is complete in a space.

        `n_without_tokens` counts its chunks that have no token there.
        """
        self._spaces.finish_document(space, document_id, n_without_tokens)

    def complete_documents(self, space: Space) -> dict[int, range]:
        """Give the visible documents that are complete, and the chunks of each."""
        return self._spaces.complete_documents(space)

    def is_embedded(self, document_id: int | None, spaces: Sequence[Space]) -> bool:
        """Tell whether a document is complete in one of these spaces; None is not."""
        return self._spaces.is_embedded(document_id, spaces)

    def coverage(self, space: Space) -> float:
        """Divide the visible documents that are complete by all visible ones."""
        return self._spaces.coverage(space)

    # --- what search asks ---

    def select(self, filters: Filters) -> Selection | None:
        """Find out which visible chunks filters leave; None for all of them."""
        return self._selections.select(filters) if filters else None

    def allows(self, filters: Filters, path: bytes) -> bool:
        """Tell whether a file is among those that filters ask for."""
        return self._selections.allows(filters, path)

    def newest_first(
        self, filters: Filters, selection: Selection, limit: int
    ) -> NDArray[np.int64]:
        """Give the first chunk of each document that is left, the newest first.

        A document is as old as it says itself, or else as its last change.
        """
        return self._selections.newest(filters, selection, limit)

    def nearest(
        self,
        space: Space,
        query_bits: NDArray[np.uint8],
        k: int,
        within: Selection | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Find exactly the k nearest chunks to bits (B/8,) by Hamming distance.

        They are visible, and of a selection if one is given.

        Returns:
            Chunk ids and distances, (k,) each or fewer, sorted, ties by chunk id.
        """
        return self._vectors.nearest(space, query_bits, k, within)

    def begin_nearest(
        self,
        space: Space,
        query_bits: NDArray[np.uint8],
        k: int,
        within: Selection | None = None,
    ) -> Callable[[], tuple[NDArray[np.int64], NDArray[np.int32]]]:
        """Begin what `nearest` does; return what waits for it."""
        return self._vectors.begin_nearest(space, query_bits, k, within)

    def dense_codes(self, space: Space, chunk_ids: Sequence[int]) -> NDArray[np.int8]:
        """Fetch codes (C, D) in the order asked; zeros where there is no vector."""
        return self._vectors.dense_codes(space, chunk_ids)

    def space_bytes(self, space: Space) -> int:
        """Add up the room that the vectors of a space take."""
        return self._vectors.size_of(space)

    def token_vectors(self, space: Space, chunk_ids: Sequence[int]) -> TokenVectors:
        """Fetch token vectors in the order asked; none for a chunk without."""
        return self._vectors.token_vectors(space, chunk_ids)

    def null_sample(self) -> NDArray[np.int64]:
        """Pick 128 visible chunks, whatever the history of the index.

        They are those with the smallest hash of (document digest, ordinal).
        """
        return self._documents.null_sample()

    def lexical_adapted(self, query: LexicalQuery) -> LexicalQuery:
        """Let words of a query that nothing holds stand for others that begin so."""
        return self._lexicon.adapted(query)

    def lexical_candidates(
        self, query: LexicalQuery, k: int, within: Selection | None = None
    ) -> NDArray[np.int64]:
        """Find the chunks, of a selection if given, among which the k best are."""
        return self._lexicon.candidates(query, k, within)

    def lexical(
        self,
        query: LexicalQuery,
        k: int,
        candidates: NDArray[np.int64] | None = None,
        others: Sequence[int] | NDArray[np.int64] = (),
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the best chunks by BM25.

        Args:
            query: Its words.
            k: How many.
            candidates: What `lexical_candidates` gave; None to ask it here.
            others: Chunks whose scores will be asked for next.

        Returns:
            Ids and scores, (k,) each or fewer, sorted, ties by chunk id.
        """
        return self._lexicon.best(query, k, candidates, others)

    def lexical_matches(
        self, query: LexicalQuery, chunk_ids: Sequence[int] | NDArray[np.int64]
    ) -> Matches:
        """Score chunks (C,) as `lexical` does, and say what each word gives."""
        return self._lexicon.matches(query, chunk_ids)

    def lexical_shares(self, query: LexicalQuery) -> dict[Term, float]:
        """Tell which share of the chunks holds each term that any of them holds."""
        return self._lexicon.shares(query)

    def lexical_known_share(self, query: LexicalQuery) -> float:
        """Compute how much of the query, by weight, is known to any chunk: 0 to 1."""
        return self._lexicon.known_share(query)

    # --- upkeep ---

    @property
    def schema_version(self) -> int:
        """Number of the schema."""
        return schema.SCHEMA_VERSION

    def bytes_by_part(self) -> dict[str, int]:
        """Measure the database, the parts of it, and its write-ahead log."""
        wal = self.path.with_name(self.path.name + "-wal")
        return {
            "database": self.path.stat().st_size,
            **self._counts.get("bytes", self._bytes_of_tables),
            "wal": wal.stat().st_size if wal.exists() else 0,
        }

    def _bytes_of_tables(self) -> dict[str, int]:
        return {
            "text": self._texts.size_bytes(),
            "lexical": self._lexicon.size_bytes(),
            **self._vectors.size_bytes(),
        }

    def tidy(self) -> None:
        """Do what keeps the file small and quick; next to nothing where all is well.

        Readers are not waited for: what they hold up is done the next time. Pages that
        were kept in memory are given back.
        """
        self._kills.forget_gone()
        self._settling.tidy()
        self._database.rows("PRAGMA shrink_memory")

    def integrity_check(self) -> list[str]:
        """Check the file from end to end; empty when all is well."""
        rows = self._database.rows("PRAGMA integrity_check")
        return [message for (message,) in rows if message != "ok"]

    def backup(self, target: Path) -> None:
        """Write a copy that only its owner can read.

        Raises:
            StoreError: The target exists, or cannot be written.
            StoreFull: There is no room for it.
        """
        write_backup(self._database, target)
