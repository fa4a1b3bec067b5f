"""Proof that a command and everything it starts stays on loopback.

Two means. A hook on PYTHONPATH, inherited by every Python process below the command, refuses and records connections and name look-ups that would
leave loopback; it knows who tried what. It does not see other programs or C libraries (gRPC), nor Python started with -I or -E. Where Linux
lets us (root, or user namespaces), the command also runs in a network namespace of its own that has nothing but loopback: nothing can leave,
whatever made it.

    guard = NoNetwork(tmp_path)
    subprocess.run(guard.command(["make", "demo"]), env=guard.environment(), check=True)
    assert guard.attempts() == []
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOOK_DIR = Path(__file__).parent / "no_network_hook"

# Brings loopback up in a fresh network namespace (0x8914 = SIOCSIFFLAGS, 0x49 = UP | LOOPBACK | RUNNING), then becomes the command.
_ENTER = (
    "import fcntl, os, socket, struct, sys\n"
    "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
    "    fcntl.ioctl(s, 0x8914, struct.pack('16sH14s', b'lo', 0x49, b''))\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)


@dataclass(frozen=True)
class Attempt:
    """A connection or look-up that was refused: by which process, to where, from which lines of code."""

    kind: str
    address: str
    pid: int
    argv: tuple[str, ...]
    stack: tuple[str, ...]


class NoNetwork:
    """Guards commands; `directory` holds the record."""

    def __init__(self, directory: Path) -> None:
        self._record = directory / "no_network.jsonl"

    @property
    def is_isolated(self) -> bool:
        """True when commands run in a network namespace of their own; else only the hook guards them."""
        return _namespace() is not None

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment for the command: `base` (default: this process's) with the hook, and without proxies, which would be on loopback
        or not be reached."""
        environment = dict(os.environ if base is None else base)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            environment.pop(name, None)
        paths = [str(HOOK_DIR), *filter(None, [environment.get("PYTHONPATH")])]
        return environment | {"PYTHONPATH": os.pathsep.join(paths), "NO_NETWORK_RECORD": str(self._record)}

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command, in a network namespace where that is possible."""
        namespace = _namespace()
        if namespace is None:
            return list(argv)
        return [*namespace, sys.executable, "-c", _ENTER, *argv]

    def attempts(self) -> list[Attempt]:
        """What was refused so far, in order."""
        if not self._record.exists():
            return []
        found = [json.loads(line) for line in self._record.read_text().splitlines()]
        return [Attempt(f["kind"], f["address"], f["pid"], tuple(f["argv"]), tuple(f["stack"])) for f in found]


@functools.cache
def _namespace() -> tuple[str, ...] | None:
    """How to get a network namespace here: as root, by a user namespace, or not at all."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return None
    for prefix in (("unshare", "-n"), ("unshare", "-rn")):
        tried = subprocess.run([*prefix, sys.executable, "-I", "-c", _ENTER, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return prefix
    return None
