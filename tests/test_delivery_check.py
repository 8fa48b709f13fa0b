"""Published figures: what they say of our rules, and how a checkpoint is held to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delivered import Program, tiny_checkpoint, write_tiny
from numpy.typing import NDArray
from tiny import Kind, stock_states, stock_token_states
from typer.testing import CliRunner

from pplx_local.backend import open_backend, registered_backends
from pplx_local.cli.app import app
from pplx_local.config import Settings
from pplx_local.delivery import check, examine, import_source
from pplx_local.delivery.checking import goldens_of
from pplx_local.delivery.measures import Finding
from pplx_local.errors import BackendUnavailable
from pplx_local.home import default_home
from pplx_local.models import CATALOGUE, STARTER, Checkpoint, find, load_tokenizer
from pplx_local.window import plan, plan_query

QUERY = "what is curiosity"
TEXTS = ["Rivers cut narrower valleys.", "The tenant shall give notice.", "quarter"]
SEPARATOR = 151_643


class PublishedIds:
    """A tokenizer that knows some texts only."""

    def __init__(self, known: dict[str, list[int]]) -> None:
        self._known = known

    def ids(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        return [np.array(self._known[text], dtype=np.int32) for text in texts]


# --- the figures themselves --------------------------------------------------


@pytest.mark.parametrize("checkpoint", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_every_checkpoint_has_figures_with_a_source(checkpoint: Checkpoint) -> None:
    goldens = goldens_of(checkpoint)
    kinds = {golden["kind"] for golden in goldens}
    assert {"geometry"} < kinds
    assert all(len(golden["source"]) > 20 for golden in goldens)


@pytest.mark.parametrize("checkpoint", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_our_rules_lay_out_texts_as_published(checkpoint: Checkpoint) -> None:
    """Given the tokens of the text alone, we add what others add and score the same."""
    rule = checkpoint.window_rule
    special = {*rule.prefix_ids, *rule.suffix_ids, *(rule.query_prefix_ids or ())}
    special |= {rule.expansion_id, rule.separator_id} - {None}
    found = [golden for golden in goldens_of(checkpoint) if "ids" in golden["kind"]]
    assert found
    for golden in found:
        runs = groupby(golden["expected"], lambda number: number in special)
        texts = golden.get("texts") or [golden["query"]]
        own = [list(run) for is_special, run in runs if not is_special]
        tokenizer: Any = PublishedIds(dict(zip(texts, own, strict=True)))
        if golden["kind"] == "query ids":
            (window,) = plan_query(golden["query"], tokenizer, rule).windows
        else:
            ((window,),) = [one.windows for one in plan(texts, tokenizer, rule)]
        assert window.token_ids.tolist() == golden["expected"]
        if "kept" in golden:
            assert np.flatnonzero(window.keep).tolist() == golden["kept"]


def test_the_published_vectors_have_the_published_cosine() -> None:
    goldens = goldens_of(CATALOGUE["pplx-embed-v1-0.6b"])
    a, b = (
        np.array(golden["expected"][0], dtype=np.float64)
        for golden in goldens
        if golden["kind"] == "codes"
    )
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    (stated,) = next(g["expected"] for g in goldens if g["kind"] == "cosines")
    assert cosine == pytest.approx(stated, abs=1e-6)
    assert len(a) == len(b) == 1024


# --- held to them ------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    try:
        open_backend("torch")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    return Settings(home=tmp_path / "home", backend="torch", device="cpu")


def install(kind: Kind, home: Path, source: Path) -> Checkpoint:
    checkpoint = tiny_checkpoint(kind)
    CATALOGUE[checkpoint.name] = checkpoint  # type: ignore[index]
    try:
        folder = write_tiny(source, kind)
        import_source(examine(folder, checkpoint.name), home, lambda n: None)
    finally:
        del CATALOGUE[checkpoint.name]  # type: ignore[attr-defined]
    return checkpoint


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def stock_figures(kind: Kind, checkpoint: Checkpoint, folder: Path) -> list[dict]:
    """Figures of a tiny checkpoint by transformers, with the family's formulas."""
    tokenizer, rule = load_tokenizer(folder), checkpoint.window_rule
    if kind == "late":
        rows = stock_token_states(folder)
        (query,) = plan_query(QUERY, tokenizer, rule).windows
        windows = [one.windows[0] for one in plan(TEXTS, tokenizer, rule)]
        docs = [unit(rows(one.token_ids))[one.keep] for one in windows]
        scores = [
            (unit(rows(query.token_ids)) @ doc.T).max(axis=1).sum() for doc in docs
        ]
        return [{"kind": "maxsim", "query": QUERY, "texts": TEXTS, "expected": scores}]
    states = stock_states(folder)
    ids = tokenizer.ids([QUERY, *TEXTS])
    means = [states(one).mean(axis=0) for one in ids]
    codes = [np.rint(np.tanh(mean) * 127) for mean in means]
    cosines = (unit(codes[0]) @ unit(np.stack(codes[1:])).T).tolist()
    return [
        {"kind": "codes", "texts": [QUERY], "expected": [codes[0].tolist()]},
        {"kind": "cosines", "query": QUERY, "texts": TEXTS, "expected": cosines},
        {
            "kind": "nearest",
            "query": QUERY,
            "texts": TEXTS,
            "expected": int(np.argmax(cosines)),
        },
    ] + ([_together(states, ids)] if kind == "context" else [])


