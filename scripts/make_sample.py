#!/usr/bin/env python3
"""Make the binary files of assets/sample/.

The same bytes come out each time, so that the index of the sample never changes by
itself. Needs the dependency group "samples".

    python scripts/make_sample.py [DIR]
"""

from __future__ import annotations

import sys
from pathlib import Path

from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import (
    Flowable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

SAMPLE = Path(__file__).parents[1] / "assets" / "sample"
PAPER = Path("work", "tidal-turbines.pdf")
TITLE = "Three Years of Tidal Turbines in the Korr Strait"

PAGES = (
    (
        "Abstract",
        """We report on three years of operation of four tidal turbines in the Korr
        Strait. The array delivered 5.9 gigawatt hours a year, 12 per cent less than the
        site survey had promised. Most of the gap comes from one cause, the wake of the
        upstream pair, and could have been foreseen.""",
        """Tides can be predicted for centuries, and this makes their power more
        valuable to a grid than the same energy from wind. What cannot be predicted so
        well is how machines bear salt, sand and growth. There are few public records of
        arrays that ran for longer than a year. This paper adds one.""",
    ),
    (
        "1. Site and machines",
        """The strait is 1,100 metres wide and 34 metres deep where the turbines stand.
        At springs the current reaches 3.4 metres a second. The bed is gravel over
        sandstone, which spared us driven piles: each machine rests on a tripod that is
        held down by 380 tonnes of scrap iron.""",
        """Each rotor has two blades and a diameter of 16 metres. The blades are made of
        glass fibre around a spar of carbon, and they can be turned about their long
        axis, so that the machine works on ebb and flood without turning its
        nacelle.""",
    ),
    (
        "2. Growth on the blades",
        """By the second summer barnacles covered a fifth of the blades' suction side,
        and the power at a given current had fallen by 9 per cent. Two coatings were
        compared. A silicone that lets go of whatever sits on it kept the surface clean
        for 26 months; the copper paint was bare metal after ten.""",
        """Divers cannot work in the strait for longer than 25 minutes at slack water.
        Cleaning therefore means lifting the nacelle, which costs a vessel for a
        day.""",
    ),
    (
        "3. Seals and porpoises",
        """The licence asked for proof that no animal is harmed. Hydrophones on the
        tripods followed harbour porpoises by their clicks. They kept a distance of at
        least 30 metres while the rotors turned and came back within an hour after they
        stopped. Of 2,114 tracks none crossed the swept area.""",
        """Grey seals behaved otherwise. Young animals rested in the lee of the tripods,
        and cameras showed them hunting saithe between the legs. No collision was
        seen.""",
    ),
    (
        "4. What failed",
        """The bearings that we had feared gave no trouble. The longest outage, 71 days,
        was caused by a connector of the export cable, a part that cost 900 crowns.
        Water crept along the cable's screen. We now fit two seals and test the gap
        between them with nitrogen before lowering.""",
        """Our advice to those who come after us: keep a spare of every part that is
        wet, however cheap, and leave five rotor diameters more between the rows than
        the model says.""",
    ),
)
OUTAGES = (
    ("Cause", "Days"),
    ("Cable connector", "71"),
    ("Pitch drive", "23"),
    ("Planned lifting", "18"),
    ("Converter", "6"),
)


def story() -> list[Flowable]:
    """Lay the paper out, one section to a page."""
    styles = getSampleStyleSheet()
    flow: list[Flowable] = [Paragraph(TITLE, styles["Title"])]
    for heading, *paragraphs in PAGES:
        flow.append(Paragraph(heading, styles["Heading2"]))
        for text in paragraphs:
            flow += [Paragraph(text, styles["BodyText"]), Spacer(1, 6)]
        flow.append(PageBreak())
    return [*flow[:-1], Table(OUTAGES)]


def make(folder: Path) -> Path:
    """Write the paper into a folder laid out like the sample's."""
    path = folder / PAPER
    path.parent.mkdir(parents=True, exist_ok=True)
    # Compressed pages would differ between versions of zlib.
    document = SimpleDocTemplate(
        str(path),
        pagesize=A5,
        title=TITLE,
        author="R. Halloran, M. Okafor, S. Lindqvist",
        invariant=1,
        pageCompression=0,
    )
    document.build(story())
    return path


if __name__ == "__main__":
    print(make(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE))
