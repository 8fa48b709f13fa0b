import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pplx_local import models
from pplx_local.errors import ModelError
from pplx_local.models import (
    CATALOGUE,
    STARTER,
    Checkpoint,
    Fusion,
    Profile,
    find,
    folder_of,
    how_to_get,
    load_tokenizer,
    lookup,
    recipe_of,
    resolve,
    space_spec,
    verify,
    why_missing,
)


@pytest.fixture(scope="module")
def starter_dir() -> Path:
    folder = find(STARTER)
    if folder is None:
        pytest.skip("the starter is not installed")
    return folder


@pytest.fixture
def absent() -> Checkpoint:
    """A checkpoint that no package brings."""
    return replace(STARTER, name="absent", package="no_such_package")


def test_the_public_names_exist() -> None:
    assert all(hasattr(models, name) for name in models.__all__)


@pytest.mark.parametrize("checkpoint", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_an_entry_of_the_catalogue_is_whole(checkpoint: Checkpoint) -> None:
    assert CATALOGUE[checkpoint.name] is checkpoint
    assert checkpoint.roles
    assert {"config.json", "tokenizer.json"} <= set(checkpoint.files)
    assert checkpoint.package or checkpoint.repository
    assert all(len(digest) == 64 for digest in checkpoint.sha256.values())
    assert set(checkpoint.fusion.weights) == {"dense", "late", "lexical"}
    assert checkpoint.dim % 8 == checkpoint.token_dim % 8 == 0
    assert pickle.loads(pickle.dumps(checkpoint)) == checkpoint
    assert len({checkpoint, checkpoint}) == 1


@pytest.mark.parametrize("name", ["starter", "all-minilm-l6-v2", " All-MiniLM-L6-v2 "])
def test_a_checkpoint_answers_to_its_names(name: str, tmp_path: Path) -> None:
    assert lookup(name) is STARTER
    assert resolve(name, tmp_path) == Profile(STARTER, STARTER)


def test_an_unknown_name_lists_the_known_and_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"'startre'.* mean 'starter'.*all-minilm"):
        resolve("startre", tmp_path)


def test_a_repository_is_a_name_too() -> None:
    named = lookup("perplexity-ai/pplx-embed-v1-late-0.6B")
    assert named.name == "pplx-embed-v1-late-0.6b"


@pytest.mark.parametrize("owner", ["", "perplexity-ai/"])
def test_a_checkpoint_of_v2_is_refused_and_not_taken_for_its_like(owner: str) -> None:
    with pytest.raises(ModelError, match=r"v2 \(Qwen3\.5\).*cannot run") as error:
        lookup(f"{owner}pplx-embed-v2-late-0.6b")
    assert "Did you mean" not in str(error.value)


def test_auto_takes_what_is_here(starter_dir: Path, tmp_path: Path) -> None:
    assert resolve("auto", tmp_path) == Profile(STARTER, STARTER)
    assert resolve("none", tmp_path) == Profile(None, None)


