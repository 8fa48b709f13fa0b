"""A search gives the same through a daemon as in process, and so does a passage."""

from __future__ import annotations

from pathlib import Path

from daemon import Daemon, wait_for
from fakes import FakeWorker, fake_checkpoint

from pplx_local.index import Index
from pplx_local.models import Profile

WISH = {"k": 5, "explain": True, "folded": True}


def test_hits_are_the_same_both_ways(tmp_path: Path) -> None:
    fake = fake_checkpoint()
    with Daemon(tmp_path) as daemon:
        path = daemon.write("belt.txt", "The timing belt drives the water pump.")
        daemon.write("copy.txt", "The timing belt drives the water pump.")
        daemon.write("pump.txt", "# Repairs\n\nA water pump, and a belt for it.")
        filler = " ".join(f"word{n}" for n in range(300))
        two = f"The water pump leaks.\n\n{filler}\n\nThe water pump is mended."
        daemon.write("long.txt", two)
        daemon.add()
        wait_for(lambda: daemon.covers_all(documents=3))
        remote = daemon.client
        with Index.open(
            daemon.settings,
            worker=lambda *args: FakeWorker(fake),
            profile=Profile(fake, fake),
        ) as index:
            for line in (None, 1):
                found = remote.similar(path, line, **WISH)
                here = index.similar(path, line, **WISH)
                assert (found.query, repr(found.hits)) == (here.query, repr(here.hits))
                assert found.hits[0].words
            found = remote.search("water pump", **WISH)
            assert found.hits == index.search("water pump", **WISH).hits
        assert any(hit.same for hit in found.hits)
        assert any(hit.more_in_file for hit in found.hits)
