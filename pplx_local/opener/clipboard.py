"""The clipboard of the system, where a program of the system reaches it."""

from __future__ import annotations

import subprocess

from pplx_local.opener.environment import Environment

_TIMEOUT_S = 2.0


def clipboard_program(environment: Environment) -> tuple[str, ...] | None:
    """Choose the program that puts what it reads from stdin on the clipboard.

    Returns:
        None where there is none, and over ssh, where it would be the clipboard of the
        wrong computer: the terminal can be asked instead, by OSC 52.
    """
    if environment.is_remote:
        return None
    choices: list[tuple[str, ...]] = []
    if environment.is_mac:
        choices.append(("pbcopy",))
    if environment.variables.get("WAYLAND_DISPLAY"):
        # Without the type it guesses one, and text is pasted as a script or a picture.
        choices.append(("wl-copy", "--type", "text/plain"))
    if environment.variables.get("DISPLAY"):
        choices.append(("xclip", "-selection", "clipboard", "-in"))
        choices.append(("xsel", "--clipboard", "--input"))
    return next((argv for argv in choices if environment.find(argv[0])), None)


def copy(text: str, environment: Environment) -> bool:
    """Put a text on the clipboard; takes milliseconds, and never longer than 2 s.

    The text goes through a pipe: arguments can be read by everybody on the computer.

    Returns:
        Whether it is there now.
    """
    argv = clipboard_program(environment)
    if argv is None:
        return False
    variables = dict(environment.variables)
    if environment.is_mac:
        variables["LC_ALL"] = "en_US.UTF-8"  # what pbcopy takes its input for
    try:
        done = subprocess.run(
            argv,
            input=text.encode("utf-8", "surrogateescape"),
            stdout=subprocess.DEVNULL,  # who keeps the clipboard would keep a pipe open
            stderr=subprocess.DEVNULL,
            env=variables,
            start_new_session=True,  # it outlives the terminal, and so does the text
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
