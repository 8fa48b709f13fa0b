"""What help says besides the keys."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pplx_local.tui.paint import STYLES

Pairs = list[tuple[str, str]]

QUERIES: Final[Pairs] = [
    ("turbine blades", "words: what is ranked by; models see these and no others"),
    ('"suction side"', "the passage holds these words so"),
    ("-wood", "without this word, inflected or not"),
    ('-"hull paint"', "without this phrase"),
    ("path:notes", "in the path; also path:~/Papers for a folder, path:*.tex"),
    ("type:pdf,md", "an extension or kind: pdf, text, code, python, .xyz"),
    ("after:2024-05", "from that day on; also today, yesterday, 7d, 3w, 2m, 1y"),
    ("before:2024", "before it"),
    ("title:report", "in the document's title, or the file's name"),
    ("author:curie", "in the name of who wrote it, as the document states it"),
    ("lang:de", "in this language, as a code or a name"),
    ("-type:pdf", "every filter can be turned round"),
]
ABOUT_QUERIES: Final = (
    "All of it has to hold; of the same filter given twice one is enough. Filters alone "
    "list what they leave, the newest first. What is no filter is taken as words."
)

MARKS: Final[list[tuple[str, str, str]]] = [
    ("exact", STYLES["exact"], "a word of the question, inflected or not"),
    ("close", STYLES["close"], "another word that means nearly the same"),
    ("near", STYLES["near"], "one that is near in meaning"),
    ("far", STYLES["far"], "one that is hardly near, but the nearest here"),
]
"""Name, style, meaning."""

CONFIDENCE: Final = (
    "The number at a hit is the chance that it answers, learnt from questions whose "
    "answers are known: of hits at 0.8 about four in five are right. It is low for all "
    'hits where nothing fits, and then "nothing close" is said. Where a model was not '
    'measured yet there is a "score" instead, by which hits of one question can be '
    "compared and no others."
)

LEGS: Final[Pairs] = [
    ("hybrid", "all of those below together; what is usual"),
    ("lexical", "keywords: the words themselves, the rare ones first"),
    ("dense", "the meaning of a passage as a whole"),
    ("late", "the meaning of each of its words"),
]


def places(home: Path) -> Pairs:
    """Say where things lie."""
    return [
        ("home", str(home)),
        ("index", str(home / "index.db")),
        ("settings", str(home / "config.toml")),
        ("models", str(home / "models")),
        ("log", str(home / "logs" / "daemon.log")),
        ("questions", str(home / "tui.json")),
    ]
