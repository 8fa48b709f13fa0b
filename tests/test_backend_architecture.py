"""Configurations that no network can be built from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import config_of

from pplx_local.backend.architecture import read_architecture
from pplx_local.backend.files import INDEX, weight_files
from pplx_local.errors import ModelError


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param({"num_hidden_layers": 10**9}, "num_hidden_layers", id="layers"),
        pytest.param({"vocab_size": 10**30}, "vocab_size", id="size"),
        pytest.param({"rms_norm_eps": float("nan")}, "rms_norm_eps", id="eps-nan"),
        pytest.param({"rms_norm_eps": 1e308}, "rms_norm_eps", id="eps-huge"),
        pytest.param({"rope_theta": float("inf")}, "rope_theta", id="theta-inf"),
        pytest.param({"rope_theta": -5}, "rope_theta", id="theta-negative"),
        pytest.param({"rope_theta": 10**400}, "rope_theta", id="theta-huge"),
        pytest.param({"head_dim": 33}, "head_dim", id="half-a-rotation"),
        pytest.param({"num_key_value_heads": 3}, "num_key_value_heads", id="groups"),
        pytest.param({"layer_types": [["full_attention"]]}, "sliding", id="nested"),
    ],
)
def test_numbers_that_cannot_be_are_named(
    tmp_path: Path, changes: dict[str, object], word: str
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_of("dense", **changes)))
    with pytest.raises(ModelError, match=word) as refusal:
        read_architecture(tmp_path)
    assert str(config) in str(refusal.value)


def test_heads_that_do_not_share_the_width_of_a_bert_are_named(tmp_path: Path) -> None:
    values = {"model_type": "bert", "hidden_size": 32, "num_attention_heads": 5}
    (tmp_path / "config.json").write_text(json.dumps(values))
    with pytest.raises(ModelError, match="num_attention_heads"):
        read_architecture(tmp_path)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_too_deep_to_read_is_no_configuration(
    tmp_path: Path, opening: str
) -> None:
    config = tmp_path / "config.json"
    config.write_text(opening * 100_000)
    with pytest.raises(ModelError, match="no model's configuration"):
        read_architecture(tmp_path)


def test_an_index_too_deep_to_read_is_no_index(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text("[" * 100_000)
    with pytest.raises(ModelError, match=r"index\.json is no index of weights"):
        weight_files(tmp_path)