def _together(states: Any, ids: list[NDArray[np.int32]]) -> dict:
    """Two chunks that are read together: the first codes of each."""
    joined = np.concatenate([ids[1], [SEPARATOR], ids[2]]).astype(np.int32)
    rows, first = states(joined), len(ids[1])
    means = [rows[:first].mean(axis=0), rows[first + 1 :].mean(axis=0)]
    codes = [np.rint(np.tanh(mean) * 127)[:16].tolist() for mean in means]
    return {"kind": "codes", "texts": TEXTS[:2], "expected": codes}


def findings(checkpoint: Checkpoint, settings: Settings) -> list[Finding]:
    with check(checkpoint, settings) as model:
        return list(model.findings)


# The similarities of a random network are nowhere near 1, where bfloat16 moves them
# further than those of a trained one: no late in bfloat16 here.
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("dense", "float32"), ("context", "bfloat16"), ("late", "float32")],
)
def test_a_right_checkpoint_fits_and_wrong_figures_do_not(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    dtype: str,
) -> None:
    checkpoint = install(kind, settings.home, tmp_path / kind)
    folder = find(checkpoint, settings.home)
    assert folder
    right = stock_figures(kind, checkpoint, folder)
    wrong = [_spoilt(golden) for golden in right]
    figures = [golden | {"source": "stock"} for golden in (*right, *wrong)]
    monkeypatch.setattr("pplx_local.delivery.checking.goldens_of", lambda _: figures)
    settings = Settings(home=settings.home, backend="torch", device="cpu", dtype=dtype)
    outcomes = findings(checkpoint, settings)
    assert [one.ok for one in outcomes[: len(right)]] == [True] * len(right), outcomes
    assert not any(one.ok for one in outcomes[len(right) :]), outcomes


def _spoilt(golden: dict) -> dict:
    if golden["kind"] == "nearest":
        return golden | {"expected": (golden["expected"] + 1) % len(TEXTS)}
    values = np.array(golden["expected"], dtype=np.float64)
    by = {"codes": 1.0, "cosines": 0.05, "maxsim": 0.3}[golden["kind"]]
    if golden["kind"] == "codes":
        return golden | {"expected": values[:, ::-1].tolist()}
    return golden | {"expected": (values + by).tolist()}


