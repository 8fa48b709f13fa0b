"""Every backend against the pipelines that others run the family with."""

from __future__ import annotations

import json
import shutil
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from targets import INT8, context, cosines, late, target, token_rows
from tiny import DOCUMENT_PREFIX, HIDDEN, MASK, QUERY_PREFIX, TOKEN_DIM

from pplx_local import models, reference, window
from pplx_local.backend import Backend
from pplx_local.models.catalogue import LATE_RULE
from pplx_local.records import EncodingRecipe, TokenVectors
from pplx_local.window import WindowRule

__all__ = ["context", "late", "target"]

QUERIES = ["What motivates scientific discovery?", "glaciers, and when (roughly)?"]
DOCUMENTS = [
    "Rivers cut narrower valleys; glaciers carve a U shape.",
    "The tenant shall give notice (three months), in writing!",
    "curiosity",
    "The world. " * 40 + "It turns.",
]


@pytest.fixture(scope="module")
def as_causal_model(
    context: Path, late: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The folders once more, as a Qwen3 that transformers knows by itself."""
    folders = {}
    for name, source in (("context", context), ("late", late)):
        folder = folders[name] = tmp_path_factory.mktemp("stock") / name
        shutil.copytree(source, folder)
        config = json.loads((folder / "config.json").read_text())
        config |= {"model_type": "qwen3", "architectures": ["Qwen3Model"]}
        config.pop("auto_map")
        (folder / "config.json").write_text(json.dumps(config | {"is_causal": False}))
    return folders


def _transformer(folder: Path, **options: Any) -> Any:
    pytest.importorskip("sentence_transformers")
    from sentence_transformers.base.modules import Transformer

    module = Transformer(
        str(folder),
        model_kwargs={"dtype": "float32", "attn_implementation": "sdpa"},
        **options,
    )
    for layer in module.model.layers:
        layer.self_attn.is_causal = False
    return module


def test_dense_vectors_are_sentence_transformers(
    target, context, as_causal_model
) -> None:
    transformer = _transformer(as_causal_model["context"])
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    pipeline = SentenceTransformer(
        modules=[transformer, Pooling(HIDDEN, pooling_mode="mean")], device="cpu"
    )
    x = pipeline.encode(DOCUMENTS, batch_size=2, convert_to_numpy=True)
    expected = reference.quantize_dense(x, "tanh", "sign")
    backend, device = target
    recipe = EncodingRecipe(True, False, "tanh", "sign")
    encoder = backend.load(context, recipe, device=device, dtype="float32")
    tokenizer, rule = _pair(context, models.lookup("v1-0.6b").window_rule)
    plans = window.plan(DOCUMENTS, tokenizer, rule)
    dense = encoder.encode([one for plan in plans for one in plan.windows]).dense
    assert np.abs(dense.codes - expected.codes.astype(int)).max() <= 1
    assert cosines(dense.codes, expected.codes).min() >= 1 - 1e-5


def test_late_vectors_are_sentence_transformers(target, late, as_causal_model) -> None:
    """Its prefix stands first; expansion is attended to, punctuation dropped."""
    model = _multi_vector_encoder(as_causal_model["late"])
    queries = model.encode_query(QUERIES, convert_to_numpy=True)
    documents = model.encode_document(DOCUMENTS, convert_to_numpy=True)
    _assert_same(target, late, LATE_RULE, queries, documents)


def _multi_vector_encoder(folder: Path) -> Any:
    expansion = {"strategy": "fixed", "attend": True, "length": 32}
    mask = f"<unused {MASK}>"
    transformer = _transformer(
        folder, query_expansion=expansion | {"token": mask}, document_length=512
    )
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    dense = Dense(
        HIDDEN,
        TOKEN_DIM,
        bias=False,
        activation_function=torch.nn.Identity(),
        init_weight=_head(folder),
        module_input_name="token_embeddings",
    )
    marks = MultiVectorMask(skiplist_words=list(string.punctuation))
    unit = Normalize(module_input_name="token_embeddings")
    return MultiVectorEncoder(
        modules=[transformer, dense, marks, unit],
        prompts={"query": "[Q] ", "document": "[D] "},
        device="cpu",
    )


def test_late_vectors_are_pylates_with_its_prefix(
    target, late, as_causal_model
) -> None:
    """PyLate inserts the prefix behind the first token."""
    pytest.importorskip("pylate.models", reason="PyLate pins an older transformers")
    model = _pylate(as_causal_model["late"])
    # One at a time: with padding, the transformers that it pins masks causally.
    options = {"batch_size": 1, "show_progress_bar": False}
    queries = model.encode(QUERIES, is_query=True, **options)
    documents = model.encode(DOCUMENTS, is_query=False, **options)
    rule = replace(LATE_RULE, prefix_position=1)
    _assert_same(target, late, rule, queries, documents)


def _head(folder: Path) -> Any:
    from safetensors.torch import load_file

    return load_file(folder / "1_Dense" / "model.safetensors")["linear.weight"]


def _pylate(folder: Path) -> Any:
    from pylate.models import ColBERT, Dense
    from sentence_transformers.models import Transformer  # of the one it needs

    attention = {"attn_implementation": "sdpa", "dtype": "float32"}
    transformer = Transformer(str(folder), model_args=attention)
    for layer in transformer.auto_model.layers:
        layer.self_attn.is_causal = False
    head = Dense(HIDDEN, TOKEN_DIM, bias=False)
    head.linear.weight.data = _head(folder)
    return ColBERT(
        modules=[transformer, head],
        query_prefix="[Q] ",
        document_prefix="[D] ",
        query_length=32,
        document_length=512,
        attend_to_expansion_tokens=True,
        skiplist_words=list(string.punctuation),
        device="cpu",
    )


def _assert_same(
    target: tuple[Backend, str],
    folder: Path,
    rule: WindowRule,
    queries: list[NDArray[np.float32]],
    documents: list[NDArray[np.float32]],
) -> None:
    """Hold our rows, and MaxSim over them, to those of another library."""
    backend, device = target
    recipe = replace(INT8, dense=False, token_encoding="int8")
    encoder = backend.load(folder, recipe, device=device, dtype="float32")
    tokenizer, rule = _pair(folder, rule)
    plans = window.plan(DOCUMENTS, tokenizer, rule)
    ours = encoder.encode([one for plan in plans for one in plan.windows]).tokens
    _assert_rows(ours, documents)
    for text, expected in zip(QUERIES, queries, strict=True):
        plan = window.plan_query(text, tokenizer, rule)
        assert plan is not None
        query = encoder.encode(plan.windows).tokens
        _assert_rows(query, [expected])
        got = backend.maxsim(query, ours).values
        wanted = [(expected @ rows.T).max(axis=1).sum() for rows in documents]
        assert np.argsort(got).tolist() == np.argsort(wanted).tolist()
        # Rows of int8 on both sides, over 32 tokens of the query.
        assert np.abs(got - wanted).max() < 32 * 3e-3


def _assert_rows(ours: TokenVectors, theirs: list[NDArray[np.float32]]) -> None:
    assert np.diff(ours.cu_seqlens).tolist() == [len(rows) for rows in theirs]
    assert cosines(token_rows(ours), np.concatenate(theirs)).min() > 1 - 1e-4


def _pair(folder: Path, rule: WindowRule) -> tuple[window.TextTokenizer, WindowRule]:
    return models.load_tokenizer(folder), rule


def test_a_query_is_filled_up_and_its_prefix_kept(late) -> None:
    tokenizer, rule = _pair(late, LATE_RULE)
    plan = window.plan_query("ok?", tokenizer, rule)
    assert plan is not None
    (one,) = plan.windows
    assert len(one.token_ids) == 32
    assert one.token_ids[0] == QUERY_PREFIX
    assert (one.token_ids[4:] == MASK).all()
    assert one.keep.all()
    assert one.positions.tolist() == [-1, 0, 1, 2] + [-1] * 28
    (document,) = window.plan(["ok?"], tokenizer, rule)[0].windows
    assert document.token_ids[0] == DOCUMENT_PREFIX
    assert document.keep.tolist() == [True, True, True, False]
