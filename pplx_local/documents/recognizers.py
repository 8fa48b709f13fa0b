"""What this computer recognises text in pictures with."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec

TESSERACT = "tesseract"
VISION = "ocrmac"


def recognizer() -> str | None:
    """Name what is here: the system's own on a Mac, else Tesseract; None for neither."""
    if sys.platform == "darwin" and find_spec(VISION) is not None:
        return VISION
    return TESSERACT if shutil.which(TESSERACT) else None


def how_to_get() -> str:
    """Say what has to be installed."""
    if sys.platform == "darwin":
        return "pip install 'pplx-local[ocr]'"
    return "install the package tesseract-ocr of your system"
