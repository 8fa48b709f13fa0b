"""The one module that speaks to a network: the Hugging Face hub, when a person asked.

The client library is imported when it is needed and not before: nothing else may be able
to fetch anything. Its own download keeps no part of a file that was interrupted (2.4), so
files are fetched by its `http_get`, which goes on where one ends. No account's token and
no telemetry are sent.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from pplx_local import __version__
from pplx_local.delivery.place import keep
from pplx_local.errors import ModelError

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

OnBytes = Callable[[int], None]
"""Told how many more bytes there are."""

_OFFLINE: Final = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_YES: Final = {"1", "on", "yes", "true"}
_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository at one commit."""

    path: str
    size: int
    """Bytes."""
    sha256: str | None
    """Of a large file; None for one that git keeps itself."""
    git_id: str | None
    """What git calls the file: sha1 over a header and its content."""

    def is_same(self, path: Path, sha256: str) -> bool:
        """Tell whether a local file, of this digest, is this one."""
        if self.sha256:
            return sha256 == self.sha256
        return self.git_id in {None, _git_id(path)}


def _git_id(path: Path) -> str:
    content = path.read_bytes()
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit."""

    revision: str
    license: str | None
    """As the repository states it."""
    files: tuple[RemoteFile, ...]


class Hub:
    """A connection to the hub that `HF_ENDPOINT` names, huggingface.co without it."""

    def __init__(self) -> None:
        """Import the client.

        Raises:
            ModelError: The environment forbids the network.
        """
        forbidding = [n for n in _OFFLINE if os.environ.get(n, "").lower() in _YES]
        if forbidding:
            raise ModelError(
                f"{forbidding[0]} is set, which forbids the network. To fetch a model, "
                f"run it again without: env -u {' -u '.join(forbidding)} pplx-local ..."
            )
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        from huggingface_hub import constants

        # What it would warn of is said by us.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        self.endpoint: str = constants.ENDPOINT

    def listing(self, repository: str, revision: str | None) -> Listing:
        """Ask which files a repository holds; its newest commit without a revision.

        Raises:
            ModelError: It cannot be reached, or is not there.
        """
        from huggingface_hub import HfApi

        api = HfApi(endpoint=self.endpoint, token=False)
        with self._in_words(repository, revision):
            try:
                found = api.model_info(
                    repository,
                    revision=revision,
                    files_metadata=True,
                    timeout=_TIMEOUT_S,
                )
                return _listing(found, revision)
            except (ValueError, KeyError, TypeError) as error:
                raise ModelError(
                    f"{self.endpoint} does not answer as a Hugging Face hub does: "
                    f"{error!r}. Look at HF_ENDPOINT, and at what stands between it and "
                    "this computer."
                ) from error

    def download(
        self, source: tuple[str, str], file: RemoteFile, to: Path, on_bytes: OnBytes
    ) -> None:
        """Fetch a file, or what is missing of it.

        Args:
            source: Repository and commit.
            file: One of its listing.
            to: Where it goes; what lies there is its beginning.
            on_bytes: Told of what lies there, and of each piece that comes.

        Raises:
            ModelError: It cannot be had.
            OSError: It cannot be written.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get

        repository, revision = source
        url = hf_hub_url(
            repository, file.path, revision=revision, endpoint=self.endpoint
        )
        with to.open("ab") as target, self._in_words(repository, revision):
            if target.tell() > file.size:  # of another commit
                target.seek(0)
                target.truncate()
            if target.tell() == file.size:
                on_bytes(file.size)
                return
            http_get(
                url,
                target,
                resume_size=target.tell(),
                headers=_headers(),
                expected_size=file.size,
                tqdm_class=_reporting(on_bytes),
            )
            keep(target)

    @contextmanager
    def _in_words(self, repository: str, revision: str | None) -> Iterator[None]:
        """Say what the client's errors mean."""
        import httpx2
        from huggingface_hub import errors

        where = f"{repository} at {self.endpoint}"
        try:
            yield
        except errors.RevisionNotFoundError as error:
            raise ModelError(f"There is no revision {revision} of {where}.") from error
        except errors.HfHubHTTPError as error:
            raise ModelError(_refused(error.response.status_code, where)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ModelError(
                f"Cannot reach {self.endpoint}: {error or type(error).__name__}. Is this "
                "computer online? What was fetched is kept; run the same command again "
                "to go on. Without a network: pplx-local models import DIR"
            ) from error
        except OSError as error:
            if error.errno is not None:  # of the disk
                raise
            raise ModelError(
                f"A file of {where} ended at another size than was promised. "
                "Run the same command again."
            ) from error


def _headers() -> dict[str, str]:
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    headers = build_hf_headers(
        token=False, library_name="pplx-local", library_version=__version__
    )
    # Compressed, a file could not be gone on with.
    return {**headers, "Accept-Encoding": "identity"}


def _listing(found: ModelInfo, revision: str | None) -> Listing:
    license = getattr(found.card_data, "license", None)
    files = tuple(map(_remote_file, found.siblings or ()))
    return Listing(str(revision or found.sha), license, files)


def _remote_file(found: RepoSibling) -> RemoteFile:
    sha256 = found.lfs.sha256 if found.lfs else None
    return RemoteFile(found.rfilename, int(found.size or 0), sha256, found.blob_id)


def _refused(status: int, where: str) -> str:
    by_hand = "Fetch it by other means and run: pplx-local models import DIR"
    if status in {401, 403, 404}:
        return f"{where} is not there, or not for everybody (HTTP {status}). {by_hand}"
    return (
        f"{where} cannot be had now (HTTP {status}). What was fetched is kept; run the "
        "same command again later to go on."
    )


def _reporting(on_bytes: OnBytes) -> type[Any]:
    """Make what the client takes for a progress bar."""

    class Reporter:
        def __init__(self, *, initial: int = 0, **_: object) -> None:
            on_bytes(initial)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def update(self, n: int) -> None:
            on_bytes(n)

    return Reporter
