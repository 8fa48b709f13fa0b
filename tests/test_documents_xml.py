"""What is read of XML: its text on the lines of the file, or all where tags say more."""

from __future__ import annotations

from collections.abc import Iterable
from html import unescape
from pathlib import Path

import pytest
from documents import Read, read_here
from hypothesis import given
from hypothesis import strategies as st

from pplx_local.documents.formats.outline import Outline
from pplx_local.documents.formats.xml.tokens import Markup, Token, tokens
from pplx_local.documents.formats.xml.writer import XmlWriter

LEAFLETS = Path(__file__).parents[2] / "shared" / "folders" / "home/Health/NIDDK"
LEAFLET = """<?xml version="1.0" encoding="UTF-8"?>
<!-- No word
     of this -->
<Document id="7" xml:lang="en-GB"
          url="http://clinic.example/shingles">
  <Title>Shingles &amp; you</Title>
  <Section><Title>Signs</Title>
    <Para>A rash comes <em>be</em>fore the pain does,
    and H<sub>2</sub>O<br/>helps with it.</Para>
    <Row><Cell>one day</Cell><Cell>two days</Cell></Row>
  </Section>
  <Section><Title>Care</Title><![CDATA[
    if a < b: take the <smaller> of the two
    ]]>
  </Section>
</Document>
"""


def test_a_text_stands_on_its_line_of_the_file(read: Read) -> None:
    text, document = read("a.xml", LEAFLET)
    lines = text.split("\n")
    assert [line for line in lines if line] == [
        "Shingles & you",
        "Signs",
        "A rash comes before the pain does,",
        "    and H2O helps with it.",
        "one day two days",
        "Care",
        "    if a < b: take the <smaller> of the two",
    ]
    written = LEAFLET.split("\n")
    for word in ("Shingles", "Signs", "rash", "helps", "one day", "Care", "smaller"):
        (line,) = (i for i, line in enumerate(lines) if word in line)
        assert word in written[line]
    assert (document.title, document.language) == ("Shingles & you", "en")


def test_titles_are_headings_as_deep_as_they_lie(read: Read) -> None:
    text, document = read("a.xml", LEAFLET)
    found = [(one.kind, one.label) for one in document.segments]
    assert found == [
        ("heading", "Shingles & you"),
        ("heading", "Signs"),
        ("heading", "Care"),
    ]
    whole, signs, care = (one.char_span for one in document.segments)
    assert text[care.start :].startswith("Care")
    assert (whole.end, signs.end, care.end) == (len(text), care.start, len(text))


@pytest.mark.parametrize(
    "source",
    [
        '<project><id>log4j</id><version>1.2</version><scope a="test it">x</scope>'
        "</project>",
        '<config><set name="retention of old mail in days" value="30"/>'
        "<note>how long mail is kept here</note></config>",
        "<plist><dict><key>Name</key><string>Pump</string></dict></plist>",
        "a < b and c > d, which are no tags",
        "<<<<<<< ours",
    ],
)
def test_names_stay_where_they_say_more_than_the_text(read: Read, source: str) -> None:
    assert read("a.xml", source)[0] == source


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<a>six words before an entity &mine; &eacute;</a>", "&mine; é"),
        ("<a>six words before it breaks off <b>here", "off here"),
        ("<a>five words come before one <b>and two</a></b></c> all", "two all"),
        ("<a>six words before a comment <!-- <b>that never ends", "<b>that never ends"),
        ('<a>six words before a tag <b c="that never ends', '<b c="that never ends'),
        (
            '<!DOCTYPE a [<!ENTITY b "<c>bomb</c>">]>\n<a>it is never &b; expanded at</a>',
            "\nit is never &b; expanded at",
        ),
        ("<a>a line &#10;end and &#0;&#13; controls &#x1F600;</a>", "a line  end and"),
    ],
)
def test_what_is_not_well_formed_is_read_as_far_as_it_goes(
    read: Read, source: str, text: str
) -> None:
    assert text in read("a.xml", source)[0]


def test_one_line_is_laid_out(read: Read) -> None:
    member = "<item><name>A pump that ran dry</name><what>It leaks <b>a lot</b></what></item>"
    text, _ = read("a.xml", f"<list>{member * 30}</list>")
    assert text.split("\n") == ["A pump that ran dry", "It leaks a lot"] * 30


def test_a_feed_of_pages_has_their_text_alone(read: Read) -> None:
    page = '&lt;p class="lead"&gt;Tea &amp;amp; cake are served&lt;/p&gt;'
    other = "<![CDATA[<p>The kettle\n<b>broke</b> in May</p>]]>"
    feed = f"<rss><item><title>Tea</title><d>{page}</d>\n<d>{other}</d></item></rss>"
    text, _ = read("a.xml", feed)
    assert text.split("\n") == [
        "Tea Tea & cake are served",
        "The kettle",
        "broke in May",
    ]


def test_a_document_of_word_is_no_heap_of_tags_and_pictures(read: Read) -> None:
    picture = "\n".join(["QUJD" * 19] * 20)
    source = (
        '<?mso-application progid="Word.Document"?><w:doc xmlns:w="x">'
        f'<w:rPr w:val="{"looks " * 50}"/><w:t>Minutes</w:t>\n\n\n\n<w:t>of May</w:t>'
        f"<w:binData>{picture}</w:binData></w:doc>"
    )
    assert read("a.xml", source)[0].split() == ["Minutes", "of", "May", "…"]


def test_the_encoding_is_the_stated_one(read: Read) -> None:
    source = (
        '<?xml version="1.0" encoding="koi8-r"?><a>мой дядя самых честных правил</a>'
    )
    assert read("a.xml", source.encode("koi8-r"))[0] == "мой дядя самых честных правил"


@given(
    parts=st.lists(
        st.sampled_from(
            [
                "<a",
                "<b>",
                "</b>",
                "<!--",
                "-->",
                "<![CDATA[",
                "]]>",
                "&lt;",
                "&#9",
                '"',
                "'",
                "x",
            ]
        )
    ),
    size=st.integers(1, 7),
)
def test_tokens_are_the_same_however_the_text_comes(
    parts: list[str], size: int
) -> None:
    text = "".join(parts)
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    assert joined(tokens(pieces)) == joined(tokens([text]))


def joined(found: Iterable[Token]) -> list[str | Markup]:
    """Join the words between two pieces of markup."""
    runs: list[str | Markup] = [""]
    for token in found:
        if isinstance(token, Markup):
            runs += [token, ""]
        else:
            runs[-1] = f"{runs[-1]}{token.text}"
    return runs


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "unit",
    ["<", "<!--", '<a "', "<a '\" ", "<![CDATA[", "<!a [", "&#", "<a>", "x <b ", "]"],
)
def test_time_is_linear_whatever_the_file_holds(unit: str) -> None:
    writer = XmlWriter(Outline("heading"), border=" ", keeps_lines=True)
    for token in tokens([unit * (100_000 // len(unit))] * 2):
        writer.add(token)


@pytest.mark.shared
@pytest.mark.skipif(
    not LEAFLETS.is_dir(), reason="needs the real files of ../shared/folders"
)
def test_real_leaflets_stand_on_their_lines() -> None:
    for path in sorted(LEAFLETS.glob("*.xml"))[:20]:
        written = path.read_text("utf-8").split("\n")
        lines = read_here(path).text.split("\n")
        assert sum(map(len, lines)) > sum(map(len, written)) / 2
        for line, source in zip(lines, written, strict=False):
            assert " ".join(line.split()[:5]) in " ".join(unescape(source).split())
