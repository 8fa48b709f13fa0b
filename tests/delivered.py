"""Tiny checkpoints that a catalogue may name, and the program that knows them."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tiny import HIDDEN, TOKEN_DIM, Kind, write_qwen3, write_tokenizer

from pplx_local.models import CATALOGUE, Checkpoint

OF_KIND = {
    "dense": "pplx-embed-v1-0.6b",
    "context": "pplx-embed-context-v1-0.6b",
    "late": "pplx-embed-v1-late-0.6b",
}
_PROGRAM = (
    "import pickle, sys\n"
    "from pplx_local.models import CATALOGUE\n"
    "for one in pickle.loads(bytes.fromhex(sys.argv.pop(1))): CATALOGUE[one.name] = one\n"
    "from pplx_local.cli import main\n"
    "main()\n"
)


def tiny_checkpoint(kind: Kind, **changes: object) -> Checkpoint:
    """An entry of the catalogue for what `write_tiny` writes."""
    known = CATALOGUE[OF_KIND[kind]]
    given: dict[str, object] = {
        "name": f"tiny-{kind}",
        "aliases": (),
        "title": f"Tiny {kind}",
        "repository": "somebody/tiny",
        "revision": "5" * 40,
        "install": f"Fetch it with: pplx-local models pull tiny-{kind}",
        "sha256": {},
        "dim": HIDDEN,
        "token_dim": TOKEN_DIM if kind == "late" else 0,
    }
    return replace(known, **(given | changes))


def write_tiny(folder: Path, kind: Kind) -> Path:
    """Write a checkpoint with the marks that tell its kind."""
    write_qwen3(folder, kind)
    write_tokenizer(folder)
    if kind == "dense":
        modules = [{"idx": 2, "type": "st_quantize.FlexibleQuantizer"}]
        (folder / "modules.json").write_text(json.dumps(modules))
    return folder


class Program:
    """`pplx-local` as a process, with checkpoints in its catalogue."""

    def __init__(
        self, home: Path, *checkpoints: Checkpoint, **environment: str
    ) -> None:
        self.home = home
        known = pickle.dumps(checkpoints).hex()
        self._command = [sys.executable, "-c", _PROGRAM, known, "--home", str(home)]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        self.environment = inherited | environment

    def start(self, *args: object, **options: object) -> subprocess.Popen[str]:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(
            [*self._command, *map(str, args)],
            env=self.environment,
            text=True,
            **options,  # type: ignore[call-overload]
        )

    def __call__(self, *args: object) -> subprocess.CompletedProcess[str]:
        process = self.start(*args, stdin=subprocess.DEVNULL)
        out, err = process.communicate(timeout=200)
        return subprocess.CompletedProcess(args, process.returncode, out, err)
