"""Hold every backend and device here to stock transformers, and print the table.

    python scripts/measure_parity.py            the table
    python scripts/measure_parity.py --write    the table, into the README too

Tiny random checkpoints with the published configurations and tensor names; the
reference is transformers' Qwen3 run non-causally in float32, one text at a time, with
the quantisers and MaxSim of `pplx_local.reference`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from targets import all_targets, cosines, random_ids, token_rows, whole  # noqa: E402
from tiny import (  # noqa: E402
    Kind,
    stock_states,
    stock_token_states,
    write_qwen3,
)

from pplx_local import reference  # noqa: E402
from pplx_local.backend import open_backend  # noqa: E402
from pplx_local.records import (  # noqa: E402
    Encoded,
    EncodingRecipe,
    TokenVectors,
    TokenWindow,
)

BEGIN, END = "<!-- parity: begin -->", "<!-- parity: end -->"
LENGTHS = (1, 2, 9, 31, 32, 33, 64, 120, 300, 511)
SEEDS = range(4)
DENSE = EncodingRecipe(True, False, "tanh", "sign")
LATE = EncodingRecipe(False, True, token_encoding="int8")
HEADER = (
    "| backend | device | precision | dense: least cosine | int8 codes: most apart |"
    " bits that differ | late: least, mean cosine | MaxSim: most apart | same order |"
)


class Row(NamedTuple):
    """What one backend does on one device in one precision."""

    name: str
    device: str
    dtype: str
    dense_cosine: float
    apart: int
    flipped: float
    late_cosine: float
    late_mean: float
    maxsim: float
    same_order: bool

    def markdown(self) -> str:
        """Write it as a row of a table."""
        return (
            f"| {self.name} | {self.device} | {self.dtype} | {_below_one(self.dense_cosine)}"
            f" | {self.apart} | {self.flipped:.2%} | {_below_one(self.late_cosine)},"
            f" {_below_one(self.late_mean)} | {self.maxsim:.0e} |"
            f" {'yes' if self.same_order else 'NO'} |"
        )


def _below_one(cosine: float) -> str:
    return f"1 - {max(1 - cosine, 0):.0e}"


class Material(NamedTuple):
    """Windows, and what stock transformers makes of them."""

    folders: dict[Kind, Path]
    windows: list[TokenWindow]
    pooled: NDArray[np.float32]
    """(C, hidden)"""
    tokens: TokenVectors
    """int8"""


def material(folder: Path) -> Material:
    """Write the checkpoints and run the reference."""
    folders: dict[Kind, Path] = {
        kind: write_qwen3(folder / kind, kind) for kind in ("context", "late")
    }
    texts = [
        random_ids(np.random.default_rng(seed), length, 151_000)
        for seed in SEEDS
        for length in LENGTHS
    ]
    states, token_states = (
        stock_states(folders["context"]),
        stock_token_states(folders["late"]),
    )
    pooled = np.array([reference.pool(states(ids)) for ids in texts])
    tokens = np.concatenate([token_states(ids)[1:] for ids in texts])
    windows = [whole(ids) for ids in texts]
    cu_seqlens = np.cumsum([0, *(len(ids) - 1 for ids in texts)]).astype(np.int32)
    positions = np.zeros(len(tokens), np.int32)
    codes = reference.quantize_tokens(tokens, cu_seqlens, positions, "int8")
    return Material(folders, windows, pooled, codes)


def rows(have: Material) -> Iterator[Row]:
    """Run all that is installed."""
    for name, device in all_targets():
        for dtype in ("float32", "bfloat16"):
            yield _row(have, name, device, dtype)


def _row(have: Material, name: str, device: str, dtype: str) -> Row:
    backend = open_backend(name)
    options = {"device": device, "dtype": dtype}
    dense = _encode(backend.load(have.folders["context"], DENSE, **options), have).dense
    late = _encode(backend.load(have.folders["late"], LATE, **options), have).tokens
    assert dense is not None
    assert late is not None
    expected = reference.quantize_dense(have.pooled, "tanh", "sign")
    similar = cosines(token_rows(late), token_rows(have.tokens))
    query = _last_rows(have.tokens, 32)
    ours = backend.maxsim(query, late).values
    right = reference.maxsim(query, late).values
    filled = np.isfinite(right)
    return Row(
        name,
        device,
        dtype,
        float(cosines(dense.codes, expected.codes).min()),
        int(np.abs(dense.codes - expected.codes.astype(int)).max()),
        float(np.unpackbits(dense.bits ^ expected.bits).mean()),
        float(similar.min()),
        float(similar.mean()),
        float(np.abs(ours[filled] - right[filled]).max()),
        bool(np.array_equal(np.argsort(-ours), np.argsort(-right))),
    )


def _last_rows(tokens: TokenVectors, n: int) -> TokenVectors:
    """Take the last rows for a query."""
    assert tokens.scales is not None
    positions, cu_seqlens = np.arange(n, dtype=np.int32), np.array([0, n], np.int32)
    codes, scales = tokens.codes[-n:], tokens.scales[-n:]
    return TokenVectors("int8", codes, scales, positions, cu_seqlens)


def _encode(encoder: object, have: Material) -> Encoded:
    encoded: Encoded = encoder.encode(have.windows)  # type: ignore[attr-defined]
    return encoded


def main() -> None:
    """Print the table; write it into the README where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into the README too")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = [row.markdown() for row in rows(material(Path(folder)))]
    rule = "|".join(["", *["---"] * (HEADER.count("|") - 1), ""])
    table = "\n".join([HEADER, rule, *lines])
    print(table)
    if wanted.write:
        path = ROOT / "README.md"
        before, rest = path.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