def _targets() -> list[tuple[str, str]]:
    targets = []
    for name in registered_backends():
        try:
            targets += [(name, device) for device in open_backend(name).devices()]
        except BackendUnavailable:
            continue
    return targets


@pytest.mark.weights
@pytest.mark.parametrize("target", _targets(), ids="-".join)
@pytest.mark.parametrize("checkpoint", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_the_checkpoints_here_compute_what_was_published(
    checkpoint: Checkpoint, target: tuple[str, str]
) -> None:
    home = default_home()
    if find(checkpoint, home) is None:
        pytest.skip(f"{checkpoint.name} is not here. {checkpoint.install}")
    backend, device = target
    outcomes = findings(checkpoint, Settings(home, backend=backend, device=device))
    assert outcomes
    assert not [one for one in outcomes if not one.ok]


# --- the command -------------------------------------------------------------

needs_starter = pytest.mark.skipif(
    find(STARTER) is None, reason="the starter is not installed"
)


@needs_starter
@pytest.mark.slow
def test_the_command_shows_what_was_expected_and_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"source": "somebody"}
    text = "Children learn through curious exploration."
    right = goldens_of(STARTER)[0]
    wrong = {"kind": "cosines", "query": text, "texts": [text], "expected": [0.5]}
    home = ["--home", str(settings.home)]
    settings.home.mkdir(exist_ok=True)
    (settings.home / "config.toml").write_text('dtype = "float32"\n')  # else not 1.0000

    def run(*args: str) -> Any:
        return CliRunner().invoke(app, [*home, "models", *args], catch_exceptions=False)

    monkeypatch.setattr(
        "pplx_local.delivery.checking.goldens_of", lambda _: [right, wrong | source]
    )
    done = run("check", "starter")
    assert done.exit_code == 2
    assert "fail  cosines with 'Children learn through c...'" in done.stdout
    assert "expected 0.5000 within" in done.stdout
    assert "found    1.0000" in done.stdout
    assert "1 of 2 do not fit" in done.stdout
    monkeypatch.setattr("pplx_local.delivery.checking.goldens_of", lambda _: [right])
    done = run("check", "starter", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["ok"]
    assert found["findings"][0]["expected"] == found["findings"][0]["found"]
    monkeypatch.setattr("pplx_local.delivery.checking.goldens_of", lambda _: [])
    assert "No figures are known" in run("check", "starter").stdout


def test_a_checkpoint_that_is_not_here_cannot_be_checked(tmp_path: Path) -> None:
    done = Program(tmp_path, tiny_checkpoint("late"))("models", "check", "tiny-late")
    assert done.returncode == 2
    assert (
        "Tiny late is not on this computer. Fetch it with: pplx-local models"
        in done.stderr
    )


def test_the_listing_says_what_each_is_for_and_needs(tmp_path: Path) -> None:
    checkpoint = install("dense", tmp_path, tmp_path / "original")
    program = Program(tmp_path, checkpoint, tiny_checkpoint("late"))
    listed = json.loads(program("models", "list", "--json").stdout)["models"]
    by_name = {model["name"]: model for model in listed}
    here, away = by_name["tiny-dense"], by_name["tiny-late"]
    assert here["path"] == str(tmp_path / "models" / "tiny-dense")
    size = sum(p.stat().st_size for p in Path(here["path"]).rglob("*") if p.is_file())
    assert here["bytes"] == size
    assert here["used"], "the only one of the family that is here"
    assert away["path"] is None
    said = program("models", "list").stdout
    assert "* tiny-dense (used)" in said
    assert "  tiny-late (not here)" in said
    assert away["install"] in said
    assert f"for {away['good_for']}" in said
    assert "of memory" in said


def test_files_that_were_put_there_by_hand_are_named(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint("late")
    folder = tmp_path / "models" / checkpoint.name
    write_tiny(folder, "late")
    program = Program(tmp_path, checkpoint)
    assert f"models import '{folder}'" in program("models", "list").stdout
