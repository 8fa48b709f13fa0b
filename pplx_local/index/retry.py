"""Files that failed, and that a person wants to see tried again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pplx_local.index.targets import Target
from pplx_local.store import Store


def give_another_try(store: Store, targets: Iterable[Target]) -> list[Target]:
    """Mark what failed, also for good, as what a scan with `retry` reads again.

    Until it has been read its state stays as it is, and what it was before answers on.

    Returns:
        What failed: files, and folders that could not be entered.
    """
    failed = [
        (target.folder, file)
        for target in targets
        for file in store.files(
            folder_id=target.folder.folder_id, state="failed", under=target.under
        )
    ]
    store.forget_kills(file.digest for _, file in failed if file.digest)
    store.put_files(replace(file, retry=True) for _, file in failed if not file.retry)
    return [Target(folder, file.path) for folder, file in failed]
