"""The records that travel between the parts: frozen, slotted, free of behaviour.

Shape letters, fixed for the repository: C chunks, T tokens (packed), D dimensions,
B bits, Q query tokens. Spans are half-open; the field name gives the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from pplx_local.answer import Answer as Answer
from pplx_local.answer import Copy as Copy
from pplx_local.answer import Elsewhere as Elsewhere
from pplx_local.answer import Extract as Extract
from pplx_local.answer import Hit as Hit
from pplx_local.answer import Leg as Leg
from pplx_local.answer import LegReport as LegReport
from pplx_local.answer import Match as Match
from pplx_local.answer import Mode as Mode
from pplx_local.answer import Picture as Picture
from pplx_local.answer import Place as Place
from pplx_local.answer import Role as Role
from pplx_local.answer import Section as Section
from pplx_local.answer import Span as Span
from pplx_local.answer import State as State

if TYPE_CHECKING:
    # Half of what a search through the daemon takes would be the import of numpy.
    import numpy as np
    from numpy.typing import NDArray

TokenEncoding = Literal["int8", "bits"]
Quantizer = Literal["tanh", "max_abs"]
BitsRule = Literal["sign", "three_thresholds"]
Fate = State | Literal["renamed", "removed"]
Stage = Literal["scan", "read", "load", "encode", "search"]


# --- documents ---------------------------------------------------------------


class Segment(NamedTuple):
    """A named part of a document: leads from a character to a place in it."""

    kind: str
    """"page", "heading", "cell", "slide", ... in the words of the format."""
    label: str
    """What a person would call it: "3" for a page, the words of a heading."""
    char_span: Span


class Chunk(NamedTuple):
    """A passage: the unit that is encoded, scored and shown."""

    ordinal: int
    """Its number in the document, from 0."""
    char_span: Span
    """Into the document's text."""


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A run of a document's text with the chunks that lie in it.

    A document is read, stored and fetched block by block, so that no file, however
    long, is ever held in memory whole. Blocks follow each other without a gap.
    """

    char_start: int
    """Where the block begins in the document's text."""
    text: str
    chunks: tuple[Chunk, ...]
    """In order; every span lies inside this block."""


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of a document besides its text."""

    parser: str
    parser_version: int
    title: str | None
    """The document's own title; never the file's name."""
    language: str | None
    """ISO 639, as the document states it or its text shows; None where neither does."""
    n_chars: int
    segments: tuple[Segment, ...]
    """By start, the outer one first."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    day: date | None = None
    """When it was written, as it says itself; never the file's time."""


# --- token windows and vectors -----------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenWindow:
    """One forward pass over a text, with the chunks that it owns.

    Tokens outside `pool_spans` and `keep` are context: the model reads them, and
    nothing comes of them.
    """

    token_ids: NDArray[np.int32]
    """(T,)"""
    pool_spans: tuple[Span, ...]
    """Token spans that the dense vectors average, one per owned chunk (or piece of a
    chunk), never empty, never overlapping."""
    keep: NDArray[np.bool_]
    """(T,) Rows that become token vectors; each lies in the pool span of its chunk."""
    positions: NDArray[np.int32]
    """(T,) Index of each token among the tokens of its own chunk's text; -1 for a
    token that stands for no text (special tokens, prefixes, expansion)."""
    kind: Literal["document", "query"] = "document"
    continues: bool = False
    """True when the first pool span continues the last chunk of the window before: a
    chunk longer than the checkpoint's limit is encoded in pieces and pooled by token
    count."""


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """The unit of encoding and of reuse: one window, or the pieces of one long chunk."""

    windows: tuple[TokenWindow, ...]
    chunk_indices: tuple[int, ...]
    """Owned chunks, as indices into the texts that were planned, in the order in which
    the vectors come out."""
    digest: bytes
    """16 bytes over token ids, spans and keep: equal digests, equal vectors."""

    @property
    def n_tokens(self) -> int:
        """Tokens the model reads for this plan."""
        return sum(len(window.token_ids) for window in self.windows)


@dataclass(frozen=True, slots=True)
class DenseVectors:
    """One vector per chunk, quantised."""

    codes: NDArray[np.int8]
    """(C, D) Compared by cosine."""
    bits: NDArray[np.uint8]
    """(C, B/8) Packed most significant bit first; compared by Hamming distance."""


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """Token vectors of several chunks, packed without padding.

    Chunk c owns rows `cu_seqlens[c]:cu_seqlens[c + 1]`. With `int8`, row i stands for
    `codes[i] * scales[i]`. With `bits`, it stands for a vector of +1 and -1 divided by
    the square root of D.
    """

    encoding: TokenEncoding
    codes: NDArray[np.int8] | NDArray[np.uint8]
    """(T, D) int8, or (T, D/8) uint8 packed most significant bit first."""
    scales: NDArray[np.float32] | None
    """(T,) for int8, None for bits."""
    positions: NDArray[np.int32]
    """(T,) From a row to its token in the chunk's own text, of several to the nearest;
    -1 for none."""
    cu_seqlens: NDArray[np.int32]
    """(C + 1,) Rises from 0 to T."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one call of an encoder gives, in the order of windows and spans."""

    dense: DenseVectors | None
    tokens: TokenVectors | None


