"""The catalogue of checkpoints: what each is, where it lies, how its vectors are made.

Needs neither an array framework nor, until `load_tokenizer` is called, a tokenizer.
"""

from pplx_local.models.catalogue import (
    CATALOGUE,
    STARTER,
    Checkpoint,
    ConfidenceCurve,
    Profile,
    lookup,
)
from pplx_local.models.files import find, resolve, verify
from pplx_local.models.recipe import recipe_of, space_spec, token_mean
from pplx_local.models.tokenizer import load_tokenizer

__all__ = [
    "CATALOGUE",
    "STARTER",
    "Checkpoint",
    "ConfidenceCurve",
    "Profile",
    "find",
    "load_tokenizer",
    "lookup",
    "recipe_of",
    "resolve",
    "space_spec",
    "token_mean",
    "verify",
]
