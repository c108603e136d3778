from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import views_sample as sample
from browser import CHROMIUM, Browser

from fgbuild.errors import FgbuildError
from fgbuild.views.web.server import DashboardServer

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "fgbuild.toml").write_text('schema = 1\nbase = "tiny"\n')
    sample.write_log(tmp_path, sample.whole_run())
    return tmp_path


@pytest.fixture
def address(project: Path) -> Iterator[str]:
    """Of `fgbuild ui --serve`, with its token."""
    command = [sys.executable, "-P", "-m", "fgbuild", "--root", str(project), "ui", "--serve"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def status(url: str, **headers: str) -> int:
    """Of one request, by a browser that keeps cookies and follows redirects."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_token_opens_it_and_nothing_else_does(address: str) -> None:
    bare, _, token = address.partition("?token=")
    assert bare.startswith("http://127.0.0.1:")
    assert len(token) >= 32
    assert status(address) == 200
    for url in (bare, f"{bare}?token=", f"{bare}?token={token[:-1]}", f"{bare}ws", f"{bare}static/js/textual.js"):
        assert status(url) == 403, url


def test_other_hosts_names_and_other_sites_pages_are_refused(address: str) -> None:
    assert status(address, Host="evil.example") == 403
    assert status(address, Origin="http://evil.example") == 403
    assert status(address, Origin=address.partition("/?")[0]) == 200


def test_without_a_token_everyone_gets_in() -> None:
    server = DashboardServer(["true"], "127.0.0.1", 0, "", "a project")
    try:
        assert server.address == f"http://127.0.0.1:{server.port}/"
    finally:
        server.socket.close()


def test_the_command_is_one_whatever_is_in_it() -> None:
    command = ["python", "--root", "/a dir/$(touch x)"]
    server = DashboardServer(command, "127.0.0.1", 0, "t", "a project")
    server.socket.close()
    assert shlex.split(server.command) == command


def test_an_address_that_is_taken_says_so() -> None:
    server = DashboardServer(["true"], "127.0.0.1", 0, "", "a project")
    try:
        with pytest.raises(FgbuildError, match=f":{server.port}: .*--port"):
            DashboardServer(["true"], "127.0.0.1", server.port, "", "a project")
        with pytest.raises(FgbuildError, match=":70000: "):
            DashboardServer(["true"], "127.0.0.1", 70000, "", "a project")
    finally:
        server.socket.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path (Debian: apt-get install chromium)")
def test_a_browser_shows_it_and_its_keys_reach_it(address: str, tmp_path: Path) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.open(address, width=1000)
        assert browser.evaluate("location.search") == ""  # the token is in the cookie now
        _wait_for(browser, "Done in 8m 10s")
        assert browser.evaluate("document.body.classList.contains('-first-byte')")
        assert browser.evaluate("document.activeElement.tagName") == "TEXTAREA"  # where the terminal listens
        browser.press("?")
        _wait_for(browser, "show or close this help")
        wrong = ('"level": "error"', '"type": "error"', "exceptionDetails")  # that it is slow here is a warning
        assert [each for each in browser.complaints if any(sign in each for sign in wrong)] == []


def _wait_for(browser: Browser, words: str) -> None:
    deadline = time.monotonic() + 30
    while words.encode() not in browser.received:
        assert time.monotonic() < deadline, browser.received[-3000:]
        browser.evaluate("0")  # takes what the browser has sent
        time.sleep(0.1)
