"""What cheaper token vectors lose: ways of keeping them, side by side in one index.

A collection is embedded once, with a vector in int8 for each token; the others are made
of those. That is not the same to the bit: what int8 rounds to 0 has lost its sign, one
in two hundred.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from pplx_local.backend.pooling import pool_rows
from pplx_local.errors import ConfigError
from pplx_local.models import Profile, with_full_tokens
from pplx_local.records import Progress, TokenEncoding, TokenVectors
from pplx_local.reference import quantize_tokens, token_rows, unit_rows
from pplx_local.store import Space, Store

_NAME = re.compile(r"(bits|int8)(?:-pooled([2-9]))?")


class TokenRule(NamedTuple):
    """A way of keeping token vectors."""

    name: str
    encoding: TokenEncoding
    pooling: int
    """How many tokens share a vector, about; 1 for none."""


def token_rule(name: str) -> TokenRule:
    """Read a name such as `bits-pooled2`.

    Raises:
        ConfigError: It is not one.
    """
    found = _NAME.fullmatch(name.strip().casefold())
    if not found:
        raise ConfigError(
            f"{name!r} is no way of keeping token vectors. There are bits and int8, each "
            "with -pooled2, -pooled3 and so on behind it, and commas between several."
        )
    encoding, pooling = found.groups(default="1")
    return TokenRule(found[0], cast(TokenEncoding, encoding), int(pooling))


def profile_in_full(profile: Profile) -> Profile:
    """Let a profile keep every token vector in int8.

    Raises:
        ConfigError: It makes none.
    """
    if profile.late is None:
        raise ConfigError(
            "--tokens compares token vectors, and the model in use makes none. Choose "
            "one that does with pplx-local models use, or leave --tokens out."
        )
    return Profile(*(with_full_tokens(one) if one else None for one in profile))


class TokenTrial:
    """Spaces with the same tokens, kept in several ways."""

    def __init__(self, store: Store, rules: Sequence[TokenRule]) -> None:
        """Bind a store whose late space has int8 vectors, one for each token.

        Without rules nothing is made.
        """
        self._store, self._rules = store, rules
        self._n_tokens = self._n_chunks = 0
        self.spaces: dict[str, Space] = {}
        """By the name of the rule."""

    def make(self) -> Iterator[Progress]:
        """Make the vectors of all rules."""
        if not self._rules:
            return
        made = {rule: self._space(rule) for rule in self._rules}
        self.spaces = {rule.name: space for rule, space in made.items()}
        documents = {file.document_id for file in self._store.files(state="indexed")}
        late = self._late()
        for number, document_id in enumerate(sorted(filter(None, documents))):
            yield Progress("read", number, len(documents))
            self._convert(document_id, late, made)

    def drop(self) -> None:
        """Remove them, so that an index that is kept is as it was."""
        for space in self.spaces.values():
            self._store.drop_space(space)

    def result(
        self, metrics: Mapping[str, Mapping[str, float]]
    ) -> list[dict[str, Any]]:
        """Say what each rule takes and loses.

        Args:
            metrics: By leg, and by leg and rule, such as `late bits`.
        """
        whole = self._row("one int8 each", self._late(), metrics, "")
        rows = [
            self._row(name, space, metrics, f" {name}")
            for name, space in self.spaces.items()
        ]
        for row in rows:
            for leg in ("late", "hybrid"):
                if leg in row:
                    row[f"{leg}_loss"] = round(whole[leg] - row[leg], 4)
        return [whole, *rows]

    def _row(
        self,
        name: str,
        space: Space,
        metrics: Mapping[str, Mapping[str, float]],
        suffix: str,
    ) -> dict[str, Any]:
        n_bytes = self._store.space_bytes(space)
        ndcg = {
            leg: metrics[leg + suffix]["ndcg@10"]
            for leg in ("late", "hybrid")
            if leg + suffix in metrics
        }
        return {
            "tokens": name,
            "bytes_per_token": round(n_bytes / max(self._n_tokens, 1), 1),
            "bytes_per_chunk": round(n_bytes / max(self._n_chunks, 1)),
            **ndcg,
        }

    def _late(self) -> Space:
        made = self.spaces.values()
        return next(
            space
            for space in self._store.spaces()
            if space.spec.role == "late" and space not in made
        )

    def _space(self, rule: TokenRule) -> Space:
        spec = self._late().spec
        variant = replace(
            spec,
            checkpoint=f"{spec.checkpoint} in {rule.name}",
            fingerprint=f"{spec.fingerprint} in {rule.name}",
            token_encoding=rule.encoding,
        )
        space = self._store.open_space(variant)
        assert space is not None, "it is made where there is none"
        return space

    def _convert(
        self, document_id: int, late: Space, made: Mapping[TokenRule, Space]
    ) -> None:
        chunk_ids = sorted(self._store.encoded_chunks(late, document_id))
        whole = self._store.token_vectors(late, chunk_ids)
        self._n_tokens += len(whole.codes)
        self._n_chunks += len(chunk_ids)
        with self._store.transaction():
            for rule, space in made.items():
                vectors = converted(whole, rule)
                self._store.write_vectors(space, b"", chunk_ids, vectors)


def converted(tokens: TokenVectors, rule: TokenRule) -> TokenVectors:
    """Keep token vectors by a rule: those in int8 of C chunks, one for each token."""
    rows, positions = unit_rows(token_rows(tokens)), tokens.positions
    cu_seqlens = tokens.cu_seqlens
    if rule.pooling > 1:
        cuts = cu_seqlens[1:-1]
        pooled = [pool_rows(part, rule.pooling) for part in np.split(rows, cuts)]
        rows = np.concatenate([part.rows for part in pooled])
        positions = np.concatenate(
            [
                own[part.members]
                for own, part in zip(np.split(positions, cuts), pooled, strict=True)
            ]
        )
        lengths = [len(part.rows) for part in pooled]
        cu_seqlens = np.cumsum([0, *lengths], dtype=np.int32)
    return quantize_tokens(rows, cu_seqlens, positions, rule.encoding)
