"""The doctor finds what was broken on purpose, and nothing else."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future
from dataclasses import replace

import pytest
from fakes import FakeBackend, FakeWorker

from pplx_local.backend import open_backend
from pplx_local.config import Settings
from pplx_local.doctor import Check, encoders, examine
from pplx_local.doctor.parsing import how_held
from pplx_local.documents import Hold
from pplx_local.errors import BackendUnavailable, EncoderCrashed
from pplx_local.models import STARTER, find
from pplx_local.records import Encoded
from pplx_local.store import Store

needs_starter = pytest.mark.skipif(
    find(STARTER) is None, reason="the starter is not installed"
)


@pytest.fixture
def torch_backend():
    try:
        return open_backend("torch")
    except BackendUnavailable as error:
        pytest.skip(str(error))


def fake_worker(checkpoint, model_dir, settings):
    return FakeWorker(checkpoint)


@pytest.fixture
def settings(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Settings(home=home, model="none")


def checks(settings: Settings, worker=fake_worker) -> dict[str, Check]:
    return {check.name: check for check in examine(settings, worker=worker)}


def test_a_fresh_home_is_in_order(settings):
    found = checks(settings)
    assert found.pop("reading files").outcome != "fail", "as well as the system can"
    assert {name: check.outcome for name, check in found.items()} == {
        "python": "ok", "sqlite": "ok", "home": "ok", "disk": "ok",
        "index": "warn", "model": "warn", "file system": "ok", "daemon": "warn",
    } | ({"watches": "ok"} if sys.platform == "linux" else {})  # fmt: skip
    assert "sqlite-vec" in found["sqlite"].detail
    assert "pplx-local add" in (found["index"].remedy or "")


def test_nothing_is_written_to_the_home(settings):
    checks(settings)
    assert list(settings.home.iterdir()) == []


def test_a_whole_index_is_ok_and_a_truncated_one_is_not(settings):
    Store.open(settings.database).close()
    assert checks(settings)["index"].outcome == "ok"
    size = settings.database.stat().st_size
    os.truncate(settings.database, size // 2)
    assert checks(settings)["index"].outcome == "fail"


def test_damage_inside_a_page_is_found(settings):
    Store.open(settings.database).close()
    raw = bytearray(settings.database.read_bytes())
    raw[8192:12288] = b"\xff" * 4096
    settings.database.write_bytes(raw)
    assert checks(settings)["index"].outcome == "fail"


def test_what_others_may_read_is_named_with_the_way_to_mend_it(settings):
    exposed = settings.home / "index.db-wal"
    exposed.touch(mode=0o600)
    exposed.chmod(0o644)
    found = checks(settings)["home"]
    assert found.outcome == "warn"
    assert str(exposed) in found.detail
    settings.home.chmod(0o755)
    found = checks(settings)["home"]
    assert found.outcome == "fail"
    assert "chmod" in (found.remedy or "")


def test_an_unknown_model_fails(settings):
    found = checks(replace(settings, model="gpt-17"))["model"]
    assert found.outcome == "fail"
    assert STARTER.name in found.detail


def test_a_model_with_other_weights_fails(settings, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    model_dir = settings.home / "models" / STARTER.name
    model_dir.mkdir(parents=True, mode=0o700)
    for name in STARTER.sha256:
        (model_dir / name).touch(mode=0o600)
    found = checks(replace(settings, model="starter"))[f"model {STARTER.name}"]
    assert found.outcome == "fail"
    assert "sha256" in found.detail


@needs_starter
def test_a_model_is_verified_and_timed_on_its_devices(settings, torch_backend):
    found = checks(replace(settings, model="starter"))
    assert found[f"model {STARTER.name}"].outcome == "ok"
    speeds = [check for name, check in found.items() if name.startswith("backend ")]
    assert speeds
    assert all("tokens/s" in check.detail for check in speeds)
    assert all("`exhaustive` has room for" in check.detail for check in speeds)


@needs_starter
def test_an_encoder_that_falls_over_is_a_failed_check(settings, torch_backend):
    class Broken(FakeWorker):
        def info(self):
            raise EncoderCrashed("it ended again and again")

    found = checks(
        replace(settings, model="starter"), lambda checkpoint, *_: Broken(checkpoint)
    )
    failed = {check.detail for check in found.values() if check.outcome == "fail"}
    assert failed == {"it ended again and again"}


class Elsewhere(FakeWorker):
    """A worker whose device computes something else."""

    def encode(self, plans):
        answer = super().encode(plans)
        dense = answer.result().dense
        other = Future()
        other.set_result(Encoded(replace(dense, codes=-dense.codes), None))
        return other


def two_devices(monkeypatch):
    monkeypatch.setattr(encoders, "registered_backends", lambda: {"a": 0, "b": 0})
    monkeypatch.setattr(encoders, "open_backend", lambda name: FakeBackend())


@needs_starter
def test_devices_that_compute_the_same_agree(settings, monkeypatch):
    two_devices(monkeypatch)
    agreement = checks(replace(settings, model="starter"))["agreement"]
    assert agreement.outcome == "ok"
    assert "2 devices: codes at most 0 apart, cosine at least 1" in agreement.detail


@needs_starter
def test_a_device_that_computes_something_else_is_named(settings, monkeypatch):
    two_devices(monkeypatch)

    def worker(checkpoint, model_dir, settings):
        kind = Elsewhere if settings.backend == "b" else FakeWorker
        return kind(checkpoint)

    agreement = checks(replace(settings, model="starter"), worker)["agreement"]
    assert agreement.outcome == "fail"
    assert "backend b cpu" in (agreement.remedy or "")
    assert "cosine at least -1" in agreement.detail


@needs_starter
@pytest.mark.parametrize("device", ["cuda:7", "nonsense"])
def test_a_device_that_is_asked_for_is_used_or_refused(settings, device):
    there = replace(settings, model="starter", backend="torch", device=device)
    found = {one.name: one for one in examine(there) if one.name.startswith("backend")}
    assert [(name, one.outcome) for name, one in found.items()] == [
        (f"backend torch {device}", "fail")
    ]
    assert f"There is no device {device!r} here" in next(iter(found.values())).detail


@pytest.mark.skipif(sys.platform == "darwin", reason="root is not restricted")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_fails(settings):
    settings.home.chmod(0o500)
    assert checks(settings)["home"].outcome == "fail"
    settings.home.chmod(0o700)


@pytest.mark.parametrize(
    ("system", "hold", "outcome", "said"),
    [
        ("linux", Hold(7, True), "ok", "held by Landlock 7, seccomp and limits (2"),
        ("linux", Hold(0, True), "warn", "held by seccomp and limits"),
        ("linux", Hold(0, True), "warn", "it could read other files"),
        ("linux", Hold(3, False), "warn", "it could use the network"),
        ("linux", Hold(), "warn", "other files and it could use the network"),
        ("darwin", Hold(seatbelt=True), "ok", "held by sandbox-exec and limits"),
        ("darwin", Hold(), "warn", "it could write and use the network"),
    ],
)
def test_what_holds_the_reading_of_files_is_said(system, hold, outcome, said):
    check = how_held(hold, "limits (2 GB and 60 s for a file)", system)
    assert check.outcome == outcome
    assert said in check.detail
    assert (check.remedy is None) == (outcome == "ok")


def test_a_reader_that_cannot_be_started_is_a_failure(settings, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    check = checks(settings)["reading files"]
    assert (check.outcome, check.detail) == ("fail", "its reader could not be started")
