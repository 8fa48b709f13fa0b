"""The words of a mail header, in whatever way they were squeezed into ASCII."""

from __future__ import annotations

import binascii
import re
from email.quoprimime import header_decode

from pplx_local.documents.decode import decode_stream, fix
from pplx_local.errors import Unsupported

_WORD = re.compile(
    r"=\?([\w.-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\n]{0,4000})\?="
)
_RUN = re.compile(r"(?:=\?[\w.*-]{1,60}\?[bBqQ]\?[^?\n]{0,4000}\?=)+")
_BETWEEN = re.compile(r"(?<=\?=)\s{1,100}(?==\?)")


def decode_words(value: object) -> str:
    """Decode a header: RFC 2047 words, and bytes that nobody encoded.

    Args:
        value: As the standard library gives it, with bytes beyond ASCII as lone
            surrogates; None gives no words.
    """
    if value is None:
        return ""
    words = str(value)
    if not words.isascii():
        words = _text(words.encode("utf-8", "surrogateescape"), None)
    return fix(" ".join(_RUN.sub(_decoded, _BETWEEN.sub("", words)).split()))


def _decoded(run: re.Match[str]) -> str:
    """Join what neighbours say before it is decoded: a character may lie in both."""
    texts, data, charset = [], b"", ""
    for found in _WORD.finditer(run[0]):
        if found[1].lower() != charset:
            texts.append(_text(data, charset))
            data, charset = b"", found[1].lower()
        data += _bytes(found[2].lower(), found[3])
    return "".join([*texts, _text(data, charset)])


def _bytes(way: str, encoded: str) -> bytes:
    if way == "q":
        return header_decode(encoded).encode("latin-1", "replace")
    try:
        return binascii.a2b_base64(encoded + "===")
    except ValueError:
        return b""


def _text(data: bytes, charset: str | None) -> str:
    try:
        return "".join(decode_stream([data], declared=charset))
    except Unsupported:
        return ""
