"""Files to text: what a file is, and a child process that reads it block by block."""

from pplx_local.documents.kinds import (
    Family,
    Kind,
    kind_of,
    pipeline_of,
    reader_in,
    type_of,
)
from pplx_local.documents.reader import Reader, Reading
from pplx_local.documents.sandbox import Hold
from pplx_local.documents.source import digest_file
from pplx_local.documents.type_names import type_like, types_named

__all__ = [
    "Family",
    "Hold",
    "Kind",
    "Reader",
    "Reading",
    "digest_file",
    "kind_of",
    "pipeline_of",
    "reader_in",
    "type_like",
    "type_of",
    "types_named",
]
