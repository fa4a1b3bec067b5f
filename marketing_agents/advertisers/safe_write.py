"""Replaces a small file so that others see the old text or the new one, and so that two who edit it at once take turns."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

LOCK_WAIT_S = 30.0
_POLL_S = 0.05


@contextlib.contextmanager
def exclusive(path: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the lock on editing `path`: a file beside it that is gone afterwards. A process that dies loses the lock.

    The file itself cannot carry the lock, because replacing it makes it another file.

    Raises:
        TimeoutError: somebody else held it for `wait_s` seconds. OSError: the folder cannot be written.
    """
    import fcntl

    lock = path.with_name(f".{path.name}.lock")
    deadline = time.monotonic() + wait_s
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(handle, lock):
                break
        except BlockingIOError:
            pass
        os.close(handle)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{lock} is held by another process")
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _is_still(handle: int, path: Path) -> bool:
    """False when the lock's last holder removed the file between our opening and locking it."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(handle)
    return (here.st_ino, here.st_dev) == (there.st_ino, there.st_dev)


def replace_bytes(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path`, with the mode and owner it had; the caller holds `exclusive(path)`.

    Raises:
        OSError: nothing was changed.
    """
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)  # left by a process that died while writing
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(handle, "wb") as file:
            _like(path, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _like(path: Path, handle: int) -> None:
    try:
        was = path.stat()
    except FileNotFoundError:
        return
    os.fchmod(handle, stat.S_IMODE(was.st_mode))
    with contextlib.suppress(PermissionError):  # only root may give files away
        os.fchown(handle, was.st_uid, was.st_gid)
