"""What each format family makes of its files."""

from __future__ import annotations

from itertools import pairwise

import pytest
from documents import Read
from hypothesis import given
from hypothesis import strategies as st

from pplx_local.documents.decode import decode_stream
from pplx_local.documents.formats.outline import Outline
from pplx_local.errors import NoText, Unreadable, Unsupported
from pplx_local.records import Document


def sections(text: str, document: Document) -> dict[str, str]:
    return {
        segment.label: text[segment.char_span.start : segment.char_span.end]
        for segment in document.segments
    }


# --- encodings ---------------------------------------------------------------

SAMPLES = {
    "utf-8": "Größe — 日本語 😀",
    "utf-8-sig": "Größe — 日本語 😀",
    "utf-16": "Größe — 日本語 😀",
    "utf-16-le": "ordinary words, and Größe",
    "utf-16-be": "ordinary words, and Größe",
    "utf-32": "Größe — 日本語 😀",
    "utf-32-le": "Größe — 日本語 😀",
    "utf-32-be": "Größe — 日本語 😀",
    "iso2022_jp": "日本語のテキストです",
    "shift_jis": "日本語のテキストです。今日は天気がいい。",
    "euc_jp": "日本語のテキストです。今日は天気がいい。",
    "gb18030": "中文测试文本我们在这里。今天的天气很好。",
    "big5": "繁體中文文字。今天的天氣很好。",
    "cp949": "한국어 텍스트입니다. 오늘은 날씨가 좋습니다.",
    "mac_roman": "El niño comió una piña; ¿qué pasó mañana? Naïve Größe.",
    "cp850": "Le comité s'est réuni pour réparer le toit à Noël.",
    "latin-1": "Größe, naïve façade, Straße, déjà vu",
    "cp1252": "“Zitat”… Größe € und Straße",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "cp1251": "Привет, мир! Это проверка того, как читается старый файл.",
    "koi8_r": "Привет, мир! Это проверка того, как читается старый файл.",
    "cp1253": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
}


@pytest.mark.parametrize("encoding", SAMPLES)
def test_encodings_are_found(encoding: str) -> None:
    text = (SAMPLES[encoding] + "\n") * 5
    assert "".join(decode_stream([text.encode(encoding)])) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("größe ".encode() + "größe".encode("latin-1"), "größe größe"),
        ("abc 日本".encode()[:-1], "abc 日\ufffd"),
        (b"before\0after a stray NUL\n", "before\ufffdafter a stray NUL\n"),
        (b"one\rtwo\r\nthree\n", "one\ntwo\nthree\n"),
        (b"<|endoftext|>[CLS]", "<|endoftext|>[CLS]"),
    ],
)
def test_a_text_is_fixed_once(data: bytes, text: str) -> None:
    assert "".join(decode_stream([data])) == text


def test_a_short_text_in_japanese_is_no_western_one() -> None:
    text = "日本語のテキストです needle\n"
    assert "".join(decode_stream([text.encode("shift_jis")])) == text


@pytest.mark.timeout(20)
def test_wrong_bytes_behind_a_long_line_are_found_at_once() -> None:
    text = "words and more " * 60_000 + SAMPLES["latin-1"]
    data = text.encode("latin-1")
    assert "Größe, naïve" in "".join(decode_stream([data]))


