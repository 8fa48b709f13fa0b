"""A process that locks itself in as the reader's child does, and then tries to get out.

Prints as JSON what holds it, and for each thing that it tried why it was refused: the
error's number, 0 where nothing hindered it. Run it with a JSON object:

    folder      a folder of a person, with `private.txt` in it
    without     walls that are not put up: "landlock", "seccomp"
    programs    what may be run
    load        whether to load the readers of all formats, which takes long
    tcp, udp    ports that somebody listens on
    unix        the path of such a socket
    abstract    the name of such a socket
    victim      the number of a process that may be harmed
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pplx_local.documents import formats, sandbox
from pplx_local.documents.sandbox import landlock, seccomp

_PTRACE_ATTACH = 16
_EXTRAS = ("xberg",)
"""Not everyone has them."""


def main(given: dict[str, Any]) -> None:
    folder = Path(given["folder"])
    private = folder / "private.txt"
    file = os.open(private, os.O_RDONLY)
    ours, theirs = socket.socketpair()
    if "landlock" in given["without"]:
        landlock.version = lambda: 0
    if "seccomp" in given["without"]:
        seccomp.restrict = lambda needs: False
    hold = sandbox.lock_in(given["programs"])
    victim = given["victim"]
    attempts: dict[str, Callable[[], object]] = {
        "read a file": private.read_bytes,
        "list a folder": lambda: list(folder.iterdir()),
        "read a file through its descriptor": lambda: Path(
            f"/proc/self/fd/{file}"
        ).read_bytes(),
        "read of another process": Path(f"/proc/{victim}/environ").read_bytes,
        "write a file": lambda: private.write_bytes(b"x"),
        "make a file": lambda: (folder / "new.txt").write_bytes(b"x"),
        "make an empty file": (folder / "empty.txt").touch,
        "make a folder": (folder / "new").mkdir,
        "remove a file": (folder / "spare.txt").unlink,
        "rename a file": lambda: private.rename(folder / "other.txt"),
        "link a file": lambda: os.link(private, folder / "other.txt"),
        "make a link": lambda: (folder / "link").symlink_to(private),
        "shorten a file": lambda: os.truncate(private, 0),
        "change rights": lambda: private.chmod(0o777),
        "change rights of the open file": lambda: os.fchmod(file, 0o777),
        "change dates of the open file": lambda: os.utime(file, (0, 0)),
        "connect by TCP": lambda: _connect(socket.AF_INET, given["tcp"]),
        "listen to TCP": _listen,
        "send by UDP": lambda: _send(given["udp"]),
        "make sockets for datagrams": lambda: socket.socketpair(type=socket.SOCK_DGRAM),
        "connect to a unix socket": lambda: _connect(socket.AF_UNIX, given["unix"]),
        "connect to an abstract socket": lambda: _connect(
            socket.AF_UNIX, "\0" + given["abstract"]
        ),
        "trace another process": lambda: _call(101, _PTRACE_ATTACH, victim),
        "signal another process": lambda: os.kill(victim, signal.SIGCONT),
        "leave the group": os.setsid,
        "run a shell": lambda: subprocess.run(["/bin/sh", "-c", ":"], check=True),
        "fork": _fork,
        "become another": lambda: os.setuid(65_534),
        "make a namespace": lambda: _call(272, 0x10000000),
        "mount": lambda: _call(165, 0, 0, 0, 0, 0),
        "see all of the kernel": lambda: _call(298, 0, 0, -1, -1, 0),
        "fake a key of the terminal": lambda: _call(16, 0, 0x5412, 0),
    }
    allowed: dict[str, Callable[[], object]] = {
        "read the open file": lambda: os.read(file, 9) == b"a secret!" or _fail(),
        "answer": lambda: ours.send(b"x") == len(theirs.recv(9)) or _fail(),
        "open the null device": lambda: Path("/dev/null").open("r+b").close(),
        "wake an event loop": lambda: asyncio.run(asyncio.sleep(0)),
        "start a thread": _thread,
        "load all that reads": _load_formats if given["load"] else _fail,
    }
    # Where nothing hinders them they are left alone: this may be root's own machine.
    tries = attempts if hold.landlock or hold.seccomp else {}
    found = {name: _errno(one) for name, one in (allowed | tries).items()}
    sys.stdout.write(json.dumps({"hold": hold, "errors": found}))


def _errno(attempt: Callable[[], object]) -> int:
    try:
        attempt()
    except OSError as error:
        return error.errno or -1
    return 0


def _fail() -> None:
    raise OSError(-1, "something else came of it")


def _connect(family: int, address: object) -> None:
    where = ("127.0.0.1", address) if family == socket.AF_INET else address
    with socket.socket(family) as client:
        client.connect(where)


def _listen() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))


def _send(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"words", ("127.0.0.1", port))


def _call(number: int, *arguments: int) -> None:
    """Make a system call, by its number on x86-64."""
    library = ctypes.CDLL(None, use_errno=True)
    given = (ctypes.c_long(one) for one in (number, *arguments))
    if library.syscall(*given) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _fork() -> None:
    if pid := os.fork():
        os.waitpid(pid, 0)
    else:
        os._exit(0)


def _thread() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def _load_formats() -> None:
    for module in pkgutil.walk_packages(formats.__path__, f"{formats.__name__}."):
        try:
            import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name not in _EXTRAS:
                raise


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
