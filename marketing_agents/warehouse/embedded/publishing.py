"""Atomic publication of files: temporary name in the same folder, fsync, rename. And the lock that orders writers of one folder.

After a crash at any instant a reader sees the old file or the new one. What a crash may leave is a temporary file (skipped by readers,
swept by a later writer) or, for raw versions, a superseded file beside its successor (readers take the newest).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from marketing_agents.warehouse.embedded.layout import TEMPORARY_PREFIX
from marketing_agents.warehouse.store import WarehouseError

LOCK_NAME = ".lock"
LOCK_TIMEOUT_S = 300.0
STALE_TEMPORARY_S = 3600.0


def publish_file(path: Path, content: bytes | memoryview, *, what: str, is_durable: bool = True) -> None:
    """Make `content` visible under `path` in one step. Creates missing folders.

    Args:
        path: final name.
        content: whole file.
        what: table and slice for the error message, e.g. ``results.findings acme|2026-11-20``.
        is_durable: fsync file and folder, so that a power cut cannot leave an empty file under the final name.

    Raises:
        WarehouseError: disk full, no permission, file too large. The temporary file is removed and the old file stays.
    """
    temporary = path.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
    try:
        make_folder(path.parent, is_durable=is_durable)
        try:
            _write(temporary, content, is_durable=is_durable)
            os.replace(temporary, path)  # noqa: PTH105 - the call whose atomicity this module is about
        except BaseException:
            # Also for KeyboardInterrupt: what was begun under a temporary name is not left behind.
            with suppress(OSError):
                temporary.unlink()
            raise
        if is_durable:
            sync_folder(path.parent)
    except OSError as error:
        raise write_error(what, path, error) from error


def make_folder(folder: Path, *, is_durable: bool) -> None:
    """Create a folder and its parents; what is new survives a power cut as far as its own parent does."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if is_durable:
        sync_folder(folder.parent)


def _write(path: Path, content: bytes | memoryview, *, is_durable: bool) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(what: str, path: Path, error: OSError) -> WarehouseError:
    """The error of a failed write, with the next step for the common causes."""
    import errno

    steps = {
        errno.ENOSPC: "free disk space under MARKETING_AGENTS_DATA_DIR",
        errno.EDQUOT: "raise the disk quota",
        errno.EFBIG: "raise the file size limit (ulimit -f)",
        errno.EACCES: "give this user write permission",
        errno.EPERM: "give this user write permission",
        errno.EROFS: "the file system is read-only; set MARKETING_AGENTS_DATA_DIR to a writable folder",
        errno.ENAMETOOLONG: "set MARKETING_AGENTS_DATA_DIR to a shorter path",
    }
    step = steps.get(error.errno or 0, "check the data folder")
    return WarehouseError(
        f"{what}: cannot write {path.parent}: {error.strerror or error}; the stored slice is unchanged; {step}, then run again"
    )


@contextmanager
def writer_lock(folder: Path, *, what: str, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Let one writer at a time decide and publish in `folder`; readers never wait.

    An flock ends with its process, so a killed writer leaves nothing to clean. Where the file system has no locks, writers go on
    without: the newest `loaded_at` wins and all readers still agree.

    Raises:
        WarehouseError: another process held the lock for the whole of `timeout_s`, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_CREAT | os.O_RDWR, 0o644)
    except OSError as error:
        raise write_error(what, folder / LOCK_NAME, error) from error
    try:
        _acquire(descriptor, folder, what, timeout_s)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path, what: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"{what}: another process has held {folder / LOCK_NAME} for {timeout_s:.0f} s; end that process or wait, then run again",
                    is_transient=True,
                ) from None
            time.sleep(0.02)
        except OSError:
            return  # no flock on this file system: see writer_lock
        else:
            return


def sweep_temporary(folder: Path, *, older_than_s: float = STALE_TEMPORARY_S) -> None:
    """Remove what crashed writers left in a folder. Young files belong to writers that may still be at work."""
    limit = time.time() - older_than_s  # age of files on disk, not data: nothing that is stored depends on it
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY_PREFIX):
                with suppress(OSError):
                    if entry.stat().st_mtime < limit:
                        os.unlink(entry.path)  # noqa: PTH108 - scandir gives a string
