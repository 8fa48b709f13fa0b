"""An hour at the search box while 10,000 files are indexed: typing, moving, resizing.

    python tests/soak/interface.py --minutes 60

The real program in a terminal of its own. It must be there at the end and leave with exit
code 0, without a report of a bug; and the last quarter of its memory must be like the second.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import select
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from statistics import median

import psutil
from running import Prose, Verdict

SAMPLE_S = 5.0
GROWTH = 1.10
"""The last quarter to the second."""
BETWEEN_KEYS_S = 0.08
START_S = 60.0
REMEMBERED = 1 << 20
"""Bytes of what was drawn: a few screens."""
LEAVES_S = 30.0
SIZES = ((40, 12), (60, 20), (80, 24), (110, 32), (180, 50), (250, 70))
KEYS = {
    "down": b"\x1b[B",
    "up": b"\x1b[A",
    "page down": b"\x1b[6~",
    "page up": b"\x1b[5~",
    "tab": b"\t",
    "mode": b"\x12",
    "preview": b"\x1f",
    "preview down": b"\x1b[1;2B",
    "older question": b"\x1b[1;3A",
    "folders": b"\x1bOR",
    "activity": b"\x1bOS",
    "models": b"\x1b[15~",
    "settings": b"\x1b[17~",
    "search": b"\x1bOQ",
    "palette": b"\x0b",
}
CLEAR = b"\x15"
ESCAPE = b"\x1b"
APART_S = 0.5
"""Between an escape and the keys around it, so that they are not taken for one."""


class Typist:
    """A program in a terminal, and somebody who never rests."""

    def __init__(self, home: Path) -> None:
        pid, self._terminal = pty.fork()
        if pid == 0:  # the child
            os.environ |= {"TERM": "xterm-256color", "HF_HUB_OFFLINE": "1"}
            command = [sys.executable, "-m", "pplx_local", "--home", str(home)]
            os.execv(command[0], command)
        self.process = psutil.Process(pid)
        self.n_keys = 0
        self._seen = b""
        """What was drawn since something was waited for."""
        self.resize(random.choice(SIZES))

    def resize(self, size: tuple[int, int]) -> None:
        """Give the terminal another size."""
        width, height = size
        shape = struct.pack("HHHH", height, width, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, shape)

    def press(self, key: bytes) -> None:
        """Press a key, and read what is drawn for as long as a person would."""
        os.write(self._terminal, key)
        self.n_keys += 1
        self.read_for(BETWEEN_KEYS_S)

    def press_escape(self) -> None:
        """Close what lies over the screen."""
        self.read_for(APART_S)
        self.press(ESCAPE)
        self.read_for(APART_S)

    def read_for(self, seconds: float) -> None:
        """Read what is drawn; a terminal that is not read would stop the program."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([self._terminal], [], [], left)
            if readable:
                self._seen += os.read(self._terminal, 1 << 16)
        self._seen = self._seen[-REMEMBERED:]

    def wait_for(self, text: bytes) -> None:
        """Read until something was drawn, be it with the last key."""
        until = time.monotonic() + START_S
        while text not in self._seen:
            if time.monotonic() > until:
                raise SystemExit(f"{text!r} was never drawn.")
            self.read_for(0.2)
        self._seen = b""

    def type(self, text: str) -> None:
        """Type a text."""
        for char in text:
            self.press(char.encode())

    def leave(self) -> int | None:
        """Quit as a person does; give the exit code, None where it does not end."""
        os.write(self._terminal, b"\x03")
        until = time.monotonic() + LEAVES_S
        while time.monotonic() < until:
            pid, status = os.waitpid(self.process.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            readable, _, _ = select.select([self._terminal], [], [], 0.1)
            try:
                _ = readable and os.read(self._terminal, 1 << 16)
            except OSError:  # it is closing
                time.sleep(0.05)
        return None


def one_thing(typist: Typist, prose: Prose, rng: random.Random) -> None:
    """Do one thing that a person does, and come back to the search box."""
    what = rng.random()
    if what < 0.5:
        typist.press(CLEAR)
        typist.type(prose.text(rng.randint(1, 4)))
    elif what < 0.65:
        typist.resize(rng.choice(SIZES))
        typist.read_for(0.2)
    else:
        for _ in range(rng.randint(1, 6)):
            name = rng.choice(list(KEYS))
            typist.press(KEYS[name])
            if name == "palette":
                typist.press_escape()
        typist.press(KEYS["search"])
        typist.type("a")  # so that no escape that follows finds an empty box


def main() -> None:
    """Type, sample, compare the quarters."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--words", type=int, default=120, help="in each file")
    parser.add_argument("--model", default="auto", help="none for keywords only")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="pplx-local-typist-") as place:
        run(Path(place).resolve(), options, rng)


def run(root: Path, options: argparse.Namespace, rng: random.Random) -> None:
    """Write the files, and sit down."""
    home, folder = root / "home", root / "documents"
    home.mkdir()
    folder.mkdir()
    prose = Prose(options.seed)
    for number in range(options.files):
        (folder / f"{number:05}.txt").write_text(prose.text(options.words))
    settings = f'power = "always"\nmodel = "{options.model}"\n'
    (home / "config.toml").write_text(settings)
    typist = Typist(home)
    typist.resize(SIZES[-1])  # where there is room for all that is waited for
    typist.wait_for(b"Which folders")  # the first run asks
    typist.type(f"{folder}\r")
    typist.wait_for(f"{options.files:,} files to read".encode())
    typist.press(b"\x07")
    typist.wait_for(b"earch in your folders")  # the cursor stands on its first letter
    typist.type("a")  # an escape in an empty box would leave
    samples = sit(typist, prose, options.minutes * 60, rng)
    stayed = (
        typist.process.is_running() and typist.process.status() != psutil.STATUS_ZOMBIE
    )
    code = typist.leave() if stayed else None
    bugs = sorted((home / "logs").glob("bug-*"))
    judge(samples, code, bugs, typist.n_keys)


def sit(typist: Typist, prose: Prose, seconds: float, rng: random.Random) -> list[int]:
    """Do things for so long; give what the program took of memory, in bytes."""
    samples: list[int] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            one_thing(typist, prose, rng)
        except OSError:  # the terminal is closed: the program has ended
            break
        if time.monotonic() - began > len(samples) * SAMPLE_S:
            samples.append(typist.process.memory_info().rss)
            if len(samples) % 24 == 0:
                print(f"{typist.n_keys} keys, {samples[-1] / 1e6:.0f} MB", flush=True)
    return samples


def judge(samples: list[int], code: int | None, bugs: list[Path], n_keys: int) -> None:
    """Say what was found, and end with 1 where it is not well."""
    quarter = len(samples) // 4
    second, last = (
        median(samples[part * quarter : (part + 1) * quarter]) for part in (1, 3)
    )
    verdict = Verdict()
    after = f"after {len(samples) * SAMPLE_S / 60:.0f} minutes and {n_keys:,} keys"
    ended = (
        "it had left by itself" if code is None else f"it left with exit code {code}"
    )
    verdict.say(f"{after} {ended}", code == 0)
    verdict.say(f"{len(bugs)} reports of bugs", not bugs)
    for bug in bugs:
        print(bug.read_text())
    print(
        f"memory {second / 1e6:.0f} MB in the second quarter, {last / 1e6:.0f} at last"
    )
    verdict.check("growth of the memory", last / second, GROWTH, " times")
    verdict.end()


if __name__ == "__main__":
    main()
