"""Runs Python code on a file system of its own that is small enough to fill: a tmpfs in a private mount namespace."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

HEADER = """
import os, sys
from datetime import timedelta
from pathlib import Path
from marketing_agents.warehouse.embedded.warehouse import EmbeddedWarehouse
from marketing_agents.warehouse.store import SliceRows, WarehouseError
from marketing_agents_tests.warehouse.rows import DAY, NOW, REGISTRY, before, evaluations, rates
from marketing_agents_tests.warehouse.test_faults import ACME, wide

disk = Path(sys.argv[1])
warehouse = EmbeddedWarehouse(disk / "data")
ballast = disk / "ballast"

def leave(free_bytes):
    # Fill the disk up to the last `free_bytes`.
    if ballast.exists():
        ballast.unlink()
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass
    found = os.statvfs(disk)
    rest = found.f_bavail * found.f_frsize
    os.truncate(ballast, max(0, ballast.stat().st_size + rest - free_bytes))

def leftovers():
    return sorted(str(p.relative_to(disk)) for p in disk.rglob(".tmp-*"))
"""


@cache
def unshare() -> tuple[str, ...] | None:
    """How to get a mount namespace here (as root, or as a user who may have namespaces); None when not at all."""
    found = shutil.which("unshare")
    for way in (("-m",), ("-r", "-m")):
        if (
            found
            and subprocess.run([found, *way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False).returncode == 0
        ):
            return (found, *way)
    return None


def on_small_disk(folder: Path, size: str, code: str) -> list[str]:
    """Lines that `code` (after HEADER) prints; it ends with the file system."""
    way = unshare()
    assert way is not None
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            *way,
            "sh",
            "-c",
            f'mount -t tmpfs -o size={size} tmpfs "$1" && exec "$2" -c "$3" "$1"',
            "sh",
            folder,
            sys.executable,
            HEADER + code,
        ],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()
