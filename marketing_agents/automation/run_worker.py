"""Which process works on a run: stamped on the run by its first step, read by the sensor `lost_runs`.

A process number alone says nothing after a restart of the machine or once the number is used again, so the stamp holds the host, the boot and
the moment after boot at which the process began. That moment is not a clock reading: setting the clock must not make a living worker look dead.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SAME_MOMENT_S = 2.0


@dataclass(frozen=True)
class RunWorker:
    """A process on one boot of one host. `began_s`: seconds after boot. `run_id`: whose worker (retries inherit the tags of the run they repeat)."""

    host: str
    pid: int
    began_s: float
    boot: str
    run_id: str

    @classmethod
    def of_this_process(cls, run_id: str) -> RunWorker:
        pid = os.getpid()
        return cls(this_host(), pid, _began_s(pid) or 0.0, _this_boot(), run_id)

    @classmethod
    def from_tag(cls, text: str) -> RunWorker | None:
        """The worker that a tag names; None for anything that is not such a tag."""
        try:
            host, pid, began_s, boot, run_id = text.split(" ")
            return cls(host, int(pid), float(began_s), boot, run_id)
        except ValueError:
            return None

    def to_tag(self) -> str:
        """`<host> <pid> <seconds after boot> <boot> <run id>`"""
        return f"{self.host} {self.pid} {self.began_s:.2f} {self.boot} {self.run_id}"

    @property
    def is_here(self) -> bool:
        return self.host == this_host()

    @property
    def is_gone(self) -> bool:
        """True when this host can say that the process is no more. Ask only when `is_here`."""
        if self.boot != _this_boot():
            return True
        began = _began_s(self.pid)
        return began is None or abs(began - self.began_s) > _SAME_MOMENT_S


def is_running_since(pid: int, moment: float) -> bool:
    """True when a process of this number lives on this host that began before `moment` (seconds since the epoch)."""
    import psutil

    began = _began_s(pid)
    return began is not None and psutil.boot_time() + began <= moment + _SAME_MOMENT_S


@cache
def this_host() -> str:
    """Name of this machine (or container) without blanks."""
    return platform.node().replace(" ", "-") or "unknown"


@cache
def _this_boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))  # macOS


def _began_s(pid: int) -> float | None:
    """Seconds from boot to the start of a living process; None when there is none (a zombie is dead)."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time() - psutil.boot_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return 0.0  # a process of somebody else has the number
