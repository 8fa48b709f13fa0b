"""A Hugging Face hub on this machine: its listing, and files with redirects and ranges."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

LARGE = ".safetensors"
"""What the hub keeps apart from git, so that it knows its sha256."""
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


class Request(NamedTuple):
    """What a client asked for."""

    path: str
    range: str | None
    headers: dict[str, str]


@dataclass
class Hub:
    """One repository at one commit, and what goes wrong with it."""

    files: dict[str, bytes]
    repository: str = "somebody/tiny"
    revision: str = "5" * 40
    served: dict[str, bytes] = field(default_factory=dict)
    """Content that comes in place of what the listing promises."""
    claimed: dict[str, int] = field(default_factory=dict)
    """Sizes in the listing that are not the true ones."""
    status: int | None = None
    """An error that answers everything."""
    page: bytes | None = None
    """What answers everything, as a captive portal does."""
    stalls_after: int | None = None
    """Large files hang here until `go_on` is set."""
    breaks_after: int | None = None
    """The first large file is cut off here, once."""
    go_on: threading.Event = field(default_factory=threading.Event)
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def ranges(self) -> list[str]:
        """Ranges that were asked for."""
        return [request.range for request in self.requests if request.range]

    def listing(self) -> dict[str, Any]:
        """The answer of /api/models with blobs."""
        siblings = [self._sibling(*item) for item in self.files.items()]
        return {
            "id": self.repository,
            "sha": self.revision,
            "cardData": {"license": "mit"},
            "siblings": siblings,
        }

    def _sibling(self, name: str, content: bytes) -> dict[str, Any]:
        size = self.claimed.get(name, len(content))
        header = f"blob {len(content)}\0".encode()
        sibling: dict[str, Any] = {
            "rfilename": name,
            "size": size,
            "blobId": hashlib.sha1(header + content).hexdigest(),
        }
        if name.endswith(LARGE):
            digest = hashlib.sha256(content).hexdigest()
            sibling["lfs"] = {"sha256": digest, "size": size, "pointerSize": 134}
        return sibling


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        hub, path = self.hub, urlsplit(self.path).path
        hub.requests.append(
            Request(self.path, self.headers["Range"], dict(self.headers.items()))
        )
        if hub.status is not None:
            self._answer(hub.status, b"{}")
        elif hub.page is not None:
            self._answer(200, hub.page)
        elif path in {
            f"/api/models/{hub.repository}",
            f"/api/models/{hub.repository}/revision/{hub.revision}",
        }:
            self._answer(200, json.dumps(hub.listing()).encode())
        elif path.startswith(f"/api/models/{hub.repository}/revision/"):
            self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith(f"/{hub.repository}/resolve/{hub.revision}/"):
            self._resolve(path.split(f"/resolve/{hub.revision}/")[1])
        elif path.startswith("/storage/"):
            self._send(path.removeprefix("/storage/"))
        else:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _resolve(self, name: str) -> None:
        if name not in self.hub.files:
            self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        elif name.endswith(LARGE):
            self._answer(302, b"", {"Location": f"{self.hub.url}/storage/{name}"})
        else:
            self._send(name)

    def _send(self, name: str) -> None:
        content = self.hub.served.get(name, self.hub.files[name])
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        first = int(asked[1]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - first))
        if asked:
            end = len(content)
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{end}")
        self.end_headers()
        self._write(content[first:], large=name.endswith(LARGE))

    def _write(self, content: bytes, *, large: bool) -> None:
        hub = self.hub
        if large and hub.breaks_after is not None:
            cut, hub.breaks_after = hub.breaks_after, None
            self.wfile.write(content[:cut])
            self.close_connection = True
            return
        if large and hub.stalls_after is not None:
            self.wfile.write(content[: hub.stalls_after])
            hub.go_on.wait(60)
            self.close_connection = True
            return
        self.wfile.write(content)

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing on stderr."""


class Server:
    """Serves a hub on a port of its own."""

    def __init__(self, hub: Hub) -> None:
        handler = type("Handler", (_Handler,), {"hub": hub})
        self._hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # A client that was killed is nothing to report.
        self._server.handle_error = lambda *args: None  # type: ignore[method-assign]
        hub.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Hub:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._hub

    def __exit__(self, *error: object) -> None:
        self._hub.go_on.set()
        self._server.shutdown()
        self._server.server_close()


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of a folder by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def require_loopback() -> None:
    """Make 127.0.0.1 work, or skip: in a new network namespace it is down at first."""
    if _answers():
        return
    try:
        _raise_loopback()
    except OSError as error:
        pytest.skip(f"127.0.0.1 cannot be reached here: {error}")
    if not _answers():
        pytest.skip("127.0.0.1 cannot be reached here")


def _answers() -> bool:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError:
        return False
    return True


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
        (flags,) = struct.unpack("16xh22x", answer)
        request = struct.pack("16sh22x", b"lo", flags | _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
