"""What a file is by its name: its kind in a person's words and the reader it gets."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal, NamedTuple

from pplx_local.chunk import CHUNKER_VERSION
from pplx_local.documents.recognizers import recognizer

Family = Literal[
    "text",
    "markdown",
    "html",
    "xml",
    "code",
    "pdf",
    "spreadsheet",
    "delimited",
    "json",
    "notebook",
    "cards",
    "word",
    "slides",
    "rtf",
    "mail",
    "mailbox",
    "markup",
    "latex",
    "bibtex",
    "subtitles",
    "opendocument",
    "book",
    "longtail",
    "fictionbook",
    "apple",
    "unsupported",
]

PARSER_VERSIONS = MappingProxyType(
    {
        "text": 3,
        "markdown": 3,
        "html": 3,
        "xml": 1,
        "code": 2,
        "pdf": 4,
        "spreadsheet": 2,
        "delimited": 1,
        "json": 1,
        "notebook": 1,
        "cards": 1,
        "longtail": 1,
        "word": 1,
        "slides": 1,
        "rtf": 1,
        "mail": 1,
        "mailbox": 1,
        "markup": 1,
        "latex": 1,
        "bibtex": 1,
        "subtitles": 1,
        "opendocument": 1,
        "book": 1,
        "fictionbook": 1,
        "apple": 1,
    }
)
"""Raised when a reader gives another text, other segments or chunk borders, or finds
out more about a document."""


class Kind(NamedTuple):
    """What a file's name says of it."""

    label: str
    """In a person's words: "Markdown", "Python", "image"."""
    family: Family
    reason: str | None = None
    """Why no reader takes it; None unless `unsupported`."""
    picture_s: float = 0.0
    """What recognising the text of a picture may take; 0 where they stay unread."""


_MARKDOWN = "md markdown mdown mkd mdx qmd rmd"
_HTML = "html htm xhtml xht"
_TEXT = {
    "plain text": "txt text asc nfo me 1st",
    "log": "log",
    "YAML": "yaml yml",
    "TOML": "toml",
    "XML": "xsd xsl xslt opml plist",
    "settings": "ini cfg conf properties editorconfig desktop service",
    "patch": "diff patch",
}
_CODE = {
    "Python": "py pyi pyw",
    "JavaScript": "js mjs cjs jsx",
    "TypeScript": "ts mts cts tsx",
    "Go": "go",
    "Rust": "rs",
    "C": "c h",
    "C++": "cc cpp cxx hh hpp hxx ipp",
    "Objective-C": "m mm",
    "C#": "cs",
    "Java": "java",
    "Kotlin": "kt kts",
    "Scala": "scala sc",
    "Swift": "swift",
    "Ruby": "rb rake",
    "PHP": "php",
    "Perl": "pl pm",
    "Lua": "lua",
    "R": "r",
    "Julia": "jl",
    "Haskell": "hs",
    "OCaml": "ml mli",
    "Elixir": "ex exs",
    "Erlang": "erl hrl",
    "Clojure": "clj cljs cljc",
    "Lisp": "el lisp scm",
    "shell": "sh bash zsh fish ksh",
    "PowerShell": "ps1 psm1",
    "SQL": "sql",
    "CSS": "css scss sass less",
    "Vue": "vue",
    "Svelte": "svelte",
    "Dart": "dart",
    "Zig": "zig",
    "Nix": "nix",
    "Terraform": "tf hcl",
    "Protocol Buffers": "proto",
    "GraphQL": "graphql gql",
    "CMake": "cmake",
    "assembly": "s asm",
}
_DOCUMENTS_NOT_READ_YET = {
    "word processing": "wps wpd",
    "book": "mobi azw azw3 djvu",
    "mail": "pst",
    "notebook": "one",
    "drawing": "vsdx vsd odg drawio",
    "print file": "ps eps xps",
}
_DOCUMENTS: dict[Family, dict[str, str]] = {
    "spreadsheet": {"spreadsheet": "xlsx xlsm xlsb xltx xltm xls xlt ods ots"},
    "xml": {"XML": "xml rss atom tei dbk dita tmx xlf xliff"},
    "delimited": {"CSV": "csv", "TSV": "tsv tab"},
    "json": {"JSON": "json jsonl ndjson geojson json5"},
    "notebook": {"notebook": "ipynb"},
    "cards": {"calendar": "ics", "contacts": "vcf"},
    "word": {"word processing": "docx docm dotx dotm"},
    "slides": {"slides": "pptx pptm potx potm ppsx ppsm"},
    "rtf": {"word processing": "rtf"},
    "mail": {"mail": "eml emlx", "HTML": "mht mhtml"},
    "mailbox": {"mail": "mbox mbx"},
    "markup": {
        "reStructuredText": "rst rest",
        "AsciiDoc": "adoc asciidoc",
        "Org": "org",
    },
    "latex": {"LaTeX": "tex latex ltx sty cls"},
    "bibtex": {"BibTeX": "bib"},
    "subtitles": {"subtitles": "srt vtt sub sbv ass ssa"},
    "opendocument": {"word processing": "odt ott fodt", "slides": "odp otp fodp"},
    "book": {"book": "epub"},
    "fictionbook": {"book": "fb2"},
    "apple": {"word processing": "pages", "slides": "key", "spreadsheet": "numbers"},
}
_LONG_TAIL = {
    "word processing": "doc dot",
    "slides": "ppt pps pot",
    "mail": "msg",
}
_LONG_TAIL_READER = "xberg"
_LONG_TAIL_REASON = "needs an extra: pip install 'pplx-local[longtail]'"
_NO_TEXT = {
    "image": "png jpg jpeg gif bmp tif tiff webp heic heif avif ico svg psd raw cr2"
    " nef arw dng xcf ai",
    "sound": "mp3 m4a wav flac ogg oga opus aac wma aiff mid midi",
    "video": "mp4 m4v mov avi mkv webm wmv flv mpg mpeg 3gp",
    "archive": "zip tar gz tgz bz2 tbz xz txz zst 7z rar lz lz4 jar war cab ar deb rpm"
    " dmg iso img vhd vmdk qcow2 whl egg",
    "program": "exe dll so dylib a o obj lib bin msi apk ipa class pyc pyo pyd wasm"
    " elc node sys",
    "font": "ttf otf ttc woff woff2 eot pfb",
    "database": "db sqlite sqlite3 db3 mdb accdb dbf frm ibd realm",
    "data": "npy npz pt pth onnx safetensors gguf ckpt h5 hdf5 parquet feather arrow"
    " pkl pickle joblib mat rds rdata pcap blend stl glb",
}
_NAMES = {
    "makefile": Kind("Makefile", "code"),
    "dockerfile": Kind("Dockerfile", "code"),
    "cmakelists.txt": Kind("CMake", "code"),
    "readme": Kind("plain text", "text"),
    "license": Kind("plain text", "text"),
    # What mail programs call a folder of messages; other files of these names stay
    # what they are: a text without a head.
    **dict.fromkeys(("mbox", "inbox", "sent", "drafts"), Kind("mail", "mailbox")),
}