def test_auto_without_any_model_searches_by_keywords(tmp_path: Path) -> None:
    """In an interpreter that sees no installed package but those we need."""
    program = (
        "import sys, importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda n, p=None: None if n.startswith('gt_') else real(n, p)\n"
        "from pathlib import Path\n"
        "from pplx_local.models import resolve\n"
        "assert resolve('auto', Path(sys.argv[1])) == (None, None)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)


def test_a_home_may_hold_a_checkpoint(absent: Checkpoint, tmp_path: Path) -> None:
    assert find(absent, tmp_path) is None
    folder = tmp_path / "models" / "absent"
    folder.mkdir(parents=True)
    for name in absent.sha256:
        assert find(absent, tmp_path) is None, "before the last file is there"
        (folder / name).touch()
    assert find(absent, tmp_path) == folder
    assert find(absent) is None


def test_the_starter_is_what_it_should_be(starter_dir: Path) -> None:
    verify(STARTER, starter_dir)


def test_another_file_is_refused(starter_dir: Path, tmp_path: Path) -> None:
    for name in STARTER.sha256:
        (tmp_path / name).symlink_to(starter_dir / name)
    verify(STARTER, tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(ModelError, match=r"Cannot read .*config\.json.*pip install"):
        verify(STARTER, tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"config\.json is not the file.*pip install"):
        verify(STARTER, tmp_path)


def test_models_in_a_place_that_cannot_be_opened_are_not_here(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 300)
    assert find(CATALOGUE["pplx-embed-v1-0.6b"], home) is None
    assert resolve("auto", home).dense == STARTER


def test_files_that_are_no_checkpoint_are_not_fetched_again_for_want_of_a_record(
    tmp_path: Path,
) -> None:
    checkpoint = CATALOGUE["pplx-embed-v1-0.6b"]
    assert "models pull" in how_to_get(checkpoint, tmp_path)
    folder = folder_of(checkpoint, tmp_path)
    folder.mkdir(parents=True)
    said = why_missing(checkpoint, tmp_path)
    assert f"models import '{folder}'" in said
    assert "not on this computer" in said


@pytest.mark.parametrize("setting", ["none + late-0.6b", "v1-0.6b + Auto", "+", "a +"])
def test_what_stands_beside_a_plus_is_a_name(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ModelError, match="between the names of two"):
        resolve(setting, tmp_path)


def test_a_checkpoint_beside_itself_is_one(tmp_path: Path) -> None:
    name = STARTER.name
    assert resolve(f"{name} + {name.upper()}", tmp_path) == Profile(STARTER, STARTER)


def test_the_tokenizer_adds_and_cuts_nothing(starter_dir: Path) -> None:
    tokenizer = load_tokenizer(starter_dir)
    short, long = tokenizer.ids(["hello", "hello " * 1_000])
    assert short.tolist() == [7592]
    assert len(long) == 1_000
    assert short.dtype == np.int32


def test_spans_lead_back_to_the_text(starter_dir: Path) -> None:
    tokenizer = load_tokenizer(starter_dir)
    text = "Größe \ud800 漢字 naïve"
    (spans,) = tokenizer.spans([text])
    covered = "".join(text[slice(*span)] for span in spans)
    assert covered == "Größe漢字naïve"


def test_a_damaged_tokenizer_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Cannot read .*tokenizer\.json"):
        load_tokenizer(tmp_path)
    for content in (b"", b"{}", b"\xff\xfe", b'{"model": 1}'):
        (tmp_path / "tokenizer.json").write_bytes(content)
        with pytest.raises(ModelError, match=r"tokenizer\.json is no tokenizer"):
            load_tokenizer(tmp_path)


def _write_words(folder: Path, **words: int) -> None:
    model = {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"}
    content = {"added_tokens": [], "model": model}
    (folder / "tokenizer.json").write_text(json.dumps(content))


@pytest.mark.parametrize(("number", "vocab_size"), [(100, 100), (2**31, None)])
def test_the_tokenizer_of_another_model_is_named_when_a_text_needs_what_it_lacks(
    tmp_path: Path, number: int, vocab_size: int | None
) -> None:
    _write_words(tmp_path, known=99, foreign=number)
    tokenizer = load_tokenizer(tmp_path, vocab_size)
    (ids,) = tokenizer.ids(["known"])
    assert ids.tolist() == [99]
    with pytest.raises(ModelError, match=r"tokenizer\.json gives .* another model's"):
        tokenizer.ids(["known", "foreign"])


def test_a_tokenizer_that_fails_on_a_text_is_named(tmp_path: Path) -> None:
    _write_words(tmp_path, known=1)
    tokenizer = load_tokenizer(tmp_path)
    for split in (tokenizer.ids, tokenizer.spans):
        with pytest.raises(ModelError, match=r"tokenizer\.json cannot split.*UNK"):
            split(["not there"])


def test_the_recipe_makes_what_is_asked_for() -> None:
    both = recipe_of(STARTER, STARTER.roles)
    assert both.dense
    assert both.late
    assert (both.token_encoding, both.token_pooling) == ("bits", 2)
    dense = recipe_of(STARTER, ["dense"])
    assert dense.dense
    assert not dense.late


def test_spaces_are_described(starter_dir: Path) -> None:
    dense = space_spec(STARTER, "dense", starter_dir)
    late = space_spec(STARTER, "late", starter_dir)
    assert (dense.dim, dense.n_bits, dense.token_encoding) == (384, 1_152, None)
    assert (late.dim, late.n_bits, late.token_encoding) == (384, 384, "bits")
    assert dense.fingerprint != late.fingerprint
    assert dense.rules["weights"] == STARTER.sha256["model.safetensors"]


def test_every_rule_is_in_the_fingerprint(tmp_path: Path) -> None:
    def prints(checkpoint: Checkpoint) -> tuple[str, str]:
        dense = space_spec(checkpoint, "dense", tmp_path)
        return dense.fingerprint, space_spec(checkpoint, "late", tmp_path).fingerprint

    dense, late = prints(STARTER)
    assert prints(STARTER) == (dense, late)
    rule = replace(STARTER.window_rule, limit=256, skip_ids=frozenset([3, 1, 2]))
    other_rule = prints(replace(STARTER, window_rule=rule))
    assert other_rule[0] != dense
    assert other_rule[1] != late
    weights = {**STARTER.sha256, "model.safetensors": "0" * 64}
    other_weights = prints(replace(STARTER, sha256=weights))
    assert other_weights[0] != dense
    assert other_weights[1] != late
    assert prints(replace(STARTER, bits_rule="sign"))[0] != dense
    assert prints(replace(STARTER, token_encoding="int8"))[1] != late
    assert prints(replace(STARTER, token_pooling=1))[1] != late
    # What no vector depends on is not in it.
    fusion = Fusion({"dense": 9.0, "late": 9.0, "lexical": 9.0})
    assert prints(replace(STARTER, fusion=fusion)) == (dense, late)


def test_fingerprints_stay_what_they_are(tmp_path: Path) -> None:
    """Another value here means that every person's index has to be built anew."""
    spaces = [space_spec(STARTER, role, tmp_path) for role in STARTER.roles]
    assert [space.fingerprint for space in spaces] == [
        "c0d2480e6c507ff91125859f5073ff62",
        "fee37df5f6ee986f2e80a49f80bf7a9b",
    ]
    assert json.loads(spaces[0].rules["windows"])["limit"] == 512


def test_an_unknown_digest_is_read_from_the_file(
    starter_dir: Path, tmp_path: Path
) -> None:
    unpinned = replace(STARTER, sha256={})
    assert space_spec(unpinned, "dense", starter_dir) == space_spec(
        STARTER, "dense", starter_dir
    )
    with pytest.raises(ModelError, match=r"no weights in .*model\.safetensors"):
        space_spec(unpinned, "dense", tmp_path)


def test_a_role_that_a_checkpoint_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="makes no vectors for the late leg"):
        space_spec(replace(STARTER, roles=("dense",)), "late", tmp_path)


def test_the_catalogue_needs_no_tokenizer_and_no_framework() -> None:
    program = (
        "import sys, pplx_local.models\n"
        "heavy = {'tokenizers', 'torch', 'transformers', 'mlx'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
