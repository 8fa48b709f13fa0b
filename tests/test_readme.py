"""The README against the program: what it names exists, what exists is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from pplx_local.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    group = typer.main.get_command(app)
    return sorted(group.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", commands())
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"`{name}\b", README), f"the README does not name {name}"


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\b[\w.]+/[\w./]+\.\w+", README)))
)
def test_every_file_that_the_readme_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make (\w+)", README))))
def test_every_make_target_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
