"""The report page and the Dagster UI in a real headless browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from marketing_agents.settings import PROJECT_DIR
from marketing_agents_tests.e2e.pipeline import ANCHOR

pytestmark = [
    pytest.mark.skipif(shutil.which("chromium") is None, reason="not run: no chromium on this machine (Debian: apt-get install chromium)"),
]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield found
        found.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("advertiser", ["harbour-thread", "vidya-path", "kiritimati-bonefish"])
def test_the_report_page_is_quiet_and_fits(morning, browser, advertiser, width, scheme):
    pipeline, _ = morning
    page_file = pipeline.settings.data_dir / "reports" / advertiser / f"{ANCHOR}.html"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda request: noise.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert noise == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.scripts.length") == 0
    context.close()


def test_the_ui_shows_the_groups_and_an_asset(tmp_path, browser):
    shutil.copy(PROJECT_DIR / "dagster.yaml", tmp_path / "dagster.yaml")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("dagster-webserver")), "-h", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        command, cwd=PROJECT_DIR, env={**os.environ, "DAGSTER_HOME": str(tmp_path)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/server_info", server)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(f"http://127.0.0.1:{port}/asset-groups", wait_until="domcontentloaded")
        for group in ("ingestion", "marts", "rules", "analysis", "recommendations"):
            page.get_by_text(group, exact=True).first.wait_for(timeout=60_000)
        page.goto(f"http://127.0.0.1:{port}/assets/analysis/creative", wait_until="domcontentloaded")
        page.get_by_text("Findings of this domain grouped under causes").first.wait_for(timeout=60_000)
        page.close()
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        assert server.poll() is None, "the webserver ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"{url} did not answer")