def _table() -> dict[str, Kind]:
    table: dict[str, Kind] = {}
    for label, extensions in _TEXT.items():
        table |= dict.fromkeys(extensions.split(), Kind(label, "text"))
    for label, extensions in _CODE.items():
        table |= dict.fromkeys(extensions.split(), Kind(label, "code"))
    for label, extensions in _DOCUMENTS_NOT_READ_YET.items():
        for extension in extensions.split():
            reason = f"no reader for .{extension} files yet"
            table[extension] = Kind(label, "unsupported", reason)
    can_read = find_spec(_LONG_TAIL_READER) is not None
    for label, extensions in _LONG_TAIL.items():
        old = Kind(label, "longtail")
        needy = Kind(label, "unsupported", _LONG_TAIL_REASON)
        table |= dict.fromkeys(extensions.split(), old if can_read else needy)
    for label, extensions in _NO_TEXT.items():
        reason = f"{label}, which holds no text to read"
        table |= dict.fromkeys(extensions.split(), Kind(label, "unsupported", reason))
    table |= dict.fromkeys(_MARKDOWN.split(), Kind("Markdown", "markdown"))
    table |= dict.fromkeys(_HTML.split(), Kind("HTML", "html"))
    for family, kinds in _DOCUMENTS.items():
        for label, extensions in kinds.items():
            table |= dict.fromkeys(extensions.split(), Kind(label, family))
    return table | {"pdf": Kind("PDF", "pdf")}


_READ_BY_LABEL = frozenset({"code", "delimited", "longtail", "markup"})
"""Families whose readers look for other things in each kind of file."""

_BY_EXTENSION = _table()
_OTHER = Kind("other", "text")


def kind_of(path: bytes) -> Kind:
    """Say what a file is, by its name alone.

    A name that tells nothing is of the family "text": its reader looks at the bytes
    and refuses those that are no text.
    """
    type_ = type_of(path)
    return _NAMES.get(type_) or _BY_EXTENSION.get(type_, _OTHER)


def type_of(path: bytes) -> str:
    """Give what a file's kind is decided by: its extension, or all of a telling name.

    Empty for a name without either.
    """
    name = path.rsplit(b"/", 1)[-1].decode("utf-8", "replace").lower()
    return name if name in _NAMES else name.rpartition(".")[2] if "." in name else ""


def known_types() -> Iterator[tuple[str, Kind]]:
    """Give everything that `type_of` gives and that tells the kind."""
    yield from _BY_EXTENSION.items()
    yield from _NAMES.items()


def pipeline_of(path: bytes, *, ocr: bool = False) -> str:
    """Name everything that decides which document the bytes of a file become.

    Equal bytes and equal pipelines give equal documents.

    Args:
        path: Of the file.
        ocr: Whether pages that are pictures are read, where this computer can.
    """
    kind = kind_of(path)
    if kind.family == "unsupported":
        return f"unsupported:{kind.reason}"
    language = f".{kind.label}" if kind.family in _READ_BY_LABEL else ""
    pictures = ".ocr" if ocr and kind.family == "pdf" and recognizer() else ""
    version = PARSER_VERSIONS[kind.family]
    return f"{kind.family}{language}{pictures}:{version}+chunk:{CHUNKER_VERSION}"


def reader_in(pipeline: str) -> str:
    """Give the part of a pipeline that is the same in all versions of the program."""
    return pipeline.partition(":")[0]
