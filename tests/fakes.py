"""Fakes that keep the contract: what stands in for a model in tests."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pplx_local import models, reference
from pplx_local.backend.packed import largest
from pplx_local.encoding import EncodedQuery, Session, WorkerInfo
from pplx_local.errors import EncoderCrashed
from pplx_local.records import (
    DenseVectors,
    Encoded,
    EncodingRecipe,
    Nearest,
    Role,
    Scores,
    SpaceSpec,
    Span,
    TokenVectors,
    TokenWindow,
    WindowPlan,
)
from pplx_local.window import WindowRule

FAKE_DIM = 32

_FILES = {
    name: f"the {name} of a fake checkpoint\n".encode()
    for name in ("config.json", "model.safetensors", "tokenizer.json")
}


def fake_checkpoint(**changes: Any) -> models.Checkpoint:
    """A checkpoint of FAKE_DIM dimensions for both roles, with token vectors in bits."""
    checkpoint = models.Checkpoint(
        name="fake",
        title="Fake",
        roles=("dense", "late"),
        license="Apache-2.0",
        good_for="tests",
        n_parameters=0,
        size_bytes=0,
        languages=(),
        scripts=(),
        install="Write it with fakes.install_fake_checkpoint.",
        sha256={name: sha256(content).hexdigest() for name, content in _FILES.items()},
        window_rule=WindowRule(kind="single", limit=256),
        dim=FAKE_DIM,
        token_dim=FAKE_DIM,
        quantizer="max_abs",
        bits_rule="three_thresholds",
        token_encoding="bits",
        fusion=models.Fusion(
            {"dense": 1.0, "late": 2.0, "lexical": 12.0},
            scale="score",
            here=0.5,
            feedback=0.5,
        ),
        confidence=(models.ConfidenceCurve(-8.0, {"late": 20.0}),),
    )
    return replace(checkpoint, **changes)


def install_fake_checkpoint(home: Path, name: str = "fake") -> Path:
    """Write the files that `models.find` and `models.verify` want to see."""
    folder = home / "models" / name
    folder.mkdir(parents=True)
    for name, content in _FILES.items():
        (folder / name).write_bytes(content)
    return folder


def fake_spaces(checkpoint: models.Checkpoint | None = None) -> dict[Role, SpaceSpec]:
    """The spaces of a fake checkpoint by role; no file is read."""
    checkpoint = checkpoint or fake_checkpoint()
    return {
        role: models.space_spec(checkpoint, role, Path("nowhere"))
        for role in checkpoint.roles
    }


class WordTokenizer:
    """One token per word, whatever its case; the id is a hash of the word."""

    def ids(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        return [
            np.array([_word_id(word) for word in _words(text)], dtype=np.int32)
            for text in texts
        ]

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[Span(*m.span()) for m in re.finditer(r"\w+", t)] for t in texts]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _word_id(word: str) -> int:
    digest = blake2b(word.lower().encode(errors="surrogatepass"), digest_size=4)
    return int.from_bytes(digest.digest(), "big") >> 1


@cache
def word_vector(token_id: int, dim: int = FAKE_DIM) -> NDArray[np.float32]:
    """The vector (dim,) of a word, the same in every process."""
    random = np.random.default_rng(token_id)
    return random.standard_normal(dim).astype(np.float32)


class FakeEncoder:
    """Vectors from words: a chunk's dense vector is the mean of its words' vectors.

    Texts that share words are near each other; nothing else is. Counts its work.
    """

    device = "cpu"
    dtype = "float32"

    def __init__(self, recipe: EncodingRecipe, dim: int = FAKE_DIM) -> None:
        self._recipe = recipe
        self.dim = dim
        self.encoded_tokens = 0
        self.encoded_windows = 0

    def encode(
        self,
        windows: Sequence[TokenWindow],
        *,
        between: Callable[[], None] | None = None,
    ) -> Encoded:
        self.encoded_windows += len(windows)
        self.encoded_tokens += sum(len(window.token_ids) for window in windows)
        pooled: list[list[NDArray[np.float32]]] = []  # rows of each chunk
        kept: list[list[NDArray[np.float32]]] = []
        positions: list[NDArray[np.int32]] = []
        for window in windows:
            if between:
                between()
            rows = self._hidden(window.token_ids)
            for index, (start, end) in enumerate(window.pool_spans):
                if index or not window.continues:
                    pooled.append([])
                    kept.append([])
                keep = window.keep[start:end]
                pooled[-1].append(rows[start:end])
                kept[-1].append(rows[start:end][keep])
                positions.append(window.positions[start:end][keep])
        recipe = self._recipe
        dense = self._dense(pooled) if recipe.dense else None
        kind = windows[0].kind if windows else "document"
        tokens = self._tokens(kept, positions, kind) if recipe.late else None
        return Encoded(dense, tokens)

    def memory_bytes(self) -> int:
        return 0

    def _hidden(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        return np.array([word_vector(int(one), self.dim) for one in ids])  # (T, D)

    def _dense(self, pooled: list[list[NDArray[np.float32]]]) -> DenseVectors:
        means = [reference.pool(np.concatenate(rows)) for rows in pooled]
        x = np.array(means, dtype=np.float32).reshape(-1, self.dim)
        return reference.quantize_dense(
            x, self._recipe.quantizer, self._recipe.bits_rule
        )

    def _tokens(
        self,
        kept: list[list[NDArray[np.float32]]],
        positions: list[NDArray[np.int32]],
        kind: str,
    ) -> TokenVectors:
        empty = np.empty((0, self.dim), dtype=np.float32)
        x = np.concatenate([empty, *(rows for chunk in kept for rows in chunk)])
        at = np.concatenate([np.empty(0, np.int32), *positions])
        if kind == "query":
            return reference.quantize_query(x, at)
        lengths = [sum(len(rows) for rows in chunk) for chunk in kept]
        cu_seqlens = np.cumsum([0, *lengths]).astype(np.int32)
        encoding = self._recipe.token_encoding
        return reference.quantize_tokens(x, cu_seqlens, at, encoding)


class FakeContextEncoder(FakeEncoder):
    """A fake whose vectors depend on all that a window reads."""

    def _hidden(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        rows = super()._hidden(ids)
        return rows + rows.mean(axis=0)


class FakeBackend:
    """The reference, as a backend whose encoder needs no weights."""

    name = "fake"

    def devices(self) -> list[str]:
        return ["cpu"]

    def load(
        self, model_dir: Path, recipe: EncodingRecipe, **options: Any
    ) -> FakeEncoder:
        return FakeEncoder(recipe)

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Scores:
        return reference.maxsim(query, docs, want_matches=want_matches)

    def resident(
        self, docs: TokenVectors, *, device: str | None = None
    ) -> FakeResident:
        return FakeResident(docs)

    def free_bytes(self, device: str) -> int:
        return 1 << 40


@dataclass
class FakeResident:
    """Codes that are kept, scored by the reference."""

    docs: TokenVectors

    def maxsim(
        self, query: TokenVectors, chunks: Sequence[int] | NDArray[np.int64]
    ) -> Scores:
        values = reference.maxsim(query, self.docs).values
        return Scores(values[np.asarray(chunks, dtype=np.int64)], None)

    def best(self, query: TokenVectors, k: int) -> Nearest:
        return largest(reference.maxsim(query, self.docs).values, k)


class FakeWorker:
    """An `EncoderWorker` without a process, framework or weights.

    Answers at once, through the same `Session` that the real child runs, in the
    dimensions and by the window rule of whatever checkpoint it is given. The class
    itself serves as the factory that `Index.open` takes.
    """

    encoder_type: type[FakeEncoder] = FakeEncoder

    def __init__(
        self,
        checkpoint: models.Checkpoint | None = None,
        model_dir: Path | None = None,
        settings: object = None,
        **options: Any,
    ) -> None:
        self.checkpoint = checkpoint or fake_checkpoint()
        recipe = models.recipe_of(self.checkpoint, self.checkpoint.roles)
        self.encoder = self.encoder_type(recipe, self.checkpoint.dim)
        self._session = Session(
            WordTokenizer(), self.checkpoint.window_rule, FakeBackend(), self.encoder
        )
        self.closed = False
        self.is_resting = True
        """Whether a child would not run now."""
        self._last_use = time.monotonic()
        self._last_query = -math.inf

    @property
    def encoded_tokens(self) -> int:
        """Tokens that went through `encode`, queries included."""
        return self.encoder.encoded_tokens

    @property
    def encoded_windows(self) -> int:
        return self.encoder.encoded_windows

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        if self.closed:
            raise EncoderCrashed("The encoder was closed.")
        self.is_resting = False
        self._last_use = time.monotonic()

    def is_ready(self) -> bool:
        return not (self.closed or self.is_resting)

    def idle_s(self) -> float:
        return time.monotonic() - self._last_use

    def since_query_s(self) -> float:
        return time.monotonic() - self._last_query

    def rest(self, after_s: float) -> bool:
        if self.is_resting or self.idle_s() < after_s:
            return False
        self.is_resting = True
        return True

    def info(self) -> WorkerInfo:
        self.start()
        return WorkerInfo("fake", "cpu", "float32", self.encoder.dim, pid=0, load_s=0.0)

    @property
    def window_rule(self) -> WindowRule:
        return self.checkpoint.window_rule

    def plan(
        self,
        texts: Sequence[str],
        owned: range | None = None,
        headings: Sequence[str] | None = None,
    ) -> Future[list[WindowPlan]]:
        return self._answer(self._session.plan, texts, owned, headings)

    def encode(self, plans: Sequence[WindowPlan]) -> Future[Encoded]:
        return self._answer(self._session.encode, plans)

    def encode_query(self, text: str) -> Future[EncodedQuery]:
        self._last_query = time.monotonic()
        return self._answer(self._session.encode_query, text)

    def query(self, text: str) -> EncodedQuery:
        return self.encode_query(text).result()

    def maxsim(
        self, query: TokenVectors, docs: TokenVectors, *, want_matches: bool = False
    ) -> Future[Scores]:
        compare = partial(self._session.maxsim, want_matches=want_matches)
        return self._answer(compare, query, docs)

    def keep(self, name: str, ids: Sequence[int], docs: TokenVectors) -> Future[None]:
        return self._answer(self._session.keep, name, ids, docs)

    def let_go(self, name: str, ids: Sequence[int]) -> Future[None]:
        return self._answer(self._session.let_go, name, ids)

    def best(
        self, name: str, n_chunks: int, query: TokenVectors, k: int
    ) -> Nearest | None:
        self.start()
        return self._session.best(name, n_chunks, query, k)

    def scores(
        self, name: str, query: TokenVectors, ids: Sequence[int]
    ) -> NDArray[np.float32] | None:
        self.start()
        return self._session.scores(name, query, ids)

    def let_all_go(self) -> Future[None]:
        return self._answer(self._session.let_all_go)

    def free_bytes(self) -> int:
        return self._session.free_bytes()

    def memory_bytes(self) -> int:
        return 0

    def token_spans(self, texts: Sequence[str]) -> Future[list[list[Span]]]:
        return self._answer(self._session.token_spans, texts)

    def close(self) -> None:
        self.closed = True

    def _answer(self, method: Callable[..., Any], *arguments: Any) -> Future[Any]:
        self.start()
        future: Future[Any] = Future()
        future.set_result(method(*arguments))
        return future


class Poisoned(FakeWorker):
    """A worker that crashes on every call that holds one word."""

    crashes = 0

    def encode(self, plans: Sequence[WindowPlan]) -> Future[Encoded]:
        poison = WordTokenizer().ids(["arsenic"])[0][0]
        if any(poison in w.token_ids for plan in plans for w in plan.windows):
            self.crashes += 1
            future: Future[Encoded] = Future()
            future.set_exception(EncoderCrashed("ended 3 times on the same text"))
            return future
        return super().encode(plans)
