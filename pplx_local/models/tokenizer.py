"""The tokenizer of a checkpoint, as `pplx_local.window` wants it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pplx_local.errors import ModelError
from pplx_local.records import Span
from pplx_local.window import TextTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def load_tokenizer(model_dir: Path) -> TextTokenizer:
    """Load a tokenizer that adds nothing, cuts nothing and pads nothing.

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
    return _FileTokenizer(tokenizer)


class _FileTokenizer:
    """A `TextTokenizer` read from a tokenizer.json."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def ids(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        encodings = self._tokenizer.encode_batch_fast(
            list(map(_encodable, texts)), add_special_tokens=False
        )
        return [np.array(one.ids, dtype=np.int32) for one in encodings]

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        encodings = self._tokenizer.encode_batch(
            list(map(_encodable, texts)), add_special_tokens=False
        )
        return [[Span(*offsets) for offsets in one.offsets] for one in encodings]


def _encodable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold, one for one: offsets stay."""
    return _SURROGATE.sub("\ufffd", text)
