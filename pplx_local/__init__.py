"""Private search over a person's own folders, with nothing leaving the laptop."""

__version__ = "0.1.0"
