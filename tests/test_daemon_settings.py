"""The daemon's models and settings, as a front end asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from daemon import Daemon

from pplx_local.config import load_settings, write_setting
from pplx_local.errors import ConfigError
from pplx_local.models import CATALOGUE


def test_the_daemon_lists_what_the_catalogue_has(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        found = daemon.client.models()
    assert found.setting == "auto"
    assert [one.name for one in found.models] == list(CATALOGUE)
    late = next(one for one in found.models if "late" in one.name)
    assert late.path is None
    assert late.roles == ("late",)
    assert late.bytes > 2_000_000_000
    assert late.repository == "perplexity-ai/pplx-embed-v1-late-0.6b"


def test_a_running_daemon_reads_files_by_a_changed_limit(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.write("small.txt", "tide")
        daemon.write("large.txt", "heron " * 100)
        write_setting(daemon.settings.file, "max_file_bytes", 200)
        in_force = daemon.client.follow_settings()
        assert in_force["max_file_bytes"] == 200
        daemon.add()
        assert daemon.paths("tide") == ["small.txt"]
        assert daemon.paths("heron") == []
        assert daemon.states()["skipped"] == 1


def test_what_needs_another_daemon_stays_in_force(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        write_setting(daemon.settings.file, "window_tokens", 512)
        in_force = daemon.client.follow_settings()
        assert in_force["window_tokens"] == 8192
        assert load_settings(daemon.settings.home).window_tokens == 512
        daemon.stop()
        daemon.start()
        assert daemon.client.follow_settings()["window_tokens"] == 512


def test_a_mistake_in_the_file_is_told_and_changes_nothing(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.settings.file.write_text("idle_minutes = 2\nheadlights = true\n")
        with pytest.raises(ConfigError, match="headlights"):
            daemon.client.follow_settings()
        daemon.settings.file.unlink()
        assert daemon.client.follow_settings()["idle_minutes"] == 5.0
