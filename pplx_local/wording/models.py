"""Models: what each is and needs, and what choosing one means, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pplx_local.wording.amounts import count, short_count, size_in_words, time_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pplx_local.records import ModelChange, ModelEstimate, ModelRecord, Role


def models_in_words(profile: Mapping[Role, str | None]) -> str:
    """Say `a`, or `a (dense) and b (late)`; nothing for none."""
    used = {role: name for role, name in profile.items() if name}
    if len(set(used.values())) < 2:
        return next(iter(used.values()), "")
    return " and ".join(f"{name} ({role})" for role, name in used.items())


def kind_in_words(model: ModelRecord) -> str:
    """Say `dense and late, 23M parameters, languages: en, licence Apache-2.0`."""
    return (
        f"{' and '.join(model.roles)}, {model.parameters / 1e6:,.0f}M parameters, "
        f"languages: {', '.join(model.languages) or 'most'}, licence {model.license}"
    )


def needs_in_words(model: ModelRecord) -> str:
    """Say what it takes of the disk, or of the network, and of the memory."""
    where = "on the disk" if model.path else "to fetch"
    memory, more = model.memory_bytes, model.memory_fp32_bytes
    at_most = f" ({size_in_words(more)} without bfloat16)" if more > memory else ""
    return (
        f"{size_in_words(model.bytes)} {where}, about {size_in_words(memory)} of "
        f"memory{at_most}"
    )


def change_in_words(change: ModelChange) -> str:
    """Say `to become a: embedded 3 of 40 documents`, by leg where that differs."""
    chosen = models_in_words(change.profile) or "keywords only"
    of = f"of {count(change.documents, 'document')}"
    done = [f"{role} {n:,}" for role, n in change.embedded.items()]
    return f"to become {chosen}: embedded {', '.join(done) or 'none'} {of}"


# --- a choice ----------------------------------------------------------------


def estimate_lines(estimate: ModelEstimate, *, by_daemon: bool = False) -> list[str]:
    """Say what choosing a model means, which a running daemon embeds by itself."""
    chosen = models_in_words(estimate.profile)
    if not chosen:
        return [
            *cost_lines(estimate),
            "Vectors that are there are kept. To use them: pplx-local models use auto",
        ]
    said = [f"The model is {chosen}.", *cost_lines(estimate)]
    return [*said, _how_to_embed(by_daemon)] if estimate.documents else said


def _how_to_embed(by_daemon: bool) -> str:
    if by_daemon:
        return "The daemon embeds it now; pplx-local status tells how far."
    return "To embed it, and to go on if that was stopped: pplx-local update"


def cost_lines(estimate: ModelEstimate) -> list[str]:
    """Say what it takes until the model answers, and what answers until then."""
    if not models_in_words(estimate.profile):
        return ["Answers come from keywords alone."]
    if not estimate.documents:
        return ["Nothing has to be embedded: it answers from now on."]
    said = _cost(estimate)
    if estimate.serving == estimate.profile:
        return said
    serving = models_in_words(estimate.serving)
    now = f"{serving} goes on answering" if serving else "keywords answer alone"
    return [*said, f"Until then {now}."]


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
