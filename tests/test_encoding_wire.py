"""Messages between the encoder's client and its child."""

import socket
import threading

import numpy as np
import pytest

from pplx_local.encoding import wire


@pytest.fixture
def ends():
    ours, theirs = map(wire.connect, socket.socketpair())
    with ours, theirs:
        yield ours, theirs


def _through(ends, content):
    ours, theirs = ends
    sender = threading.Thread(target=wire.send, args=(ours, wire.pack(content)))
    sender.start()  # no socket takes the large ones in whole
    received = wire.receive(theirs)
    sender.join()
    return received


@pytest.mark.parametrize("shape", [(0, 4), (3,), (40_000, 48), (7_000_000,)])
def test_arrays_of_any_size_come_through(ends, shape) -> None:
    array = np.arange(np.prod(shape), dtype=np.int32).astype(np.uint8).reshape(shape)
    text, received = _through(ends, ("text", array))
    assert text == "text"
    assert received.dtype == np.uint8
    np.testing.assert_array_equal(received, array)


def test_large_arrays_are_not_copied_into_the_pickle() -> None:
    array = np.zeros(1_000_000, dtype=np.float32)
    message = wire.pack({"a": array, "b": array[:10], "c": array[::2]})
    assert [one.nbytes for one in message.arrays] == [array.nbytes]
    assert len(message.head) < 10_000 + array[::2].nbytes  # what is not in one piece
    assert np.shares_memory(np.frombuffer(message.arrays[0], np.float32), array)


def test_a_message_can_be_sent_again(ends) -> None:
    message = wire.pack(np.ones(100_000))
    for _ in range(2):
        sender = threading.Thread(target=wire.send, args=(ends[0], message))
        sender.start()
        assert wire.receive(ends[1]).sum() == 100_000
        sender.join()


def test_one_who_left_in_the_midst_of_a_message_is_noticed(ends) -> None:
    ours, theirs = ends
    ours.send_bytes(wire.pack(np.ones(100_000)).head)
    ours.close()
    with pytest.raises(EOFError):
        wire.receive(theirs)