@given(text=st.text(), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_text_in_utf8_comes_back_however_it_is_read(text: str, cuts: list[int]) -> None:
    data = ("words " * 20 + text).encode("utf-8", "replace")
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    expected = data.decode().replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(decode_stream(pieces)) == expected.replace("\0", "\ufffd")


@given(data=st.binary(max_size=300))
def test_any_bytes_give_storable_text_or_a_reason(data: bytes) -> None:
    try:
        text = "".join(decode_stream([data]))
    except Unsupported as error:
        text = str(error)
    text.encode()
    assert not {"\0", "\r"} & set(text)


# --- Markdown ----------------------------------------------------------------


def test_markdown_stays_as_it_is_written_and_its_headings_nest(read: Read) -> None:
    content = "intro\n\n# One #\na\n## Two\nb\n### C#\nc\n## Three\nd\n# Four\ne"
    text, document = read("a.md", content)
    assert text == content
    assert document.title == "One"
    assert sections(text, document) == {
        "One": "# One #\na\n## Two\nb\n### C#\nc\n## Three\nd\n",
        "Two": "## Two\nb\n### C#\nc\n",
        "C#": "### C#\nc\n",
        "Three": "## Three\nd\n",
        "Four": "# Four\ne",
    }


def test_underlined_headings_are_headings(read: Read) -> None:
    text, document = read("a.md", "Title\n=====\n\ntext\n\nPart\n---\n\n- a\n---\n")
    assert document.title == "Title"
    assert list(sections(text, document)) == ["Title", "Part"]


def test_a_hash_in_a_fence_is_no_heading(read: Read) -> None:
    fenced = "```sh\n# no\n~~~\n# no\n````\n# yes\n~~~~\n# no\n~~~\n# no\n~~~~\n#tag\n"
    text, document = read("a.md", fenced + "# also\n")
    assert list(sections(text, document)) == ["yes", "also"]


def test_front_matter_gives_title_language_and_fields(read: Read) -> None:
    matter = '---\ntitle: "A: day"\n# no heading\nlang: de-CH\nbomb: &a [*a]\n---\n'
    text, document = read("a.md", matter + "# One\n")
    assert (document.title, document.language) == ("A: day", "de")
    assert document.metadata == {"title": "A: day", "lang": "de-CH"}
    assert list(sections(text, document)) == ["One"]


@pytest.mark.parametrize(
    ("matter", "stated"),
    [
        ("---\nauthor: Ada\ntags: [tide, 'a, b']\n---\n",
         {"author": "Ada", "tags": "tide, a, b"}),
        ("---\nauthor:\n  - Ada L.\n  - \"Bob\"\ntags:\n- x\n- y\n...\n",
         {"author": "Ada L., Bob", "tags": "x, y"}),
        ("---\nauthors:\n  - name: Ada\n    email: a@x\n---\n",
         {"authors": "Ada", "author": "Ada"}),
        ("---\nauthor:\n  name: Ada\n---\n", {"author": "Ada"}),
        ('+++\nauthor = "Ada"\ntags = ["x", "y"]\n+++\n',
         {"author": "Ada", "tags": "x, y"}),
        ("---\na: # nothing\nb: *c\nhttp://x: 1\n---\n", {}),
        ("---\nno end: x\n", {}),
        ("text\n\n---\nauthor: Ada\n---\n", {}),
    ],
)  # fmt: skip
def test_front_matter_states_authors_and_tags(
    read: Read, matter: str, stated: dict[str, str]
) -> None:
    text, document = read("a.md", matter + "# One\n")
    assert document.metadata == stated
    assert list(sections(text, document)) == ["One"]


def test_headings_are_found_in_every_block(read: Read) -> None:
    parts = [f"# Part {i}\n\n" + "words and words\n" * 9_000 for i in range(5)]
    text, document = read("long.md", "".join(parts))
    assert list(sections(text, document).values()) == parts


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 200_000,
        ">" * 50_000,
        "`" * 200_000,
        "# " + " " * 300_000,
        "```\n" * 50_000,
        "a\n---\n" * 30_000,
        "---\n" + "a: b\n" * 60_000,
        "---\n" + "a: [" + "'" * 1_900 + "\n" + "- x\n" * 190 + "---\n",
        "\n" * 300_000 + "=" * 200,
    ],
)
@pytest.mark.timeout(20)
def test_hostile_markdown_takes_no_longer_than_other_text(
    read: Read, hostile: str
) -> None:
    assert read("a.md", hostile + "\nneedle")[0].endswith("needle")


