"""The command that chooses a model: what it will cost comes before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pplx_local.cli.as_json import jsonable
from pplx_local.cli.invocation import Invocation
from pplx_local.cli.options import AsJson, complete_model
from pplx_local.cli.show import say, write_json
from pplx_local.daemon.client import RemoteIndex
from pplx_local.wording.amounts import count, short_count, size_in_words, time_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pplx_local.records import ModelEstimate, Role


def use(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=complete_model,
            help="A checkpoint, or two as 'A + B'; auto for the best one here, none "
            "for keywords only.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Choose the model. What answers now goes on until updates have embedded all."""
    with Invocation.of(ctx).library(write=True) as index:
        estimate = index.estimate_model(name)
        for line in estimate_lines(estimate, by_daemon=isinstance(index, RemoteIndex)):
            say(line)
        removed = index.use_model(name)
        if removed:
            say(f"Removed the vectors of {' and '.join(removed)}.")
            say("To give their room back to the disk now: pplx-local purge")
    if as_json:
        write_json({**jsonable(estimate), "removed": removed})


def estimate_lines(estimate: ModelEstimate, *, by_daemon: bool = False) -> list[str]:
    """Say what choosing a model means."""
    chosen = models_in_words(estimate.profile)
    if not chosen:
        return _without_model()
    said = [f"The model is {chosen}."]
    if not estimate.documents:
        return [*said, "Nothing has to be embedded: it answers from now on."]
    return [*said, *_cost(estimate), *_meanwhile(estimate, by_daemon)]


def models_in_words(profile: Mapping[Role, str | None]) -> str:
    """Say `a`, or `a (dense) and b (late)`; nothing for none."""
    used = {role: name for role, name in profile.items() if name}
    if len(set(used.values())) < 2:
        return next(iter(used.values()), "")
    return " and ".join(f"{name} ({role})" for role, name in used.items())


def _without_model() -> list[str]:
    return [
        "Answers come from keywords alone.",
        "Vectors that are there are kept. To use them: pplx-local models use auto",
    ]


def _cost(estimate: ModelEstimate) -> list[str]:
    seconds = estimate.seconds
    duration = "time not known yet" if seconds is None else time_in_words(seconds)
    memory = f"{size_in_words(estimate.memory_bytes)} of memory"
    if estimate.memory_fp32_bytes > estimate.memory_bytes:
        more = size_in_words(estimate.memory_fp32_bytes)
        memory += f" ({more} on a processor without bfloat16)"
    return [
        f"To embed: {count(estimate.documents, 'document')}, about "
        f"{short_count(estimate.tokens)} tokens, {duration}.",
        f"That takes about {memory}, and "
        f"{size_in_words(estimate.disk_bytes)} on the disk "
        f"({size_in_words(estimate.free_disk_bytes)} free).",
    ]


def _meanwhile(estimate: ModelEstimate, by_daemon: bool) -> list[str]:
    said = []
    if estimate.serving != estimate.profile:
        serving = models_in_words(estimate.serving)
        said.append(f"Until then {serving} goes on answering.")
    if by_daemon:
        return [*said, "The daemon embeds it now; pplx-local status tells how far."]
    return [*said, "To embed it, and to go on if that was stopped: pplx-local update"]
