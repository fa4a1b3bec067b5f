"""Loaded by every Python process that has this folder on PYTHONPATH: refuses, and writes down, whatever would leave loopback.

Standard library only, and silent when the variable that names the record is not set. See `no_network.py`.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import os
import socket
import sys
import traceback

_RECORD = os.environ.get("NO_NETWORK_RECORD")
_LOOPBACK_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", ""}


def _is_loopback(host: object) -> bool:
    if host is None:
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    if text.lower() in _LOOPBACK_NAMES:
        return True
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    # Connecting to the unspecified address reaches the machine itself.
    return address.is_loopback or address.is_unspecified


def _record(kind: str, address: object) -> None:
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_stack()[:-2]]
    line = json.dumps({"kind": kind, "address": str(address), "pid": os.getpid(), "argv": sys.argv[:4], "stack": frames[-12:]})
    with contextlib.suppress(OSError):
        descriptor = os.open(_RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, (line + "\n").encode())
        os.close(descriptor)


def _install() -> None:  # noqa: C901 - five ways out, each closed in the same manner
    def allowed(sock: socket.socket, address: object) -> bool:
        return sock.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple) or _is_loopback(address[0])

    plain_connect, plain_connect_ex, plain_sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    plain_getaddrinfo, plain_gethostbyname = socket.getaddrinfo, socket.gethostbyname

    def connect(self, address):
        if not allowed(self, address):
            _record("connect", address)
            raise OSError(errno.ENETUNREACH, f"the test allows loopback only, not {address}")
        return plain_connect(self, address)

    def connect_ex(self, address):
        if not allowed(self, address):
            _record("connect_ex", address)
            return errno.ENETUNREACH
        return plain_connect_ex(self, address)

    def sendto(self, data, *rest):
        if not allowed(self, rest[-1]):
            _record("sendto", rest[-1])
            raise OSError(errno.ENETUNREACH, f"the test allows loopback only, not {rest[-1]}")
        return plain_sendto(self, data, *rest)

    def getaddrinfo(host, *args, **kwargs):
        # The machine's own name resolves from its hosts file.
        if not _is_loopback(host) and str(host) != socket.gethostname():
            _record("getaddrinfo", host)
            raise socket.gaierror(socket.EAI_NONAME, f"the test allows loopback only, not {host}")
        return plain_getaddrinfo(host, *args, **kwargs)

    def gethostbyname(host):
        if not _is_loopback(host) and str(host) != socket.gethostname():
            _record("gethostbyname", host)
            raise socket.gaierror(socket.EAI_NONAME, f"the test allows loopback only, not {host}")
        return plain_gethostbyname(host)

    socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto = connect, connect_ex, sendto
    socket.getaddrinfo, socket.gethostbyname = getaddrinfo, gethostbyname


if _RECORD:
    _install()
