"""What is planned for a file: pure, for computers of many kinds."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pplx_local.answer import Place
from pplx_local.documents import kind_of
from pplx_local.documents.kinds import known_types
from pplx_local.errors import OpenError
from pplx_local.opener import (
    Environment,
    Where,
    chapter_of,
    clipboard_program,
    page_of,
    plan,
)
from pplx_local.opener.editors import FORMS
from pplx_local.opener.planning import plan_for
from pplx_local.opener.sort import ALLOWED, HTML, MACROS, SOURCE, judge
from pplx_local.opener.windows import PDF_VIEWERS

NOTE = "/home/ada/note.md"
PAPER = "/home/ada/paper.pdf"
PLACE = Where(line=12, column=5)
PAGE = Where(page=7)


def computer(
    *programs: str, system: str = "linux", apps: tuple[str, ...] = (), **variables: str
) -> Environment:
    """A computer that has these programs and variables, and nothing else."""

    def find(name: str) -> str | None:
        name = name.rsplit("/", 1)[-1]
        return f"/usr/bin/{name}" if name in programs else None

    return Environment(system, variables, find, frozenset(apps))


def desktop(*programs: str, **variables: str) -> Environment:
    return computer(*programs, DISPLAY=":0", **variables)


def mac(*programs: str, apps: tuple[str, ...] = (), **variables: str) -> Environment:
    return computer(*programs, system="darwin", apps=apps, **variables)


# --- editors ---


@pytest.mark.parametrize(
    ("editor", "arguments"),
    [
        ("vi", ("+12", NOTE)),
        ("vim", ("+call cursor(12,5)", NOTE)),
        ("nvim", ("+call cursor(12,5)", NOTE)),
        ("emacs", ("+12:5", NOTE)),
        ("nano", ("+12,5", NOTE)),
        ("micro", ("+12:5", NOTE)),
        ("kak", ("+12:5", NOTE)),
        ("hx", (f"{NOTE}:12:5",)),
        ("code", ("--goto", f"{NOTE}:12:5")),
        ("codium", ("--goto", f"{NOTE}:12:5")),
        ("cursor", ("--goto", f"{NOTE}:12:5")),
        ("subl", (f"{NOTE}:12:5",)),
        ("zed", (f"{NOTE}:12:5",)),
        ("gedit", ("+12:5", NOTE)),
        ("xed", ("+12", NOTE)),
        ("kate", ("--line", "12", "--column", "5", NOTE)),
    ],
)
def test_an_editor_is_told_the_place_in_its_own_way(editor, arguments):
    command = plan_for("text", NOTE, PLACE, "open", desktop(editor, EDITOR=editor))
    assert command == ((editor, *arguments), command.in_terminal, None, ())


@pytest.mark.parametrize("editor", sorted(FORMS))
def test_every_editor_is_told_the_line_also_without_a_column(editor):
    where = Where(line=12)
    command = plan_for("text", NOTE, where, "edit", desktop(editor, EDITOR=editor))
    said = " ".join(command.argv)
    assert re.search(r"\b12\b", said)
    assert "None" not in said
    assert "{" not in said
    assert command.notice is None


@pytest.mark.parametrize("editor", sorted(FORMS))
def test_every_editor_takes_a_file_without_a_place(editor):
    command = plan_for("text", NOTE, Where(), "edit", desktop(editor, EDITOR=editor))
    assert command.argv == (editor, NOTE)


@pytest.mark.parametrize(
    ("editor", "in_terminal"),
    [("vim", True), ("emacs", True), ("hx", True), ("code", False), ("subl", False)],
)
def test_an_editor_with_windows_leaves_the_terminal_alone(editor, in_terminal):
    command = plan_for("text", NOTE, PLACE, "open", desktop(editor, EDITOR=editor))
    assert command.in_terminal is in_terminal


def test_an_unknown_editor_gets_the_path_alone_and_the_person_the_line():
    env = desktop("scribe", EDITOR="scribe")
    command = plan_for("text", NOTE, PLACE, "open", env)
    assert command == (("scribe", NOTE), True, "The place is line 12.", ())


def test_an_editor_keeps_its_arguments():
    env = desktop("code", "emacsclient", EDITOR="emacsclient -t -a ''")
    command = plan_for("text", NOTE, PLACE, "open", env)
    assert command.argv == ("emacsclient", "-t", "-a", "", "+12:5", NOTE)


def test_an_editor_is_known_by_its_name_whatever_its_folder():
    env = desktop("nvim", EDITOR="'/opt/my tools/nvim'")
    command = plan_for("text", NOTE, Where(line=3), "open", env)
    assert command.argv == ("/opt/my tools/nvim", "+3", NOTE)


def test_visual_comes_before_editor():
    env = desktop("code", "vi", VISUAL="code -w", EDITOR="vi")
    assert plan_for("text", NOTE, Where(), "open", env).program == "code"


def test_an_editor_that_is_not_here_gives_way_to_the_other():
    env = desktop("vi", VISUAL="code", EDITOR="vi")
    assert plan_for("text", NOTE, Where(), "open", env).argv == ("vi", NOTE)


@pytest.mark.parametrize("said", ["code", "vim 'unclosed", "''"])
def test_without_an_editor_that_works_a_pager_shows_it_and_says_why(said):
    command = plan_for("text", NOTE, PLACE, "open", desktop("less", EDITOR=said))
    assert command.program == "less"
    assert command.notice == f"$EDITOR is {said}, which is not here."


@pytest.mark.parametrize("editor", ["hx", "code", "subl"])
def test_a_name_with_colons_is_not_taken_for_a_place(editor):
    """`talk:12:30.txt` would be opened as `talk` at line 12."""
    path = "/home/ada/talk:12:30.txt"
    command = plan_for("text", path, PLACE, "open", desktop(editor, EDITOR=editor))
    assert command.argv == (editor, path)
    assert command.notice == "The place is line 12."


def test_a_name_with_colons_is_nothing_to_an_editor_that_takes_the_line_apart():
    path = "/home/ada/talk:12:30.txt"
    command = plan_for("text", path, PLACE, "open", desktop("nano", EDITOR="nano"))
    assert command.argv == ("nano", "+12,5", path)


def test_a_name_with_braces_stays_as_it_is():
    path = "/home/ada/{line}{0}.txt"
    command = plan_for("text", path, PLACE, "open", desktop("hx", EDITOR="hx"))
    assert command.argv == ("hx", f"{path}:12:5")


def test_to_edit_takes_a_usual_editor_where_none_is_chosen():
    command = plan_for("text", NOTE, PLACE, "edit", desktop("vim", "vi", "less"))
    assert command.argv == ("vim", "+call cursor(12,5)", NOTE)
    assert command.notice == "Neither $VISUAL nor $EDITOR is set. So this is vim."


def test_to_edit_without_any_editor_says_what_to_set():
    with pytest.raises(OpenError, match="Set one of them"):
        plan_for("text", NOTE, PLACE, "edit", desktop("less"))


@pytest.mark.parametrize("wish", ["edit", "page"])
@pytest.mark.parametrize("sort", ["pdf", "viewed", "binary"])
def test_what_is_no_text_is_given_to_no_editor_and_no_pager(sort, wish):
    with pytest.raises(OpenError, match="no text"):
        plan_for(sort, PAPER, PAGE, wish, desktop("vim", "less", EDITOR="vim"))


# --- pagers ---


def test_a_pager_starts_at_the_line():
    command = plan_for("text", NOTE, PLACE, "open", computer("less"))
    assert command == (("less", "-L", "-+F", "-+r", "+12", NOTE), True, None, ())


def test_to_page_takes_no_editor():
    env = desktop("vim", "less", EDITOR="vim")
    assert plan_for("text", NOTE, Where(), "page", env).argv[0] == "less"


@pytest.mark.parametrize(
    ("said", "argv"),
    [
        ("less -S", ("less", "-S", "-L", "-+F", "-+r", "+12", NOTE)),
        ("most", ("most", "+12", NOTE)),
        ("more", ("less", "-L", "-+F", "-+r", "+12", NOTE)),
        ("col -b | less", ("less", "-L", "-+F", "-+r", "+12", NOTE)),
        ("'", ("less", "-L", "-+F", "-+r", "+12", NOTE)),
    ],
)
def test_a_chosen_pager_is_taken_where_it_is_safe(said, argv):
    env = computer("less", "most", "more", "col", PAGER=said)
    assert plan_for("text", NOTE, PLACE, "page", env).argv == argv


def test_a_chosen_pager_that_is_not_here_gives_way():
    env = computer("less", PAGER="most")
    assert plan_for("text", NOTE, Where(), "page", env).argv[0] == "less"


def test_no_pager_that_obeys_control_characters_is_taken():
    with pytest.raises(OpenError, match="Install less"):
        plan_for("text", NOTE, PLACE, "open", computer("more", PAGER="more"))


# --- HTML ---


def test_html_is_read_as_its_source_and_never_by_a_browser():
    env = desktop("xdg-open", "firefox", "less", BROWSER="firefox")
    command = plan_for("html", "/home/ada/page.html", PLACE, "open", env)
    assert command.argv == ("less", "-L", "-+F", "-+r", "/home/ada/page.html")
    assert command.notice is not None
    assert "browser would run its scripts" in command.notice
    assert command.notice.endswith("The place is line 12 of its text.")


def test_html_in_an_editor_says_that_lines_are_those_of_the_text():
    env = desktop("vim", EDITOR="vim")
    command = plan_for("html", "/home/ada/page.html", PLACE, "edit", env)
    assert command.argv == ("vim", "/home/ada/page.html")
    assert command.notice == "The place is line 12 of its text."


# --- PDF ---


@pytest.mark.parametrize(
    ("viewer", "arguments"),
    [
        ("sioyek", ("--page", "7", PAPER)),
        ("zathura", ("-P", "7", PAPER)),
        ("okular", ("--page", "7", PAPER)),
        ("evince", ("--page-index=7", PAPER)),
        ("atril", ("--page-index=7", PAPER)),
        ("xreader", ("--page-index=7", PAPER)),
        ("mupdf", (PAPER, "7")),
    ],
)
def test_a_viewer_is_told_the_page_in_its_own_way(viewer, arguments):
    command = plan_for("pdf", PAPER, PAGE, "open", desktop(viewer, "xdg-open"))
    assert command == ((viewer, *arguments), False, None, ())


def test_every_viewer_is_tried_above():
    assert set(PDF_VIEWERS) == {
        *("sioyek", "zathura", "okular", "evince", "atril", "xreader", "mupdf")
    }


def test_without_a_page_the_system_chooses_the_viewer():
    env = desktop("zathura", "xdg-open")
    assert plan_for("pdf", PAPER, Where(), "open", env).argv == ("xdg-open", PAPER)


def test_where_no_viewer_takes_a_page_the_person_is_told_it():
    command = plan_for("pdf", PAPER, PAGE, "open", desktop("xdg-open"))
    assert command.argv == ("xdg-open", PAPER)
    assert command.notice == "Turn to page 7: xdg-open takes no page."


def test_macos_turns_to_the_page_in_skim():
    command = plan_for("pdf", "/Users/ada/a b#1.pdf", PAGE, "open", mac(apps=("Skim",)))
    url = "skim:///Users/ada/a%20b%231.pdf#page=7"
    assert command == (("open", "-a", "Skim", url), False, None, ())


def test_macos_without_skim_says_the_page():
    command = plan_for("pdf", PAPER, PAGE, "open", mac("zathura-not"))
    assert command.argv == ("open", PAPER)
    assert command.notice == "Turn to page 7: open takes no page."


@pytest.mark.parametrize(
    ("place", "page"),
    [
        ((Place("page", "7"), Place("heading", "12")), 7),
        ((Place("heading", "3"),), None),
        ((Place("page", "iv"),), None),
        ((), None),
    ],
)
def test_the_page_is_that_of_the_hits_place(place, page):
    assert page_of(place) == page


# --- books ---


CHAPTER = Where(line=12, chapter="Loomings", part="chapter Loomings")


def test_a_book_opens_at_its_chapter_where_a_viewer_finds_it():
    env = desktop("ebook-viewer", "xdg-open")
    command = plan_for("book", "/moby.epub", CHAPTER, "open", env)
    argv = ("ebook-viewer", "--open-at=toc:Loomings", "/moby.epub")
    assert command == (argv, False, None, ())


@pytest.mark.parametrize(
    ("where", "notice"), [(CHAPTER, "The place is chapter Loomings."), (Where(), None)]
)
def test_another_viewer_opens_a_book_and_the_person_is_told_the_chapter(where, notice):
    command = plan_for("book", "/moby.epub", where, "open", desktop("xdg-open"))
    assert command == (("xdg-open", "/moby.epub"), False, notice, ())


def test_the_chapter_is_the_innermost_of_the_hits_place():
    place = (Place("chapter", "Part I"), Place("chapter", "One"), Place("heading", "x"))
    assert chapter_of(place) == "One"
    assert chapter_of((Place("heading", "x"),)) is None


# --- other documents, folders and displays ---


def test_what_has_no_pages_says_its_slide_or_cells():
    where = Where(line=9, part="slide 4")
    command = plan_for("viewed", "/a.pptx", where, "open", desktop("xdg-open"))
    assert command == (("xdg-open", "/a.pptx"), False, "The place is slide 4.", ())
    told = plan_for("viewed", "/a.docx", PAGE, "open", desktop("xdg-open")).notice
    assert told == "Turn to page 7: xdg-open takes no page."


def test_the_source_of_a_mail_is_read_without_a_line_that_it_has_not():
    env = desktop("vim", EDITOR="vim")
    command = plan_for("source", "/a.eml", PLACE, "open", env)
    assert command == (("vim", "/a.eml"), True, "The place is line 12 of its text.", ())
    where = Where(line=9, part="message Re: tide")
    assert plan_for("source", "/a.mbox", where, "page", desktop("less")).notice == (
        "The place is message Re: tide."
    )


def test_what_may_hold_macros_is_shown_in_its_folder_and_told_so():
    command = plan_for("macros", "/home/ada/a.docm", Where(), "open", mac())
    assert command.argv == ("open", "-R", "/home/ada/a.docm")
    assert command.notice == "/home/ada/a.docm may hold macros, so its folder is shown."


@pytest.mark.parametrize(
    ("env", "argv"),
    [
        (desktop("xdg-open", "gio"), ("xdg-open", "/a.docx")),
        (desktop("gio"), ("gio", "open", "/a.docx")),
        (computer("xdg-open", WAYLAND_DISPLAY="w"), ("xdg-open", "/a.docx")),
        (mac(), ("open", "/a.docx")),
        (computer("wslview", WSL_DISTRO_NAME="U"), ("wslview", "/a.docx")),
        (desktop("xdg-open", WSL_DISTRO_NAME="U"), ("xdg-open", "/a.docx")),
    ],
)
def test_a_document_opens_in_what_the_system_has_for_it(env, argv):
    command = plan_for("viewed", "/a.docx", Where(), "open", env)
    assert command == (argv, False, None, ())


def test_without_an_opener_it_says_what_to_install():
    with pytest.raises(OpenError, match="xdg-utils"):
        plan_for("viewed", "/a.docx", Where(), "open", desktop())


REMOTE = {"SSH_CONNECTION": "10.0.0.2 50000 10.0.0.1 22"}
BLIND = [
    computer("xdg-open", "zathura", "gdbus", "less"),
    mac("less", apps=("Skim",), **REMOTE),
    computer("wslview", "wslpath", "less", WSL_DISTRO_NAME="U", **REMOTE),
]


@pytest.mark.parametrize("env", BLIND)
@pytest.mark.parametrize(
    ("sort", "wish"), [("pdf", "open"), ("viewed", "open"), ("text", "reveal")]
)
def test_without_a_display_what_needs_one_is_refused_and_told_why(env, sort, wish):
    with pytest.raises(OpenError, match="none can be opened from here, as over ssh"):
        plan_for(sort, PAPER, PAGE, wish, env)


@pytest.mark.parametrize("env", BLIND)
def test_without_a_display_text_is_read_in_the_terminal(env):
    assert plan_for("text", NOTE, PLACE, "open", env).in_terminal


def test_a_forwarded_display_shows_windows():
    env = computer("zathura", DISPLAY="localhost:10.0", **REMOTE)
    assert plan_for("pdf", PAPER, PAGE, "open", env).program == "zathura"


def test_an_editor_with_windows_is_passed_over_where_there_is_no_display():
    env = computer("code", "less", EDITOR="code -w", **REMOTE)
    command = plan_for("text", NOTE, PLACE, "open", env)
    assert command.program == "less"
    assert command.notice == "$EDITOR is code -w, which needs a display."


def test_windows_shows_its_editors_also_without_a_display():
    env = computer("code", EDITOR="code", WSL_DISTRO_NAME="U")
    assert plan_for("text", NOTE, PLACE, "open", env).program == "code"


def test_a_terminal_inside_of_an_editor_reaches_it_over_ssh():
    env = computer("code", EDITOR="code", TERM_PROGRAM="vscode", **REMOTE)
    assert plan_for("text", NOTE, PLACE, "open", env).program == "code"


# --- the file manager ---


def test_a_file_is_shown_in_its_folder_by_the_file_manager():
    command = plan_for("text", NOTE, PLACE, "reveal", desktop("gdbus", "xdg-open"))
    assert command.argv[:2] == ("gdbus", "call")
    assert command.argv[-3:] == (
        "org.freedesktop.FileManager1.ShowItems",
        f"['file://{NOTE}']",
        "",
    )
    assert command.otherwise == ("xdg-open", "/home/ada")
    assert not command.in_terminal


def test_dbus_send_does_it_too():
    command = plan_for("text", NOTE, PLACE, "reveal", desktop("dbus-send", "xdg-open"))
    assert command.argv[-2:] == (f"array:string:file://{NOTE}", "string:")
    assert "--print-reply" in command.argv  # else it ends well whatever happened


@pytest.mark.parametrize("bus", ["gdbus", "dbus-send"])
def test_a_name_cannot_end_the_list_that_it_stands_in(bus):
    path = "/home/ada/a'], 'file:///etc, b\n\udcff.md"
    command = plan_for("text", path, Where(), "reveal", desktop(bus, "xdg-open"))
    said = "/home/ada/a%27%5D%2C%20%27file%3A///etc%2C%20b%0A%FF.md"
    assert sum(f"file://{said}" in part for part in command.argv) == 1
    assert not any("etc, b" in part for part in command.argv)


@pytest.mark.parametrize(
    ("env", "argv"),
    [
        (desktop("xdg-open"), ("xdg-open", "/home/ada")),
        (mac(), ("open", "-R", NOTE)),
    ],
)
def test_without_a_bus_the_folder_is_opened(env, argv):
    assert plan_for("text", NOTE, PLACE, "reveal", env) == (argv, False, None, ())


def test_windows_shows_it_in_its_explorer():
    env = computer("wslpath", WSL_DISTRO_NAME="U")
    command = plan_for("text", NOTE, PLACE, "reveal", env)
    assert command.argv[:2] == ("sh", "-c")
    assert command.argv[-1] == NOTE
    assert NOTE not in command.argv[2]  # never in what the shell reads


def test_a_folder_is_shown_and_never_opened():
    """`Notes.app` is a folder, and to open it runs a program."""
    command = plan_for("folder", "/Users/ada/Notes.app", Where(), "open", mac())
    assert command == (("open", "-R", "/Users/ada/Notes.app"), False, None, ())


def test_what_is_no_document_is_shown_in_its_folder_and_told_so():
    command = plan_for("binary", "/home/ada/a.jar", Where(), "open", mac())
    assert command.argv == ("open", "-R", "/home/ada/a.jar")
    assert command.notice is not None
    assert "/home/ada/a.jar is of no type" in command.notice


# --- what a file is ---

ZIP = b"PK\x03\x04" + bytes(26)
ODF = ZIP + b"mimetypeapplication/vnd.oasis.opendocument."
GENUINE = {
    "pdf": b"%PDF-1.7\n",
    "png": b"\x89PNG\r\n\x1a\n\0",
    "jpg": b"\xff\xd8\xff\xe0\0",
    "jpeg": b"\xff\xd8\xff\xe1\0",
    "gif": b"GIF89a\0",
    "bmp": b"BM\x36\x00\x01\x00\0\0\0\0",
    "tif": b"II*\0",
    "tiff": b"MM\0*",
    "webp": b"RIFF\x10\0\0\0WEBP",
    "heic": b"\0\0\0\x18ftypheic",
    "heif": b"\0\0\0\x18ftypmif1",
    "avif": b"\0\0\0\x18ftypavif",
    **dict.fromkeys(["docx", "dotx"], ZIP + b"[Content_Types].xml"),
    **dict.fromkeys(["pptx", "potx", "ppsx"], ZIP + b"ppt/presentation.xml"),
    **dict.fromkeys(["xlsx", "xltx"], ZIP + b"xl/workbook.xml"),
    **dict.fromkeys(["odt", "ott"], ODF + b"text"),
    **dict.fromkeys(["odp", "otp"], ODF + b"presentation"),
    **dict.fromkeys(["ods", "ots"], ODF + b"spreadsheet"),
    "epub": ZIP + b"mimetypeapplication/epub+zip",
    "pages": ZIP + b"Index/Document.iwa",
    "key": ZIP + b"Index/Document.iwa",
    "numbers": ZIP + b"Index/Document.iwa",
    "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0",
    "ppt": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0",
    "xlt": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0",
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0",
    "rtf": rb"{\rtf1\ansi",
    "mobi": bytes(60) + b"BOOKMOBI",
    "azw": bytes(60) + b"BOOKMOBI",
    "azw3": bytes(60) + b"BOOKMOBI",
    "djvu": b"AT&TFORM\0",
}


@pytest.mark.parametrize("extension", sorted(ALLOWED))
def test_a_document_is_what_its_name_and_its_bytes_say(extension):
    expected = {"pdf": "pdf", "epub": "book"}.get(extension, "viewed")
    assert judge(Path(f"/a/b.{extension}"), GENUINE[extension]) == expected
    assert judge(Path(f"/a/b.{extension.upper()}"), GENUINE[extension]) == expected


@pytest.mark.parametrize("extension", sorted(ALLOWED))
@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<html><script>fetch('//example.org')</script>", "text"),
        (b"#!/bin/sh\nrm -rf ~\n", "text"),
        (b"[Desktop Entry]\nExec=sh\n", "text"),
        (b"\x7fELF\x02\0\0", "binary"),
        (b"MZ\x90\0", "binary"),
        (ZIP + b"META-INF/MANIFEST.MF", "binary"),
    ],
)
def test_what_only_bears_the_name_of_a_document_is_none(extension, head, expected):
    assert judge(Path(f"/a/b.{extension}"), head) == expected


@pytest.mark.parametrize(
    "name",
    [
        *("run.sh", "run.command", "a.desktop", "a.py", "a.ps1", "a.bat", "a.svg"),
        *("a.url", "a.webloc", "a.md", "a.txt", "Makefile", ".pdf"),
    ],
)
def test_what_could_be_run_is_text(name):
    assert judge(Path("/a", name), b"open me\n") == "text"


@pytest.mark.parametrize("name", ["a.html", "a.HTM", "a.xhtml", "a.xht"])
def test_a_page_is_html_by_its_name_and_nothing_if_it_is_no_text(name):
    assert judge(Path("/a", name), b"<!doctype html>") == "html"
    assert judge(Path("/a", name), b"\x7fELF\0") == "binary"


@pytest.mark.parametrize("name", ["a.jar", "a.exe", "a.app", "a"])
def test_what_no_viewer_is_given_is_none_of_the_documents(name):
    assert judge(Path("/a", name), GENUINE["docx"]) == "binary"


@pytest.mark.parametrize("extension", sorted(MACROS))
def test_what_carries_macros_is_told_apart_by_its_type(extension):
    assert judge(Path(f"/a/b.{extension}"), GENUINE["docx"]) == "macros"
    assert judge(Path(f"/a/b.{extension}"), b"words\n") == "text"


@pytest.mark.parametrize("extension", sorted(SOURCE))
def test_what_is_read_as_it_means_is_shown_as_its_source(extension):
    assert judge(Path(f"/a/b.{extension}"), b"From: ada\n") == "source"
    assert judge(Path(f"/a/b.{extension}"), b"\x7fELF\0") == "binary"


def test_a_mailbox_without_an_extension_is_one():
    assert judge(Path("/a/Inbox"), b"From ada\n") == "source"


@pytest.mark.parametrize("head", ["\ufeffa".encode("utf-16-le"), b"\xef\xbb\xbf\0"])
def test_text_with_zeros_is_text(head):
    assert judge(Path("/a/b.txt"), head) == "text"


def test_the_types_are_those_of_the_documents():
    """What the index calls these types, by the same names."""
    labels = {kind_of(b"a." + name.encode()).label for name in ALLOWED}
    documents = {"PDF", "image", "word processing", "slides", "spreadsheet", "book"}
    assert labels == documents
    assert {kind_of(b"a." + name.encode()).family for name in HTML} == {"html"}


def test_every_document_that_is_read_can_be_opened_or_is_told_why_not():
    """Its text as it is written, or a viewer, or its source, or its folder."""
    as_written = {"text", "code", "markdown", "markup", "latex", "bibtex"}
    as_written |= {"delimited", "json", "xml", "unsupported"}
    known = set(ALLOWED) | HTML | SOURCE | MACROS
    for name, kind in known_types():
        if kind.family not in as_written:
            assert name in known, name


# --- files as they are ---


def test_a_file_that_moved_is_named_and_what_to_do_about_it(tmp_path):
    path = tmp_path / "gone.md"
    with pytest.raises(OpenError, match="pplx-local update") as raised:
        plan(bytes(path), PLACE, "open", desktop("less"))
    assert str(path) in str(raised.value)


def test_a_file_below_a_file_is_gone_too(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(OpenError, match="moved or deleted"):
        plan(bytes(tmp_path / "a" / "b.md"), PLACE, "open", desktop("less"))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(OpenError, match="is no file"):
        plan(bytes(tmp_path / "pipe.md"), PLACE, "open", desktop("less"))


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "a.md").symlink_to("a.md")
    with pytest.raises(OpenError, match=r"Cannot open .*a\.md: "):
        plan(bytes(tmp_path / "a.md"), PLACE, "open", desktop("less"))


def test_a_path_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-rf.md").write_text("x")
    command = plan(b"-rf.md", Where(), "open", desktop("less"))
    assert command.argv[-1] == str(tmp_path / "-rf.md")


def test_names_that_are_no_text_arrive_as_they_are(tmp_path):
    path = bytes(tmp_path) + b"/\xff\n$(id).pdf"
    Path(os.fsdecode(path)).write_bytes(GENUINE["pdf"])
    command = plan(path, PAGE, "open", desktop("zathura"))
    assert os.fsencode(command.argv[-1]) == path


def test_a_folder_and_a_document_are_told_apart_on_the_disk(tmp_path):
    (tmp_path / "a.pdf").mkdir()
    env = desktop("zathura", "xdg-open")
    command = plan(bytes(tmp_path / "a.pdf"), PAGE, "open", env)
    assert command.argv == ("xdg-open", str(tmp_path))


# --- the clipboard ---


@pytest.mark.parametrize(
    ("env", "argv"),
    [
        (mac("pbcopy"), ("pbcopy",)),
        (
            computer("wl-copy", "xclip", WAYLAND_DISPLAY="w", DISPLAY=":0"),
            ("wl-copy", "--type", "text/plain"),
        ),
        (
            computer("xclip", "xsel", WAYLAND_DISPLAY="w", DISPLAY=":0"),
            ("xclip", "-selection", "clipboard", "-in"),
        ),
        (desktop("xsel", "wl-copy"), ("xsel", "--clipboard", "--input")),
        (desktop(), None),
        (computer("wl-copy", "xclip", "xsel", "pbcopy"), None),
        (mac("pbcopy", SSH_TTY="/dev/ttys001"), None),
        (desktop("xclip", SSH_TTY="/dev/pts/1"), None),
    ],
)
def test_the_clipboard_is_that_of_the_desktop(env, argv):
    assert clipboard_program(env) == argv
