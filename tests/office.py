"""Small office documents and books, written by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_OFFICE = "http://schemas.openxmlformats.org/"
_NAMES = {
    "w": f"{_OFFICE}wordprocessingml/2006/main",
    "a": f"{_OFFICE}drawingml/2006/main",
    "c": f"{_OFFICE}drawingml/2006/chart",
    "dgm": f"{_OFFICE}drawingml/2006/diagram",
    "p": f"{_OFFICE}presentationml/2006/main",
    "r": f"{_OFFICE}officeDocument/2006/relationships",
    "mc": f"{_OFFICE}markup-compatibility/2006",
    "cp": f"{_OFFICE}package/2006/metadata/core-properties",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xlink": "http://www.w3.org/1999/xlink",
} | {
    prefix: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
    for prefix, name in {
        "office": "office",
        "text": "text",
        "table": "table",
        "meta": "meta",
        "draw": "drawing",
        "presentation": "presentation",
        "style": "style",
        "manifest": "manifest",
        "svg": "svg-compatible",
    }.items()
}
_SPACES = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in _NAMES.items())


def xml(name: str, content: str) -> str:
    """Make a document of one element, with all name spaces declared."""
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} {_SPACES}>{content}</{name}>'


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """Make a package."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in parts.items():
            out.writestr(name, data)
    return file.getvalue()


def related(**targets: str) -> str:
    """Write the relations of a part: for each kind, the file in the same folder."""
    listed = "".join(
        f'<Relationship Id="{kind}{i}" Target="{target}"'
        f' Type="{_OFFICE}officeDocument/2006/relationships/{kind}"/>'
        for kind, joined in targets.items()
        for i, target in enumerate(joined.split())
    )
    space = f"{_OFFICE}package/2006/relationships"
    return f'<Relationships xmlns="{space}">{listed}</Relationships>'


def core(**facts: str) -> str:
    """Write what a package says of itself."""
    names = {"created": "dcterms:created"}
    return xml(
        "cp:coreProperties",
        "".join(
            f"<{names.get(name, f'dc:{name}')}>{value}</{names.get(name, f'dc:{name}')}>"
            for name, value in facts.items()
        ),
    )


def p(text: str, style: str = "") -> str:
    """Write a paragraph of Word."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{r(text)}</w:p>'


def r(text: str) -> str:
    """Write a run of Word."""
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def docx(body: str, parts: Mapping[str, str | bytes] | None = None) -> bytes:
    """Make a document of Word."""
    document = xml("w:document", f"<w:body>{body}</w:body>")
    return packed({"word/document.xml": document, **(parts or {})})


def shape(*lines: str, holds: str = "") -> str:
    """Write a shape of a slide, a paragraph for each line."""
    place = f'<p:nvSpPr><p:nvPr><p:ph type="{holds}"/></p:nvPr></p:nvSpPr>'
    paragraphs = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    return f"<p:sp>{place if holds else ''}<p:txBody>{paragraphs}</p:txBody></p:sp>"


def pptx(slides: list[str], parts: Mapping[str, str | bytes] | None = None) -> bytes:
    """Make a presentation; the parts of its slides are numbered from the last one."""
    names = [f"slides/s{i}.xml" for i in reversed(range(len(slides)))]
    ids = "".join(f'<p:sldId id="{i}" r:id="slide{i}"/>' for i in range(len(slides)))
    shown = {
        f"ppt/{name}": xml("p:sld", f"<p:cSld><p:spTree>{slide}</p:spTree></p:cSld>")
        for name, slide in zip(names, slides, strict=True)
    }
    return packed(
        {
            "ppt/presentation.xml": xml(
                "p:presentation", f"<p:sldIdLst>{ids}</p:sldIdLst>"
            ),
            "ppt/_rels/presentation.xml.rels": related(slide=" ".join(names)),
            **shown,
            **(parts or {}),
        }
    )


def epub(
    pages: Mapping[str, str],
    *,
    facts: str = "",
    parts: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """Make a book; `nav.xhtml` and `toc.ncx` are its contents if they are in `parts`."""
    parts = parts or {}
    items = "".join(f'<item id="i{i}" href="{name}"/>' for i, name in enumerate(pages))
    if "b/nav.xhtml" in parts:
        items += '<item id="nav" href="nav.xhtml" properties="nav"/>'
    if "b/toc.ncx" in parts:
        items += '<item id="ncx" href="toc.ncx"/>'
    order = "".join(f'<itemref idref="i{i}"/>' for i in range(len(pages)))
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="b/c.opf"/></rootfiles></container>'
    )
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="{_NAMES["dc"]}">'
        f"<metadata>{facts}</metadata><manifest>{items}</manifest>"
        f'<spine toc="ncx">{order}</spine></package>'
    )
    texts = {f"b/{name.replace('%20', ' ')}": page for name, page in pages.items()}
    own = {"META-INF/container.xml": container, "b/c.opf": package}
    return packed({**own, **texts, **parts})
