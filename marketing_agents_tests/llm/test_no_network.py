"""Without keys nothing is connected to, not even loopback; and the guard that proves it for whole commands does its work."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from marketing_agents.llm.gemini import open_model
from marketing_agents.llm.prompts import open_prompts
from marketing_agents.llm.tracing import open_tracer
from marketing_agents.settings import Settings
from marketing_agents_tests.wire.no_network import NoNetwork


def test_without_keys_no_socket_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: socket.socket, address: object) -> None:
        pytest.fail(f"connected to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    settings = Settings()

    async def use() -> None:
        async with open_model(settings, today=date(2026, 11, 21)) as model:
            assert model is None

    with open_prompts(settings) as prompts, open_tracer(settings, "run-1") as tracer:
        prompts.get("budget_analysis_prompt", label="production", packaged="text")
        with tracer.agent(domain="budget", advertiser_id="acme", day="2026-11-20", run_id="run-1") as span:
            span.score("grounded", 1.0)
            span.finish({})
        asyncio.run(use())


@pytest.fixture
def guard(tmp_path: Path) -> NoNetwork:
    return NoNetwork(tmp_path)


def run(guard: NoNetwork, program: str, *, isolated: bool) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", program]
    return subprocess.run(
        guard.command(argv) if isolated else argv, env=guard.environment(), capture_output=True, text=True, timeout=60, check=False
    )


# The second process is started by the first: what is inherited counts.
GRANDCHILD = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {program!r}]).returncode)"
OUTWARD = {
    "connect": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)",
    "getaddrinfo": "import urllib.request; urllib.request.urlopen('http://example.invalid', timeout=2)",
    "sendto": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "asyncio": "import asyncio; asyncio.run(asyncio.open_connection('192.0.2.1', 80))",
}


@pytest.mark.parametrize("name", OUTWARD)
@pytest.mark.parametrize("isolated", [False, True])
def test_a_way_out_is_refused_and_recorded(guard: NoNetwork, name: str, isolated: bool) -> None:
    done = run(guard, GRANDCHILD.format(program=OUTWARD[name]), isolated=isolated)
    assert done.returncode != 0
    attempts = guard.attempts()
    assert attempts, done.stderr
    assert attempts[0].address in ("('192.0.2.1', 80)", "example.invalid", "('192.0.2.1', 53)", "192.0.2.1")


@pytest.mark.parametrize("isolated", [False, True])
def test_loopback_and_unix_sockets_stay_open(guard: NoNetwork, tmp_path: Path, isolated: bool) -> None:
    program = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(('localhost', server.getsockname()[1]), timeout=5)\n"
        f"unix = socket.socket(socket.AF_UNIX); unix.bind({str(tmp_path / 's')!r}); unix.listen()\n"
        f"socket.socket(socket.AF_UNIX).connect({str(tmp_path / 's')!r})\n"
    )
    done = run(guard, program, isolated=isolated)
    assert done.returncode == 0, done.stderr
    assert guard.attempts() == []


def test_in_a_namespace_nothing_leaves_even_without_the_hook(guard: NoNetwork) -> None:
    if not guard.is_isolated:
        pytest.skip("this machine allows no network namespace; the hook alone guards")
    program = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)"
    done = subprocess.run(
        guard.command([sys.executable, "-I", "-c", program]), env=guard.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "unreachable" in done.stderr
