"""Files that say what is passed over, compared with what git makes of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pplx_local.watch import Found, Rules, ignore_files, in_short, judging, walk
from pplx_local.watch.ignore_files import LONGEST_FILE
from pplx_local.watch.patterns import compiled, parse


def fill(root: Path, *names: str) -> None:
    """Make files, or folders where a name ends with a slash."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text(name)


def write(root: Path, name: str, *lines: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def make_repository(root: Path) -> None:
    """Make what is enough of a git repository to be one for us."""
    write(root, ".git/HEAD", "ref: refs/heads/main")


def read(root: Path, folder: Path | None = None, **options: bool) -> set[str]:
    """Walk a folder, by the rules of a registered one around it: what is not skipped."""
    rules = Rules(os.fsencode(root), **options)
    found = walk(os.fsencode(folder or root), rules)
    return {
        os.path.relpath(os.fsdecode(one.path), root)
        for one in found
        if isinstance(one, Found) and one.skip is None
    }


def why(root: Path, name: str, **options: bool) -> str | None:
    path = root / name
    rules = Rules(os.fsencode(root), **options)
    return rules.why(os.fsencode(path), is_folder=path.is_dir())


# --- as git does it ----------------------------------------------------------

_FOLDERS = ("a", "b", "ab", "a/a", "a/b", "a/ab", "b/a", "a/b/a", "a/b/a/b", "b/a/ab")
_NAMES = ("a", "b", "aa", "a.b", ".a", "a b", "é", "a-", "[", "!a", "#a", "a ", "b*")
_PARTS = (
    *(b"a", b"b", b"ab", b".", b" ", b"-", b"!", b"#", b"\xc3\xa9", b"\t", b"\xff"),
    *(b"*", b"*", b"**", b"***", b"?", b"/", b"/", b"**/", b"/**", b"/**/", b"\\"),
    *(b"[ab]", b"[!a]", b"[^b]", b"[a-]", b"[]a]", b"[--b]", b"[a\\-b]", b"[", b"]"),
    *(b"[[:alpha:]]", b"[^[:space:]]", b"[[:x:]]", b"\\*", b"\\ ", b"\\!", b"a*"),
)
_LINES = st.lists(st.sampled_from(_PARTS), min_size=1, max_size=6).map(b"".join)
_TEXTS = st.lists(
    st.tuples(st.sampled_from([b"", b"", b"!"]), _LINES).map(b"".join), max_size=5
)


class Repository:
    """A real one, with files and folders of names that patterns are made for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._git("init", "--quiet")
        fill(root, *(f"{folder}/" for folder in _FOLDERS))
        for folder in ("", *_FOLDERS):
            for name in _NAMES:
                if not (root / folder / name).exists():
                    fill(root, f"{folder}/{name}".lstrip("/"))
        self.names = [
            os.fsencode(path.relative_to(root))
            for path in sorted(root.rglob("*"))
            if ".git" not in path.parts
        ]

    def _git(self, *args: str, given: bytes = b"") -> bytes:
        command = ["git", "-c", "core.excludesFile=/dev/null", *args]
        done = subprocess.run(
            command, cwd=self.root, input=given, capture_output=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def ask(self) -> dict[bytes, tuple[bytes, int] | None]:
        """Ask git: the file and line that each name is passed over by."""
        args = ("check-ignore", "--no-index", "--stdin", "-z", "--verbose", "-n")
        answer = self._git(*args, given=b"".join(b"%s\0" % one for one in self.names))
        fields: Sequence[bytes] = answer.split(b"\0")[:-1]
        found = zip(*(iter(fields),) * 4, strict=True)
        return {
            name: None if not line or pattern.startswith(b"!") else (file, int(line))
            for file, line, pattern, name in found
        }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    return Repository(tmp_path_factory.mktemp("repository"))


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    top=_TEXTS,
    deep=_TEXTS,
    deeper=_TEXTS,
    exclude=_TEXTS,
    end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_files_are_passed_over_by_the_line_that_git_names(
    repository: Repository,
    top: list[bytes],
    deep: list[bytes],
    deeper: list[bytes],
    exclude: list[bytes],
    end: bytes,
) -> None:
    root = repository.root
    files = {
        ".gitignore": top,
        "a/.gitignore": deep,
        "a/b/.gitignore": deeper,
        ".git/info/exclude": exclude,
    }
    for name, lines in files.items():
        (root / name).write_bytes(end.join(lines))
    expected = repository.ask()
    rules = Rules(os.fsencode(root), hidden=True)
    for name, said in expected.items():
        path = os.fsencode(root) + b"/" + name
        is_folder = Path(os.fsdecode(path)).is_dir()
        reason = rules.why(path, is_folder=is_folder)
        if said is None:
            assert reason is None, (name, files)
        else:
            file, line = Path(os.fsdecode(said[0])), said[1]
            is_exclude = file.name == "exclude"
            shown = file if is_exclude else file.name
            folder = root if is_exclude else root / file.parent
            assert reason, (name, said, files)
            assert reason.startswith(f"ignored by {shown} line {line}: "), files
            assert reason.endswith(f" (in {folder})"), files


# --- which file counts -------------------------------------------------------


def test_a_reason_names_the_file_the_line_and_the_folder(tmp_path: Path) -> None:
    fill(tmp_path, "a/b.log", "a/c.md")
    write(tmp_path, ".gitignore", "# noise", "", "*.log")
    assert read(tmp_path) == {"a/c.md"}
    reason = f"ignored by .gitignore line 3: *.log (in {tmp_path})"
    assert why(tmp_path, "a/b.log") == reason
    assert in_short(reason) == "ignored by .gitignore"
    assert in_short("hidden file") == "hidden file"


def test_what_lies_in_a_folder_that_is_passed_over_has_its_reason(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "out/deep/a.md", "a.md")
    write(tmp_path, ".gitignore", "out/", "!a.md")
    assert read(tmp_path) == {"a.md"}
    assert why(tmp_path, "out/deep/a.md") == why(tmp_path, "out")
    assert read(tmp_path, tmp_path / "out/deep") == set()
    assert read(tmp_path, tmp_path / "out/deep/a.md") == set()


def test_deeper_files_outrank_upper_ones(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", "keep/a.log", "keep/deep/a.log")
    write(tmp_path, ".gitignore", "*.log")
    write(tmp_path, "keep/.gitignore", "!*.log")
    assert read(tmp_path) == {"keep/a.log", "keep/deep/a.log"}


def test_pplxignore_outranks_ignore_and_that_gitignore(tmp_path: Path) -> None:
    fill(tmp_path, "in/a.log", "in/b.log", "in/c.log")
    write(tmp_path, "in/.gitignore", "*.log")
    write(tmp_path, ".ignore", "!a.log", "!b.log")
    write(tmp_path, ".pplxignore", "b.log", "!c.log")
    assert read(tmp_path) == {"in/a.log", "in/c.log"}
    assert "by .pplxignore line 1: b.log" in str(why(tmp_path, "in/b.log"))


def test_by_setting_only_pplxignore_counts(tmp_path: Path) -> None:
    fill(tmp_path, "a.md", "b.md", "c.md")
    write(tmp_path, ".gitignore", "a.md")
    write(tmp_path, ".ignore", "b.md")
    write(tmp_path, ".pplxignore", "c.md")
    assert read(tmp_path) == set()
    assert read(tmp_path, ignore_files=False) == {"a.md", "b.md"}


def test_files_above_count_from_the_top_of_the_repository(tmp_path: Path) -> None:
    registered = tmp_path / "repository/in/registered"
    fill(registered, "a.log", "b.txt", "c.md", "d.md", "in/registered/c.md")
    write(tmp_path, ".gitignore", "d.md")
    assert read(registered) == {
        "a.log", "b.txt", "c.md", "d.md", "in/registered/c.md"
    }  # fmt: skip
    write(tmp_path, "repository/.gitignore", "*.log", "/in/registered/c.md")
    write(tmp_path, "repository/in/.ignore", "b.txt")
    assert "a.log" in read(registered), "it is no repository yet"
    make_repository(tmp_path / "repository")
    assert read(registered) == {"d.md", "in/registered/c.md"}
    assert why(registered, "a.log") == (
        f"ignored by .gitignore line 1: *.log (in {tmp_path / 'repository'})"
    )


def test_a_folder_that_was_registered_is_read_whatever_names_it(
    tmp_path: Path,
) -> None:
    make_repository(tmp_path)
    write(tmp_path, ".gitignore", "out/", "*.log")
    fill(tmp_path, "out/a.md", "out/a.log")
    assert read(tmp_path) == set()
    assert read(tmp_path / "out") == {"a.md"}


def test_a_repository_in_another_has_its_own_gitignore_alone(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", "inner/a.log", "inner/b.md", "inner/c.md")
    make_repository(tmp_path)
    make_repository(tmp_path / "inner")
    write(tmp_path, ".gitignore", "*.log")
    write(tmp_path, ".ignore", "b.md")
    write(tmp_path, "inner/.git/info/exclude", "c.md")
    assert read(tmp_path) == {"inner/a.log"}
    assert why(tmp_path, "inner/c.md") == (
        f"ignored by .git/info/exclude line 1: c.md (in {tmp_path / 'inner'})"
    )


def test_a_work_tree_has_the_excludes_of_its_repository(tmp_path: Path) -> None:
    write(tmp_path, "main/.git/info/exclude", "a.log")
    git = tmp_path / "main/.git/worktrees/tree"
    write(git, "HEAD", "ref: refs/heads/other")
    write(git, "commondir", "../..")
    write(tmp_path, "tree/.git", f"gitdir: {git}")
    fill(tmp_path, "tree/a.log", "tree/b.log")
    assert read(tmp_path / "tree") == {"b.log"}


# --- the defaults ------------------------------------------------------------


def test_pplxignore_takes_back_what_is_passed_over_by_default(tmp_path: Path) -> None:
    fill(tmp_path, ".config/app/a.md", ".config/.cache/b.md", ".other/a.md")
    fill(tmp_path, "uv.lock", "in/yarn.lock", "node_modules/x.md")
    write(tmp_path, ".pplxignore", "!.config/", "!*.lock")
    assert read(tmp_path) == {".config/app/a.md", "uv.lock", "in/yarn.lock"}


@pytest.mark.parametrize("name", [".gitignore", ".ignore"])
def test_no_other_file_takes_a_default_back(tmp_path: Path, name: str) -> None:
    fill(tmp_path, ".config/a.md", "uv.lock", "a.md")
    write(tmp_path, name, "!.config/", "!uv.lock")
    assert read(tmp_path) == {"a.md"}


def test_a_list_of_what_is_wanted_takes_no_default_back(tmp_path: Path) -> None:
    fill(tmp_path, "a.md", "b.txt", "in/c.md", ".git/d.md", "node_modules/e.md")
    fill(tmp_path, ".hidden.md", "._a.md", ".cache/f.md")
    write(tmp_path, ".pplxignore", "*", "!*/", "!.*", "!*.md")
    assert read(tmp_path) == {"a.md", "in/c.md"}


def test_a_secret_is_taken_back_by_its_very_name_alone(tmp_path: Path) -> None:
    fill(tmp_path, ".env", "in/.env", "prod.env", "id_rsa", ".ssh/config", "key.pem")
    write(tmp_path, ".pplxignore", "!.e*", "!*.env", "!id_*", "!.ss[h]/", "!*.pem")
    assert read(tmp_path) == set()
    assert why(tmp_path, ".env") == "looks like a secret"
    write(tmp_path, ".pplxignore", "!in/.env", "!key.pem", "!.ssh/")
    assert read(tmp_path) == {"in/.env", "key.pem", ".ssh/config"}


def test_hidden_files_come_by_setting_but_no_secrets_and_caches(
    tmp_path: Path,
) -> None:
    fill(tmp_path, ".notes.md", ".obsidian/a.md", ".env", ".ssh/a.md", ".cache/a.md")
    fill(tmp_path, ".bash_history", ".git/config", ".DS_Store")
    assert read(tmp_path) == set()
    assert read(tmp_path, hidden=True) == {".notes.md", ".obsidian/a.md"}


# --- what an ignore file may be ----------------------------------------------


def test_a_mark_at_the_beginning_and_windows_line_ends(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", "b.log", "c.log")
    text = b"\xef\xbb\xbfa.log\r\nb.log  \r\n# c.log\r\n"
    (tmp_path / ".gitignore").write_bytes(text)
    assert read(tmp_path) == {"c.log"}


def test_patterns_and_names_that_are_no_utf8(tmp_path: Path) -> None:
    names = [b"caf\xe9.md", b"cafe.md", b"\xff.log"]
    for name in names:
        try:
            (tmp_path / os.fsdecode(name)).touch()
        except OSError:
            pytest.skip("names are always UTF-8 here")
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9.md\n\xff*\n")
    assert read(tmp_path) == {"cafe.md"}
    rules = Rules(os.fsencode(tmp_path))
    reason = rules.why(os.fsencode(tmp_path / os.fsdecode(names[0])), is_folder=False)
    assert "line 1: caf\\xe9.md (in " in str(reason)


def note_of(root: Path, name: str = ".gitignore") -> str | None:
    (found,) = (
        one
        for one in walk(os.fsencode(root))
        if isinstance(one, Found) and Path(os.fsdecode(one.path)).name == name
    )
    return found.skip


def test_a_file_far_too_long_is_not_honoured_and_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a.log")
    with (tmp_path / ".gitignore").open("wb") as file:
        file.write(b"*.log\n")
        file.truncate(100_000_000)
    started = time.monotonic()
    assert read(tmp_path) == {"a.log"}
    assert time.monotonic() - started < 1.0
    said = f"rules that are not honoured: longer than {LONGEST_FILE:,} bytes"
    assert note_of(tmp_path) == said


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "root/a.log")
    write(tmp_path, "rules", "*.log")
    (tmp_path / "root/.gitignore").symlink_to(tmp_path / "rules")
    assert read(tmp_path / "root") == {"a.log"}
    assert note_of(tmp_path / "root") == "symbolic link"


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions mean nothing to root")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a.log")
    write(tmp_path, ".gitignore", "*.log").chmod(0)
    assert read(tmp_path) == {"a.log"}
    assert note_of(tmp_path) == "rules that are not honoured: permission denied"


def test_folders_and_pipes_of_these_names_say_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", ".gitignore/x")
    os.mkfifo(tmp_path / ".ignore")
    write(tmp_path, ".git", "gitdir: /nowhere\0/at all")
    assert read(tmp_path) == {"a.log"}


def test_patterns_beyond_the_limit_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ignore_files, "MOST_WILDCARDS", 2)
    fill(tmp_path, "a.md", "b-last", "plain.txt")
    lines = ["a*" * 600, "x*y", "y*x", "b*", "*.md", "plain.txt"]
    write(tmp_path, ".gitignore", *lines)
    assert read(tmp_path) == {"b-last"}
    assert note_of(tmp_path) == (
        "rules that are not honoured: 2 of its patterns, which are too long or too many"
    )


def test_files_that_are_too_much_together_are_not_honoured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_MOST_PATTERNS", 5)
    folder = tmp_path
    for depth in range(3):
        write(folder, ".gitignore", f"{depth}-1", f"{depth}-2")
        fill(folder, f"{depth}-1", "other/a")
        folder /= "in"
    assert read(tmp_path) == {"in/in/2-1", "other/a", "in/other/a", "in/in/other/a"}
    assert why(tmp_path, "in/in/.gitignore") == (
        "rules that are not honoured: there are too many of them"
    )
    rules = Rules(os.fsencode(tmp_path))
    for _ in range(3):  # what is kept between is let go of again and again
        for name in ("in/1-1", "0-1", "in/in/1-2", "in/0-2"):
            assert rules.why(os.fsencode(tmp_path / name), is_folder=False)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"a*" * 500 + b"b", b"a" * 250),
        (b"*a" * 500 + b"b", b"a" * 250),
        (b"[ab]*" * 200 + b"c", b"ab" * 125),
        (b"**/a" * 250 + b"/b", b"a/" * 1_900 + b"a"),
        (b"**/*a*" * 160 + b"b/c", b"aaa/" * 1_000 + b"a"),
        (b"**" * 500 + b"/b", b"a/" * 1_900 + b"a"),
    ],
)
def test_no_pattern_takes_long(pattern: bytes, path: bytes) -> None:
    one = parse(pattern, 1)
    assert one is not None
    regex = compiled(one.glob)
    started = time.process_time()
    assert regex.fullmatch(path) is None
    assert time.process_time() - started < 0.5