@given(levels=st.lists(st.integers(1, 6), max_size=12))
def test_sections_nest_or_follow_each_other(levels: list[int]) -> None:
    outline = Outline("heading")
    for start, level in enumerate(levels):
        outline.add(start, level, "words")
    spans = [segment.char_span for segment in outline.segments(len(levels))]
    assert [span.start for span in spans] == list(range(len(levels)))
    for i, outer in enumerate(spans):
        inside = levels[i + 1 : outer.end]
        assert all(level > levels[i] for level in inside)
        assert outer.end == len(levels) or levels[outer.end] <= levels[i]


# --- HTML --------------------------------------------------------------------


def test_html_gives_what_a_browser_shows(read: Read) -> None:
    page = """<!doctype html><html lang="de-AT"><head><title> A
    page </title><style>p{}</style><script>x()</script></head><body>
    <h1>One <em>big</em> day</h1><p>Some <b>bold</b>, and
    more.<br>Next&nbsp;line &amp; end</p><!-- no --><template>no</template>
    <ul><li>a<li>b</ul><table><tr><th>k<th>v<tr><td>1<td>2</table>
    <pre>  x
    y</pre><h2>Two</h2>z</body></html>"""
    text, document = read("a.html", page)
    assert text == (
        "One big day\n\nSome bold, and more.\nNext line & end\n\na\nb\n\n"
        "k\tv\n1\t2\n\n  x\n    y\n\nTwo\n\nz"
    )
    assert (document.title, document.language) == ("A page", "de")
    assert sections(text, document) == {"One big day": text, "Two": "Two\n\nz"}


def test_a_picture_is_what_its_page_says_of_it(read: Read) -> None:
    page = """<p>See<img src=a alt="the old  mill">.</p><img alt="">
    <h2><img alt="Part Two"></h2><input type="image" alt="Find">
    <svg><style>x</style><title>Map</title><text>North</text><text>South</text></svg>"""
    text, document = read("a.html", page)
    assert text == "See the old mill .\n\nPart Two\n\nFind\nMap\nNorth\nSouth"
    assert list(sections(text, document)) == ["Part Two"]


@pytest.mark.parametrize(
    ("head", "author"),
    [
        ('<meta name="Author" content=" Ada Lovelace ">', "Ada Lovelace"),
        ('<meta property="article:author" content="https://x.org/ada">', None),
        ('<meta name=citation_author content=A><meta name=citation_author content=B>',
         "A, B"),
        ('<meta name="author" content="">', None),
    ],
)  # fmt: skip
def test_a_page_states_its_authors(read: Read, head: str, author: str | None) -> None:
    assert read("a.html", head + "<p>words")[1].metadata.get("author") == author


@pytest.mark.parametrize(
    "page",
    [
        '<meta charset="iso-8859-1"><p>Größe'.encode("latin-1"),
        '<meta charset="iso-8859-1"><p>Größe'.encode(),
        '<meta charset="no-such"><p>Größe'.encode("latin-1"),
        '<meta charset="unicode_escape"><p>Größe'.encode("latin-1"),
        "<p>Größe".encode("utf-16"),
    ],
)
def test_the_charset_of_a_page_is_believed_only_if_it_fits(
    read: Read, page: bytes
) -> None:
    assert read("a.html", page)[0] == "Größe"


def test_elements_that_close_themselves_swallow_no_page(read: Read) -> None:
    page = """<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head>
    <title/><script src="a.js"/></head><body><p id="a"/>so&shy;ft<br/>words</body></html>"""
    assert read("a.xhtml", page)[0] == "soft\nwords"


def test_what_stands_for_an_object_is_read(read: Read) -> None:
    assert read("a.html", "<object data=x><p>instead</object>")[0] == "instead"


