"""The names of languages, as far as the language of a text can be told."""

from __future__ import annotations

from types import MappingProxyType

_NAMES = """
af afrikaans|am amharic|ar arabic|az azerbaijani|be belarusian|bg bulgarian|bn bengali
bs bosnian|ca catalan|ceb cebuano|co corsican|cs czech|cy welsh|da danish|de german
el greek|en english|eo esperanto|es spanish|et estonian|eu basque|fa persian|fi finnish
fr french|fy frisian|ga irish|gd gaelic|gl galician|gu gujarati|ha hausa|haw hawaiian
he hebrew|hi hindi|hmn hmong|hr croatian|ht haitian|hu hungarian|hy armenian
id indonesian|ig igbo|is icelandic|it italian|ja japanese|jv javanese|ka georgian
kk kazakh|km khmer|kn kannada|ko korean|ku kurdish|ky kyrgyz|la latin|lb luxembourgish
lo lao|lt lithuanian|lv latvian|mg malagasy|mi maori|mk macedonian|ml malayalam
mn mongolian|mr marathi|ms malay|mt maltese|my burmese|ne nepali|nl dutch|no norwegian
ny chichewa|pa punjabi|pl polish|ps pashto|pt portuguese|ro romanian|ru russian
sd sindhi|si sinhala|sk slovak|sl slovenian|sm samoan|sn shona|so somali|sq albanian
sr serbian|st sotho|su sundanese|sv swedish|sw swahili|ta tamil|te telugu|tg tajik
th thai|tl tagalog|tr turkish|uk ukrainian|ur urdu|uz uzbek|vi vietnamese|xh xhosa
yi yiddish|yo yoruba|zh chinese|zu zulu
"""
_OTHER_NAMES = {
    "farsi": "fa",
    "filipino": "tl",
    "flemish": "nl",
    "mandarin": "zh",
    "nb": "no",
    "nn": "no",
    "slovene": "sl",
}

CODES = MappingProxyType(
    {
        name: entry.split()[0]
        for entry in _NAMES.replace("\n", "|").split("|")
        for name in entry.split()
    }
    | _OTHER_NAMES
)
"""From what a person may write, a code or an English name, to the code."""
