"""The catalogue of checkpoints: what each is, where it lies, how its vectors are made.

Needs neither an array framework nor, until `load_tokenizer` is called, a tokenizer.
"""

from pplx_local.models.catalogue import (
    CATALOGUE,
    STARTER,
    Checkpoint,
    ConfidenceCurve,
    Fusion,
    Profile,
    Scale,
    lookup,
)
from pplx_local.models.files import find, folder_of, resolve, verify
from pplx_local.models.manifest import (
    MANIFEST,
    Manifest,
    RecordedFile,
    hash_file,
    read_manifest,
    record,
    write_manifest,
)
from pplx_local.models.profile import (
    as_set,
    find_or_refuse,
    how_to_get,
    profile_of,
    why_missing,
    with_full_tokens,
)
from pplx_local.models.recipe import recipe_of, space_spec
from pplx_local.models.tokenizer import load_tokenizer

__all__ = [
    "CATALOGUE",
    "MANIFEST",
    "STARTER",
    "Checkpoint",
    "ConfidenceCurve",
    "Fusion",
    "Manifest",
    "Profile",
    "RecordedFile",
    "Scale",
    "as_set",
    "find",
    "find_or_refuse",
    "folder_of",
    "hash_file",
    "how_to_get",
    "load_tokenizer",
    "lookup",
    "profile_of",
    "read_manifest",
    "recipe_of",
    "record",
    "resolve",
    "space_spec",
    "verify",
    "why_missing",
    "with_full_tokens",
    "write_manifest",
]