def test_html_that_nests_without_end_is_refused_at_once(read: Read) -> None:
    with pytest.raises(Unreadable, match="over 10,000 elements deep"):
        read("a.html", "<div>" * 100_000 + "deep" + "</div>" * 100_000)
    assert read("b.html", "<p>word<br>" * 20_000)[0].count("word") == 20_000
    assert read("c.html", "<b>word</b>" * 20_000)[0].count("word") == 20_000


def test_nested_and_unclosed_html_is_read(read: Read) -> None:
    assert read("a.html", "<div>" * 5_000 + "deep")[0] == "deep"
    assert read("a.html", "<b><i><a href='" * 500 + "'>soup")[0].endswith("soup")


# --- PDF ---------------------------------------------------------------------


def pdf(*pages: str, trailer: str = "", title: str = "") -> bytes:
    """Write a PDF by hand: one line of text per line, no compression."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, page in enumerate(pages):
        shown = "".join(f"({line}) Tj T* " for line in page.split("\n") if line)
        stream = f"BT /F1 12 Tf 14 TL 72 700 Td {shown}ET"
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources"
            f" << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * i} 0 R >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    objects.append(f"<< /Title ({title}) >>")
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    return (
        f"{out}xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size}"
        f" /Root 1 0 R /Info {size - 1} 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF"
    ).encode("latin-1")


def test_each_page_of_a_pdf_is_a_place(read: Read) -> None:
    text, document = read("a.pdf", pdf("One\nline two", "", "Three", title="On pages"))
    assert text == "One\nline two\n\nThree\n\n"
    assert document.title == "On pages"
    assert sections(text, document) == {"1": "One\nline two\n\n", "3": "Three\n\n"}
    assert document.metadata == {"pages": "3", "pages_without_text": "1 of 3: 2"}


def test_words_broken_at_a_line_end_are_mended(read: Read) -> None:
    text, _ = read("a.pdf", pdf("a hyphen at the end of a line is mis-\nleading here"))
    assert text == "a hyphen at the end of a line is misleading here\n\n"


@pytest.mark.parametrize(
    "title", ["", "untitled", "Microsoft Word - a.doc", "thesis_v3.tex", "..."]
)
def test_a_title_that_a_program_made_up_is_none(read: Read, title: str) -> None:
    assert read("a.pdf", pdf("words", title=title))[1].title is None


def test_a_pdf_without_a_text_layer_says_so(read: Read) -> None:
    with pytest.raises(NoText, match="2 pages without a text layer: a scan"):
        read("a.pdf", pdf("", ""))


def test_an_encrypted_pdf_asks_for_its_password(read: Read) -> None:
    key = "<41" + "42" * 31 + ">"
    trailer = (
        f"/Encrypt << /Filter /Standard /V 1 /R 2 /O {key} /U {key} /P -4 >>"
        " /ID [<01> <01>]"
    )
    with pytest.raises(Unreadable, match="encrypted: it needs a password"):
        read("a.pdf", pdf("secret", trailer=trailer))


def test_why_a_pdf_is_refused_does_not_depend_on_the_one_before(read: Read) -> None:
    trailer = "/Encrypt << /Filter /Nope /V 99 >>"
    with pytest.raises(Unreadable, match="encrypted in a way"):
        read("a.pdf", pdf("secret", trailer=trailer))
    with pytest.raises(Unreadable, match="damaged: its pages"):
        read("b.pdf", pdf())


def test_a_pdf_after_junk_is_read(read: Read) -> None:
    assert read("a.pdf", b"junk " * 999 + pdf("words"))[0] == "words\n\n"


def test_a_bomb_of_pages_is_refused(read: Read) -> None:
    one = pdf("words and words " * 300)
    bomb = one.replace(b"/Kids [4 0 R] /Count 1", b"/Kids [" + b"4 0 R " * 5_000 + b"]")
    with pytest.raises(Unreadable, match="far more text than a file of its size"):
        read("a.pdf", bomb)
