"""The command line. Nothing heavy is imported before a command needs it."""

import sys

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> None:
    """Run the program; Ctrl-C while it is still being loaded ends it in order too."""
    try:
        from pplx_local.cli.start import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