@dataclass(frozen=True, slots=True)
class Scores:
    """MaxSim of a query against C chunks."""

    values: NDArray[np.float32]
    """(C,) Sum over the query's tokens of the best similarity; -inf for a chunk
    without rows."""
    matches: NDArray[np.int32] | None
    """(C, Q) Row (within the chunk) that matched each query token best, -1 in a chunk
    without rows; None unless asked for."""


class Nearest(NamedTuple):
    """The chunks that a query scores best, the best first."""

    chunks: NDArray[np.int64]
    """(k,) or fewer: ids, or indices where chunks are known by their places."""
    values: NDArray[np.float32]
    """(k,) MaxSim."""


@dataclass(frozen=True, slots=True)
class EncodingRecipe:
    """How a checkpoint's hidden states become vectors: what a backend has to know."""

    dense: bool
    """Whether dense vectors are made."""
    late: bool
    """Whether token vectors are made."""
    quantizer: Quantizer = "max_abs"
    bits_rule: BitsRule = "sign"
    token_encoding: TokenEncoding = "bits"
    token_pooling: int = 1
    """How many tokens of a chunk share a token vector, about; 1 for none."""


# --- work and its results ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long piece of work has come."""

    stage: Stage
    done: int
    total: int | None
    """In the unit of the stage: files for "scan" and "read", tokens for "encode"
    (estimated until tokenised); None while unknown."""
    path: bytes | None = None
    """What is being worked on."""
    message: str | None = None
    """Something the person should read: a failure, a wait."""
    waits: bool = False
    """Whether another process works and nothing could be done meanwhile."""


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update did, in files."""

    added: int = 0
    changed: int = 0
    renamed: int = 0
    unchanged: int = 0
    refreshed: int = 0
    """Of these, made anew, as an older program had made them."""
    removed: int = 0
    unreachable: int = 0
    failed: int = 0
    """Files that ended this update in state `failed`."""
    encoded_tokens: int = 0
    """Tokens that went through the model."""
    reused_windows: int = 0
    """Windows whose vectors were found by their digest instead."""


# --- files, folders, spaces --------------------------------------------------


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder that the person registered. A single file counts as one too."""

    folder_id: int
    path: bytes
    """Absolute."""
    device: int
    """st_dev when last seen; another one over an empty folder means that a volume is
    away, not that its files are gone."""
    added_ns: int
    scanned_ns: int | None
    """When a walk last ended; None before the first."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that was seen in a registered folder, and what became of it."""

    path: bytes
    """Absolute, byte for byte as the system has it."""
    folder_id: int
    device: int
    inode: int
    size: int
    mtime_ns: int
    digest: str | None
    """Of the bytes, BLAKE2b-256 in hex; None when they were never read."""
    state: State
    reason: str | None
    """Why, in words; None for `indexed`."""
    document_id: int | None = None
    """What it was last read as; kept while it is unreachable, None where nothing was
    read."""
    pipeline: str | None = None
    """Parser and chunker versions that decided its state; None where none was asked."""
    retry: bool = False
    """Whether the next update tries again though nothing changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an update, and of the paths that were registered for it."""

    report: UpdateReport
    failures: tuple[FileRecord, ...] = ()
    """Files that ended it in state `failed`."""
    encoder_error: str | None = None
    """Why vectors are missing; None when none are."""
    refused: tuple[str, ...] = ()
    """Why paths could not be registered, a message each."""


@dataclass(frozen=True, slots=True)
class SpaceSpec:
    """A role, a checkpoint, and all the rules that its vectors depend on."""

    role: Role
    checkpoint: str
    """Name in the catalogue."""
    rules: Mapping[str, str]
    """Weights and tokenizer digests, window rule, quantiser, ...: what the fingerprint
    is made of, readable."""
    fingerprint: str
    """Hex digest over role, checkpoint and rules."""
    dim: int
    n_bits: int
    """Bits of a dense vector, or of a token vector in bits."""
    token_encoding: TokenEncoding | None = None
    """Of a late space; None for dense."""


