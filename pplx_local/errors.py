"""Everything that can go wrong, as one tree.

    PplxLocalError
    +-- ConfigError            settings that cannot be read or understood
    +-- FolderError            a path that cannot be added, updated or removed
    +-- DocumentError          a file that yields no document; carries its state
    |   +-- EmptyDocument      nothing but white space
    |   +-- NoText             pages without a text layer
    |   +-- Unsupported        no reader for it, by rule
    |   +-- Unreadable         the parser or the file system refused
    |       +-- ReaderKilled   the parser's process did not survive it
    +-- StoreError             the database
    |   +-- StoreBusy          another process is the writer
    |   +-- StoreDamaged       truncated, corrupt, not ours
    |   +-- StoreFull          no room on the disk
    |   +-- SchemaTooNew       written by a newer program
    |   +-- FingerprintMismatch  built by another checkpoint or rule
    +-- DaemonError            the background indexer: not to be started, reached or trusted
    |   +-- DaemonEnded        it went away in the middle of a call
    +-- OpenError              a file that is gone, or that nothing here can show
    +-- ModelError             a checkpoint that is missing or not what it should be
    +-- BackendUnavailable     an array framework that is not installed
    +-- EncoderCrashed         the worker ended more often than a retry can mend

Every message says what happened, to which file, and what to do: it is shown to the
person as it stands. Errors of other libraries are translated at four seams (documents,
store, backends, models) and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    # Completion and --help import the errors and should not pay for numpy.
    from pplx_local.records import State


class PplxLocalError(Exception):
    """The root of the tree: a message that a person can act on."""


class ConfigError(PplxLocalError):
    """Settings that cannot be read or understood."""


class FolderError(PplxLocalError):
    """A path that cannot be added, updated or removed."""


class DocumentError(PplxLocalError):
    """A file that yields no document. `str(error)` is the reason kept with the file."""

    state: ClassVar[State] = "failed"
    retry: bool = False
    """Whether an unchanged file is worth another try at the next update."""


class EmptyDocument(DocumentError):
    """Nothing but white space."""

    state = "empty"


class NoText(DocumentError):
    """A document whose pages hold no text, such as a scan."""

    state = "no_text"


class Unsupported(DocumentError):
    """A file that no reader takes, by rule: binary, or a format not read yet."""

    state = "skipped"


class Unreadable(DocumentError):
    """A file that its parser or the file system refused."""

    def __init__(self, reason: str, *, retry: bool = False) -> None:
        super().__init__(reason)
        self.retry = retry


class ReaderKilled(Unreadable):
    """A file whose parser crashed, or had to be ended: it may be the machine's fault."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, retry=True)


class StoreError(PplxLocalError):
    """Something about the database."""


class StoreBusy(StoreError):
    """Another process is the writer."""


class StoreDamaged(StoreError):
    """The file is truncated, corrupt, or no database of ours."""


class StoreFull(StoreError):
    """No room on the disk; nothing of the last transaction was kept."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version of the program."""


class FingerprintMismatch(StoreError):
    """Vectors in the database were made by another checkpoint or rule."""


class DaemonError(PplxLocalError):
    """The background indexer cannot be started, reached, or trusted."""


class DaemonEnded(DaemonError):
    """The daemon went away in the middle of a call; another one can be asked again."""

    def __init__(
        self,
        message: str = "The daemon ended. What was done is kept; run the same command "
        "again.",
    ) -> None:
        super().__init__(message)


class OpenError(PplxLocalError):
    """A file that is gone, or that nothing here can show."""


class ModelError(PplxLocalError):
    """A checkpoint that is missing, damaged, or not what its name says."""


class BackendUnavailable(PplxLocalError):
    """The array framework of a backend is not installed, or its device not here."""


class EncoderCrashed(PplxLocalError):
    """The encoder worker ended again and again on the same work."""
