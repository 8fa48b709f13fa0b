"""Arrays to the device and results back, while the device goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

_Put = Callable[[list[NDArray[Any]]], None]
_Work = Callable[[Tensor], None]


def send_there(array: NDArray[Any], device: torch.device) -> Tensor:
    """Bring an array to a device; on CUDA behind what it does, without waiting."""
    here = torch.from_numpy(array)
    if device.type != "cuda":
        return here.to(device)
    return here.pin_memory().to(device, non_blocking=True)


class Outbox:
    """Copies tensors to the host and hands them over once they are there.

    On CUDA copies have a stream of their own and memory that does not move, so that the
    next pass is computed meanwhile; elsewhere there is nothing to wait for.
    """

    def __init__(self, device: torch.device) -> None:
        # First in turn: what it does is little, and would wait for all of a pass.
        is_cuda = device.type == "cuda"
        self._stream = torch.cuda.Stream(device, priority=-1) if is_cuda else None
        self._waiting: list[tuple[torch.cuda.Event, list[Tensor], _Put]] = []
        self._held: list[tuple[torch.cuda.Event, Tensor, _Work]] = []

    def send(self, tensors: list[Tensor], put: _Put) -> None:
        """Send tensors, and give `put` their arrays now or with the next `deliver`."""
        if self._stream is None:
            put([one.cpu().numpy() for one in tensors])
            return
        self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        arrived = torch.cuda.Event()
        with torch.cuda.stream(self._stream):
            there = [
                torch.empty_like(one, device="cpu", pin_memory=True) for one in tensors
            ]
            for source, target in zip(tensors, there, strict=True):
                target.copy_(source, non_blocking=True)
                source.record_stream(self._stream)  # it is not written to before
            arrived.record(self._stream)
        self._waiting.append((arrived, there, put))

    def hold(self, tensor: Tensor, work: _Work) -> None:
        """Do something with a tensor now, or with the next `deliver`.

        Args:
            tensor: On the device.
            work: It may wait for the device, which computes the next pass meanwhile,
                and may send.
        """
        if self._stream is None:
            work(tensor)
            return
        made = torch.cuda.Event()
        made.record(torch.cuda.current_stream(self._stream.device))
        self._held.append((made, tensor, work))

    def deliver(self) -> None:
        """Wait for what was sent, and hand it over; then work on what is held."""
        waiting, self._waiting = self._waiting, []
        for arrived, there, put in waiting:
            arrived.synchronize()
            put([one.numpy() for one in there])
        while self._held:
            self._begin(*self._held[0])
            # Not before: where memory did not suffice, it is tried again.
            del self._held[0]

    def empty(self) -> None:
        """Deliver all, and what comes of it."""
        while self._held or self._waiting:
            self.deliver()

    def _begin(self, made: torch.cuda.Event, tensor: Tensor, work: _Work) -> None:
        assert self._stream, "elsewhere nothing is held"
        with torch.cuda.stream(self._stream):
            made.wait(self._stream)
            tensor.record_stream(self._stream)
            work(tensor)


class Passes:
    """How far the device is behind: by one pass on CUDA, so that it never waits itself.

    A query that comes waits for all that was handed to the device.
    """

    def __init__(self, device: torch.device) -> None:
        self._on = device
        self._last: torch.cuda.Event | None = None

    @property
    def is_waited_for(self) -> bool:
        """Whether `wait` will take as long as a pass."""
        return self._on.type != "cuda" or self._last is not None

    def wait(self) -> None:
        """Let the device finish, but for the pass that was handed to it now on CUDA."""
        if self._on.type == "mps":
            torch.mps.synchronize()
        elif self._on.type == "cuda":
            before, self._last = self._last, torch.cuda.Event()
            self._last.record(torch.cuda.current_stream(self._on))
            if before:
                before.synchronize()

    def end(self) -> None:
        """Forget the last pass: its results are waited for."""
        self._last = None
