r"""Bytes to text: find the encoding, decode piece by piece, fix the text once.

The order is: byte order mark, UTF-8, UTF-16 and UTF-32 without a mark, binary, a
declared charset, charset-normalizer, and cp1252 at last. From here on a text has only
"\n" as line end, no NUL and no lone surrogate, and its offsets never move.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain

import charset_normalizer

from pplx_local.errors import Unsupported

HEAD_BYTES = 1 << 20
"""What the encoding is decided on."""

_SAMPLE_BYTES = 8_192
_BEFORE_BYTES = 1_000
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = tuple(
    (re.compile(beginning, re.DOTALL), what)
    for beginning, what in (
        (rb"\x89PNG\r\n", "PNG image"),
        (rb"\xff\xd8\xff", "JPEG image"),
        (rb"GIF8[79]a(?=.{7})(?![\t\n\r -~]{7})", "GIF image"),
        (rb"\x7fELF|MZ\x90|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe", "program"),
        (rb"\x1f\x8b\x08", "gzip archive"),
        (rb"PK\x03\x04", "ZIP archive"),
        (rb"BZh[1-9]1AY&SY", "bzip2 archive"),
        (rb"\xfd7zXZ", "xz archive"),
        (rb"\x28\xb5\x2f\xfd", "zstd archive"),
        (rb"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
        (rb"SQLite format 3\0", "SQLite database"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1", "old Office document"),
        (rb"%PDF-\d\.\d[ \t]*[\r\n]", "PDF document"),
        (rb"ID3[\x00-\x08]", "sound"),
        (rb"OggS\0", "sound"),
    )
)
"""How they begin. A note may well begin with "GIF89a" or "ID3 tags": of what is printable,
as much is asked for as no note begins with."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b")) + b"\x7f"
_MAX_CONTROL_SHARE = 0.2
_ISO_2022_JP = (b"\x1b$B", b"\x1b$@")
_LEGACY_ENCODINGS = (
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874 koi8_r cp866"
    " cp932 euc_jp cp949 big5 gb18030 mac_roman cp850"
)
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""What is meant by the names of charsets in files that go beyond them."""

_SEVEN_BITS = ("utf-7", "hz", "iso2022")
_WESTERN_ENCODINGS = ("cp1252", "mac_roman", "cp850")
_LATIN_ENCODINGS = frozenset({"cp1250", "cp1252", "cp1254", "cp1257", "cp1258"})
_TORN = re.compile(
    "(?<=[a-zA-Z])[^\\w\\s!-/:-@\u2018\u2019\u2026-](?=[a-z])|(?<=[a-z])[\u00c0-\u00de\u0160\u017d]"
)
"""A sign inside of a word, or a capital letter behind a small one."""
_EAST_ASIAN_RUN = re.compile(
    "[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff01-\uff5e]{3,}"
)
_NOT_ASCII = re.compile("[^\0-\x7f]")
_FALLBACK_HANDLER = "pplx_local.cp1252"


def decode_stream(
    pieces: Iterable[bytes], *, declared: str | None = None
) -> Iterator[str]:
    """Decode a file's bytes as they come, in bounded memory.

    Args:
        pieces: The bytes, in order.
        declared: The charset that the file names; believed where nothing speaks
            against it.

    Yields:
        The text with its line ends and NUL characters fixed. Bytes that make no
        character become those of cp1252, or U+FFFD.

    Raises:
        Unsupported: The bytes are no text.
    """
    pieces = iter(pieces)
    head = _take(pieces, HEAD_BYTES)
    encoding, errors = find_encoding(head, declared=declared)
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors), translate=True
    )
    for piece in chain((head,), pieces):
        yield _storable(decoder.decode(piece))
    yield _storable(decoder.decode(b"", final=True))


def _take(pieces: Iterator[bytes], n_bytes: int) -> bytes:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= n_bytes:
            break
    return head


def fix(text: str) -> str:
    """Fix a text that comes decoded out of a document, as `decode_stream` does."""
    return _storable(text.replace("\r\n", "\n").replace("\r", "\n"))


def _storable(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def find_encoding(head: bytes, *, declared: str | None = None) -> tuple[str, str]:
    """Choose a codec and its error handler from the first bytes of a file.

    Raises:
        Unsupported: The bytes are no text.
    """
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding, "replace"
    for beginning, what in _BINARY:
        if beginning.match(head):
            raise Unsupported(f"binary file ({what})")
    declared = _codec(declared)
    if declared and declared.startswith(_SEVEN_BITS) and head.isascii():
        return declared, "replace"
    if any(escape in head for escape in _ISO_2022_JP) and _decodes(
        head, "iso2022_jp", 8
    ):
        return "iso2022_jp", "replace"
    if b"\0" in head and (wide := _wide_encoding(head)):
        return wide, "replace"
    n_controls = len(head) - len(head.translate(None, _CONTROLS))
    if n_controls > _MAX_CONTROL_SHARE * len(head):
        raise Unsupported("binary file")
    if _is_mostly_utf8(head):
        return "utf-8", _FALLBACK_HANDLER
    if b"\0" in head or n_controls > 0.02 * len(head):
        raise Unsupported("binary file")
    return _legacy_encoding(head, declared), "replace"


def _is_mostly_utf8(head: bytes) -> bool:
    """Allow for a few wrong bytes, which a log or a joined file may have."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(head)
    except UnicodeDecodeError:
        text = head.decode("utf-8", "surrogateescape")
        wrong = len(re.findall("[\udc80-\udcff]", text))
        right = len(re.findall("[^\x00-\x7f\udc80-\udcff]", text))
        return right >= wrong
    is_cut = bool(decoder.getstate()[0])
    return not is_cut or not text.isascii() or len(head) >= HEAD_BYTES