@dataclass(frozen=True, slots=True)
class KindCount:
    """Files of one kind in a survey."""

    kind: str
    """"Markdown", "PDF", ..., or the reason why files are skipped."""
    files: int
    size_bytes: int
    skipped: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """What adding a folder would do: an estimate that reads no document."""

    path: bytes
    kinds: tuple[KindCount, ...]
    """Largest first."""
    estimated_tokens: int
    estimated_seconds: float | None
    """None when no model is here, or its speed is not known yet."""
    estimated_disk_bytes: int
    free_disk_bytes: int


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A checkpoint that the program knows."""

    name: str
    title: str
    good_for: str
    roles: tuple[Role, ...]
    license: str
    """SPDX identifier."""
    parameters: int
    languages: tuple[str, ...]
    """ISO 639-1 codes; empty for most of the world's."""
    bytes: int
    """On the disk, or to fetch where it is not here."""
    memory_bytes: int
    """While embedding, where bfloat16 is computed."""
    memory_fp32_bytes: int
    """Where it is not."""
    path: str | None
    """Where it lies; None where it is not here."""
    used: bool
    """Whether the settings ask for it."""
    install: str
    """What to do when it is not here, as a sentence."""
    repository: str | None = None
    """Where it is fetched from; None for one that comes as a package."""


@dataclass(frozen=True, slots=True)
class ModelList:
    """The checkpoints that the program knows, the preferred one first."""

    setting: str
    """What was chosen: names, "auto" or "none"."""
    models: tuple[ModelRecord, ...]


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """What choosing a model would mean: nothing of it is measured."""

    profile: Mapping[Role, str | None]
    serving: Mapping[Role, str | None]
    """What answers until everything is embedded; equal to `profile` where that does so
    at once."""
    documents: int
    """That have to be embedded."""
    tokens: int
    """That go through models; with two models each text counts twice."""
    seconds: float | None
    """None where the speed of a model is not known yet."""
    memory_bytes: int
    """While embedding, where bfloat16 is computed."""
    memory_fp32_bytes: int
    """Where it is not."""
    disk_bytes: int
    """Of the new vectors."""
    free_disk_bytes: int


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A change of the model that is under way."""

    profile: Mapping[Role, str | None]
    """The one that takes over."""
    embedded: Mapping[Role, int]
    """Documents that its spaces have."""
    documents: int
    """That they need."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How changes in a folder are noticed."""

    how: Literal["events", "polling"]
    reason: str | None = None
    """Why it is polled, and what helps; None for events."""


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A registered folder and its files by state."""

    path: bytes
    reachable: bool
    scanned_ns: int | None
    states: Mapping[State, int]
    watching: Watching | None = None
    """None where no daemon watches it."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Files that wait to be read."""

    waiting: int
    """All of them."""
    retrying: int = 0
    """Of these, those that failed once or twice and wait for another try."""
    stale: int = 0
    """Of these, those that an older program read well; its documents answer meanwhile."""


@dataclass(frozen=True, slots=True)
class FileEvent:
    """Something that happened to a file while a daemon ran."""

    number: int
    """Higher than that of whatever happened before, in earlier daemons too."""
    path: bytes
    fate: Fate
    """The state that it came to, or that it was renamed to this path, or removed."""
    reason: str | None
    """Why, in words; None where there is nothing to say."""
    at_ns: int
    took_ms: float | None
    """How long it kept the indexer busy; None for what a look at its folder showed."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the computer lives on, and how it bears it."""

    on_battery: bool
    percent: float | None
    """What is left of the battery, 0 to 100; None without one."""
    low_power: bool
    """Whether the person asked the system to save power."""
    hot: bool
    """Whether the system slows the processor down for the heat."""


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """What the background indexer of a home is doing."""

    pid: int
    version: str
    """Of the program that it runs."""
    started_ns: int
    doing: Progress | None
    """None while there is nothing to do, or it waits."""
    rate: float | None
    """Files or tokens per second, as `doing` counts them; None while unknown."""
    seconds_left: float | None
    """Of the stage under way; None while unknown."""
    waits: str | None
    """Why it does not work now though there is something to do; None when it does."""
    trouble: str | None
    """What went wrong last and has not gone right since; None when all is well."""
    paused: bool
    memory_bytes: int | None = None
    """Resident, of the daemon and its children together, with what they share counted
    for each; None where an older daemon does not tell."""
    power: Conditions | None = None
    """None where an older daemon does not tell."""
    with_parent: bool = False
    """Whether it ends with the program that started it, such as the interface."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the index holds, how fresh and how complete it is."""

    home: str
    schema_version: int
    folders: tuple[FolderStatus, ...]
    states: Mapping[State, int]
    documents: int
    """That answer queries; hidden ones are not counted."""
    hidden_documents: int
    chunks: int
    profile: Mapping[Role, str | None]
    """The one that answers."""
    coverage: Mapping[Leg, float]
    bytes_by_part: Mapping[str, int]
    """"database", "text", "lexical", "dense", "late", "wal"."""
    fresh_as_of_ns: int | None
    """When the oldest of the folders' walks ended; None before the first."""
    change: ModelChange | None = None
    """None unless another profile is being embedded and does not answer yet."""
    queue: QueueStatus = QueueStatus(0)
    daemon: DaemonStatus | None = None
    """None when no daemon runs for this home."""
    outdated: Mapping[Role, str] = field(default_factory=dict)
    """Why vectors that are there do not answer, and what helps; a sentence or two."""
