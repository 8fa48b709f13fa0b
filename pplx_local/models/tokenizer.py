"""The tokenizer of a checkpoint, as `pplx_local.window` wants it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pplx_local.errors import ModelError
from pplx_local.records import Span
from pplx_local.window import TextTokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_MOST_IDS: Final = 2**31
"""What an int32 holds."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def load_tokenizer(model_dir: Path, vocab_size: int | None = None) -> TextTokenizer:
    """Load a tokenizer that adds nothing, cuts nothing and pads nothing.

    Args:
        model_dir: Holds tokenizer.json.
        vocab_size: Rows of the network's embedding; a token beyond them is a ModelError
            when a text has it. None where no network follows.

    Raises:
        ModelError: There is no tokenizer.json, or it cannot be read.
    """
    from tokenizers import Tokenizer  # heavy: only a process that encodes needs it

    path = model_dir / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # the library raises nothing narrower
        raise ModelError(f"{path} is no tokenizer: {error}.") from error
    # Files come with truncation and padding baked in.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    # A "[CLS]" in a text is five characters that somebody wrote.
    tokenizer.encode_special_tokens = True
    return _FileTokenizer(tokenizer, path, vocab_size or _MOST_IDS)


class _FileTokenizer:
    """A `TextTokenizer` read from a tokenizer.json."""

    def __init__(self, tokenizer: Tokenizer, path: Path, vocab_size: int) -> None:
        self._tokenizer = tokenizer
        self._path = path
        self._vocab_size = vocab_size

    def ids(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        encodings = self._encoded(self._tokenizer.encode_batch_fast, texts)
        return [self._known(np.array(one.ids, dtype=np.uint32)) for one in encodings]

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        encodings = self._encoded(self._tokenizer.encode_batch, texts)
        return [[Span(*offsets) for offsets in one.offsets] for one in encodings]

    def _encoded(
        self, encode: Callable[..., list[Encoding]], texts: Sequence[str]
    ) -> list[Encoding]:
        try:
            return encode(list(map(_encodable, texts)), add_special_tokens=False)
        except Exception as error:  # the library raises nothing narrower
            message = f"{self._path} cannot split a text: {error}."
            raise ModelError(message) from error

    def _known(self, ids: NDArray[np.uint32]) -> NDArray[np.int32]:
        """Refuse what the embedding has no row for: one backend ends, one makes it up."""
        highest = ids.max(initial=0)
        if highest >= self._vocab_size:
            raise ModelError(
                f"{self._path} gives the token {highest:,}, and the network beside it "
                f"knows {self._vocab_size:,}: it is another model's. Take the published "
                "one: pplx-local models list"
            )
        return ids.astype(np.int32)


def _encodable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold, one for one: offsets stay."""
    return _SURROGATE.sub("\ufffd", text)
