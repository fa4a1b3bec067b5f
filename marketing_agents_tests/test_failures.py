"""Which failures pass by themselves. The errors are the libraries' own, not stand-ins."""

from __future__ import annotations

import errno
import socket
import sqlite3
import subprocess

import pytest

from marketing_agents.assets.dbt_build import DbtError
from marketing_agents.failures import is_transient, kind_of
from marketing_agents.ingestion.source import SourceError, TableProblem
from marketing_agents.state.migrate import StateError
from marketing_agents.warehouse.embedded.publishing import write_error
from marketing_agents.warehouse.store import WarehouseError


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def while_handling(error: BaseException, context: BaseException) -> BaseException:
    error.__context__ = context
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        # the system
        (ConnectionResetError("reset by peer"), "transient"),
        (ConnectionRefusedError("refused"), "transient"),
        (TimeoutError("timed out"), "transient"),
        (BlockingIOError(errno.EAGAIN, "locked"), "transient"),
        (OSError(errno.EHOSTUNREACH, "no route"), "transient"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "transient"),
        (socket.gaierror(socket.EAI_NONAME, "not known"), "permanent"),
        (OSError(errno.ENOSPC, "no space left on device"), "permanent"),
        (PermissionError(errno.EACCES, "denied"), "permanent"),
        (FileNotFoundError(errno.ENOENT, "no such file"), "permanent"),
        (subprocess.CalledProcessError(-9, "dbt"), "transient"),
        (subprocess.CalledProcessError(1, "dbt"), "permanent"),
        (subprocess.TimeoutExpired("dbt", 60), "transient"),
        (MemoryError(), "permanent"),
        # bugs and data
        (TypeError("bug"), "permanent"),
        (KeyError("bug"), "permanent"),
        (ValueError("bad value"), "permanent"),
        (RuntimeError("who knows"), "permanent"),
        # ours
        (SourceError("folder missing"), "permanent"),
        (SourceError("not reached", is_transient=True), "transient"),
        (caused(SourceError("not reached"), ConnectionError("lost")), "transient"),
        (caused(SourceError("no dataset", is_transient=False), ConnectionError("lost")), "permanent"),
        (TableProblem("no column"), "permanent"),
        (WarehouseError("another process has held the lock", is_transient=True), "transient"),
        (caused(WarehouseError("cannot write"), OSError(errno.ENOSPC, "full")), "permanent"),
        (DbtError("dbt was ended by signal 9", is_transient=True), "transient"),
        (DbtError("dbt failed"), "permanent"),
        (caused(StateError("cannot be opened"), OSError(errno.EACCES, "denied")), "permanent"),
        # chains
        (caused(RuntimeError("step failed"), caused(RuntimeError("read failed"), TimeoutError())), "transient"),
        (while_handling(RuntimeError("gave up"), ConnectionError("lost")), "transient"),
        (while_handling(AttributeError("a bug in the handler"), ConnectionError("lost")), "permanent"),
        (while_handling(ConnectionError("lost"), KeyError("not in the cache")), "transient"),
        (ExceptionGroup("two", [TimeoutError(), ConnectionError()]), "transient"),
        (ExceptionGroup("two", [TimeoutError(), ValueError()]), "permanent"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value),
)
def test_an_error_is_transient_only_when_the_same_call_may_succeed_later(error, kind):
    assert kind_of(error) == kind


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_answers_of_a_host_in_trouble_are_transient(status):
    import httpx2
    import requests
    from google.api_core.exceptions import from_http_status
    from google.genai.errors import APIError

    request = httpx2.Request("GET", "http://host.invalid")
    answer = requests.Response()
    answer.status_code = status
    for error in (
        from_http_status(status, "x"),
        APIError(status, {"error": {"message": "x"}}),
        httpx2.HTTPStatusError("x", request=request, response=httpx2.Response(status, request=request)),
        requests.HTTPError(response=answer),
    ):
        assert is_transient(error), error


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422, 501])
def test_answers_that_would_be_the_same_again_are_permanent(status):
    """405 is the one that a schedule of another project repeated 5,363 times."""
    import httpx2
    import requests
    from google.api_core.exceptions import from_http_status

    request = httpx2.Request("GET", "http://host.invalid")
    answer = requests.Response()
    answer.status_code = status
    for error in (
        from_http_status(status, "x"),
        httpx2.HTTPStatusError("x", request=request, response=httpx2.Response(status, request=request)),
        requests.HTTPError(response=answer),
    ):
        assert not is_transient(error), error


def test_lost_connections_of_client_libraries_are_transient_and_wrong_certificates_are_not():
    import httpx2
    import requests
    from google.api_core.exceptions import RetryError
    from google.auth.exceptions import DefaultCredentialsError, TransportError

    for error in (
        requests.ConnectTimeout(),
        requests.ConnectionError(),
        requests.exceptions.ChunkedEncodingError(),
        httpx2.ReadTimeout("x"),
        httpx2.ConnectError("x"),
        httpx2.RemoteProtocolError("x"),
        RetryError("deadline", cause=None),
        TransportError("no token"),
    ):
        assert is_transient(error), error
    for error in (
        requests.exceptions.SSLError(),
        requests.exceptions.InvalidURL(),
        httpx2.UnsupportedProtocol("x"),
        DefaultCredentialsError("x"),
    ):
        assert not is_transient(error), error


def test_a_locked_database_is_transient_and_a_broken_one_is_not(tmp_path):
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'state.db'}", connect_args={"timeout": 0})
    with engine.begin() as connection:
        connection.execute(sa.text("create table t (x int)"))
    holder = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(sa.exc.OperationalError) as locked, engine.begin() as connection:
        connection.execute(sa.text("insert into t values (1)"))
    holder.execute("rollback")
    holder.close()
    with pytest.raises(sa.exc.OperationalError) as no_table, engine.begin() as connection:
        connection.execute(sa.text("insert into missing values (1)"))
    with pytest.raises(sqlite3.OperationalError) as cannot_open:
        sqlite3.connect(tmp_path / "no" / "such.db")

    assert is_transient(locked.value)
    assert not is_transient(no_table.value)
    assert not is_transient(cannot_open.value)


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("08006", True),
        ("40001", True),
        ("40P01", True),
        ("55P03", True),
        ("57P03", True),
        ("53100", False),
        ("42P01", False),
        ("28P01", False),
    ],
)
def test_postgres_tells_by_its_code(sqlstate, expected):
    psycopg = pytest.importorskip("psycopg")
    import sqlalchemy as sa

    error = psycopg.errors.lookup(sqlstate)("x") if sqlstate != "53100" else psycopg.errors.DiskFull("x")
    assert is_transient(sa.exc.OperationalError("select 1", {}, error)) is expected


@pytest.mark.parametrize(
    ("words", "expected"), [("connection refused", True), ("timeout expired", True), ("password authentication failed for user", False)]
)
def test_a_postgres_connection_that_was_never_made_is_judged_by_its_words(words, expected):
    psycopg = pytest.importorskip("psycopg")
    assert is_transient(psycopg.OperationalError(words)) is expected


def test_a_duckdb_file_that_another_process_holds_is_transient():
    import duckdb

    assert is_transient(duckdb.IOException('IO Error: Could not set lock on file "x": Conflicting lock is held'))
    assert not is_transient(duckdb.IOException("IO Error: No files found that match the pattern"))


def test_a_full_disk_is_not_repeated_because_it_stays_full_until_somebody_frees_space(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    assert not is_transient(caused(write_error("results.findings acme|2026-11-20", tmp_path / "x", full), full))