def _wide_encoding(head: bytes) -> str | None:
    """Recognise UTF-16 and UTF-32 without a mark by where their zeros lie."""
    head = head[: len(head) // 4 * 4] if len(head) >= HEAD_BYTES else head
    zeros = [head[lane::4].count(0) for lane in range(4)]
    units = max(len(head) // 4, 1)
    if min(zeros[2], zeros[3]) > 0.9 * units > zeros[0]:
        return "utf-32-le" if _decodes(head, "utf-32-le") else None
    if min(zeros[0], zeros[1]) > 0.9 * units > zeros[3]:
        return "utf-32-be" if _decodes(head, "utf-32-be") else None
    few, many = sorted((zeros[0] + zeros[2], zeros[1] + zeros[3]))
    encoding = "utf-16-le" if many == zeros[1] + zeros[3] else "utf-16-be"
    # A text in UTF-8 may have a stray NUL; one in UTF-16 that could be UTF-8 as well
    # is all ASCII, and half of it is NULs.
    enough = (0.6 if _decodes(head, "utf-8") else 0.04) * units
    clear = few <= 0.05 * many and many > enough
    return encoding if clear and _reads_well(head, encoding) else None


def _reads_well(head: bytes, encoding: str) -> bool:
    """Ask that next to nothing in it is a control, private or wrong character."""
    text = head.decode(encoding, "replace")
    odd = re.findall("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd]", text)
    return len(odd) <= 0.02 * len(text)


def _decodes(head: bytes, encoding: str, cut_bytes: int = 0) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError as error:
        return 0 < len(head) - error.start < cut_bytes
    return True


def _legacy_encoding(head: bytes, declared: str | None) -> str:
    if declared and _decodes(head, declared, 4):
        return declared
    sample = _telling_sample(head)
    matches = charset_normalizer.from_bytes(
        sample, cp_isolation=_LEGACY_ENCODINGS.split()
    )
    best = matches.best()
    if best is None:
        return "cp1252"
    if _is_east_asian(sample, best.encoding):
        return best.encoding
    for match in matches:
        if match.encoding == "cp1252" and _is_as_good(match, best):
            return _latin_encoding(sample, "cp1252")
    if best.encoding in _LATIN_ENCODINGS:
        return _latin_encoding(sample, best.encoding)
    return best.encoding


def _is_east_asian(sample: bytes, encoding: str) -> bool:
    """Believe in what reads as runs of characters: chance makes them one by one."""
    text = sample.decode(encoding, "replace")
    n_run = sum(map(len, _EAST_ASIAN_RUN.findall(text)))
    return n_run > 0.8 * len(_NOT_ASCII.findall(text))


def _latin_encoding(sample: bytes, likely: str) -> str:
    """Choose the one that tears the fewest words; the likely one if it is as good."""

    def n_torn(encoding: str) -> int:
        return len(_TORN.findall(sample.decode(encoding, "replace")))

    return min((likely, *_WESTERN_ENCODINGS), key=n_torn)


def _is_as_good(
    match: charset_normalizer.CharsetMatch, best: charset_normalizer.CharsetMatch
) -> bool:
    """Break ties, and what comes close: short texts in Western languages always do."""
    return match.chaos <= best.chaos + 0.15 and match.coherence >= best.coherence - 0.15


def _codec(charset: str | None) -> str | None:
    """Find the codec that is meant by the name of a charset."""
    try:
        codec = codecs.lookup(charset or "")
    except (LookupError, ValueError):
        return None
    name = _SUPERSETS.get(codec.name, codec.name)
    return name if codec._is_text_encoding else None


def _telling_sample(head: bytes) -> bytes:
    """Take the lines that have more than ASCII: only they tell encodings apart."""
    sample = b""
    for line in head.split(b"\n"):
        if found := _BEYOND_ASCII.search(line):
            start = max(found.start() - _BEFORE_BYTES, 0)
            sample += line[start : start + _SAMPLE_BYTES] + b"\n"
        if len(sample) >= _SAMPLE_BYTES:
            break
    return sample


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read the wrong bytes of a UTF-8 text as the encoding that most come from."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    if error.reason == "unexpected end of data":
        return "\ufffd", error.end
    return wrong.decode("cp1252", "replace"), error.end


codecs.register_error(_FALLBACK_HANDLER, _as_cp1252)
