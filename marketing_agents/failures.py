"""Which failures may pass by themselves (transient) and which come back the same way (permanent). One rule for everything that retries.

Transient: a host that is not reached, a timeout, an answer 408, 425, 429 or 5xx, a locked database or file, a process that was killed.
Permanent: everything else. A bug, a bad file and a wrong setting fail the same way again, and each retry costs time, quota and a person's
attention; a project with our shape of schedule once repeated one HTTP 405 5,363 times.

A full disk is permanent too: it stays full until somebody frees space, and retries that write scratch files fill it again.

Errors are judged by class name and status, so that no client library is imported to judge one. An error of ours that knows better says so
with an attribute `is_transient` (True or False; None = judge the cause).
"""

from __future__ import annotations

import errno
import socket
import subprocess
from collections.abc import Iterator
from typing import Literal

FailureKind = Literal["transient", "permanent"]

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_CLIENT_LIBRARIES = frozenset({"google", "httpx", "httpx2", "requests", "urllib", "urllib3"})
_DATABASE_LIBRARIES = frozenset({"sqlite3", "sqlalchemy", "psycopg", "psycopg2", "duckdb", "_duckdb"})
# By the names in a class's ancestry: subclasses count (ReadTimeout is a TimeoutException). requests' SSLError is a ConnectionError too,
# but a certificate that is wrong stays wrong.
_TRANSIENT_CLIENT_ERRORS = frozenset(
    {"ConnectionError", "Timeout", "ChunkedEncodingError"}  # requests
    | {"TimeoutException", "NetworkError", "RemoteProtocolError"}  # httpx
    | {"ProtocolError", "NewConnectionError", "ReadTimeoutError"}  # urllib3
    | {"RetryError", "TransportError"}  # google: its own retries ran out of time; no connection for a token
)
_PERMANENT_CLIENT_ERRORS = frozenset({"SSLError", "LocalProtocolError", "UnsupportedProtocol", "ProxyError"})
_PROGRAMMING_ERRORS = (TypeError, AttributeError, NameError, LookupError, AssertionError, NotImplementedError, ImportError, SyntaxError)
_TRANSIENT_ERRNO = frozenset({errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
# Postgres: connection lost, serialization failure, deadlock, lock not available, too many connections, server starting or stopping.
_TRANSIENT_SQLSTATES = ("08", "40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03")
_WRONG_DATABASE_SETTINGS = ("authentication", "password", "does not exist", "no pg_hba.conf entry")
_LINKS = 20


def kind_of(error: BaseException) -> FailureKind:
    """`transient` or `permanent`."""
    return "transient" if is_transient(error) else "permanent"


def is_transient(error: BaseException) -> bool:
    """True when the same call may succeed if it is made again a little later.

    The error itself is judged first, then what caused it, and so on: the first one whose nature is known decides, so that a bug met while
    a lost connection was being handled stays a bug. A group is transient when all of its errors are.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_transient(each) for each in error.exceptions)
    for link in _chain(error):
        verdict = _verdict(link)
        if verdict is not None:
            return verdict
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, as a traceback would show them."""
    link: BaseException | None = error
    for _ in range(_LINKS):
        if link is None:
            return
        yield link
        original = getattr(link, "orig", None)  # SQLAlchemy keeps the driver's error here
        if link.__cause__ is not None:
            link = link.__cause__
        elif isinstance(original, BaseException):
            link = original
        else:
            link = None if link.__suppress_context__ else link.__context__


def _verdict(error: BaseException) -> bool | None:
    """True or False when this error alone tells, else None."""
    told = getattr(error, "is_transient", None)
    if isinstance(told, bool):
        return told
    library = type(error).__module__.partition(".")[0]
    if library in _CLIENT_LIBRARIES:
        return _of_client(error)
    if library in _DATABASE_LIBRARIES:
        return _of_database(error)
    return False if isinstance(error, _PROGRAMMING_ERRORS) else _of_system(error)


def _of_client(error: BaseException) -> bool | None:
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & _PERMANENT_CLIENT_ERRORS:
        return False
    status = _http_status(error)
    if status is not None:
        return status in TRANSIENT_STATUS
    if names & _TRANSIENT_CLIENT_ERRORS or getattr(error, "retryable", False) is True:
        return True
    return None


def _http_status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "code"):
            value = getattr(holder, name, None)
            if isinstance(value, int) and 100 <= value < 600:
                return int(value)
    return None


def _of_database(error: BaseException) -> bool | None:
    """Locked, or the connection was lost. `OperationalError` alone says little: SQLite raises it for a missing table and a full disk too."""
    if getattr(error, "connection_invalidated", False) is True:
        return True
    sqlite_name = str(getattr(error, "sqlite_errorname", ""))
    if sqlite_name:
        return sqlite_name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    postgres_code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if postgres_code:
        return str(postgres_code).startswith(_TRANSIENT_SQLSTATES)
    return _of_database_words(type(error).__module__.partition(".")[0], type(error).__name__, str(error).lower())


def _of_database_words(library: str, name: str, text: str) -> bool | None:
    """For errors without a code: those of DuckDB and SQLAlchemy, and a Postgres connection that was never made."""
    if "locked" in text or "could not set lock" in text:
        return True
    if library == "sqlalchemy":
        return True if name in {"TimeoutError", "DisconnectionError"} else None
    if library.startswith("psycopg") and name == "OperationalError":
        return not any(words in text for words in _WRONG_DATABASE_SETTINGS)  # refused and timed out may pass, a wrong password will not
    return None


def _of_system(error: BaseException) -> bool | None:
    if isinstance(error, ConnectionError | TimeoutError | BlockingIOError | subprocess.TimeoutExpired):
        return True
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN  # the name server was not reached; a name that does not exist is a wrong setting
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _TRANSIENT_ERRNO  # ENOSPC and EDQUOT are among the others: see the module's docstring
    if isinstance(error, subprocess.CalledProcessError):
        return error.returncode < 0  # ended by a signal: out of memory, machine going down
    return True if type(error).__name__ == "BrokenProcessPool" else None
