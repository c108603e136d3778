from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import views_sample as sample
from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer
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
    with served(project) as address:
        yield address


@contextmanager
def served(project: Path, *arguments: str) -> Iterator[str]:
    """The address that `fgbuild ui --serve` prints; at the end it has to go when it is told to."""
    command = [sys.executable, "-P", "-m", "fgbuild", "--root", str(project), "ui", "--serve", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().decode().strip()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


@asynccontextmanager
async def client(host: str = "127.0.0.1", token: str = "token") -> AsyncIterator[tuple[DashboardServer, TestClient]]:
    """A server in this process, and what sends it requests; it keeps no cookies."""
    server = DashboardServer(["true"], host, 0, token, "a project")
    server.socket.close()
    jar = DummyCookieJar()
    async with TestClient(TestServer(await server.make_app()), cookie_jar=jar) as client:
        yield server, client


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


def test_without_a_token_everyone_gets_in(project: Path) -> None:
    with served(project, "--no-token") as address:
        assert "token" not in address
        assert status(address) == 200


def test_it_ends_while_a_browser_that_does_not_answer_is_connected(project: Path) -> None:
    with ExitStack() as stack:
        with served(project, "--no-token") as address:
            place = urllib.parse.urlsplit(address)
            assert place.hostname is not None
            assert place.port is not None
            connection = stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=60))
            head = (
                "GET /ws HTTP/1.1",
                f"Host: {place.netloc}",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            )
            connection.sendall("\r\n".join((*head, "", "")).encode())
            received = b""
            while b"\r\n\r\n" not in received or received.endswith(b"\r\n\r\n"):  # until the dashboard draws
                data = connection.recv(65536)
                assert data, received
                received += data
            assert received.startswith(b"HTTP/1.1 101 ")
        # Its last frame says that it goes away (1001; RFC 6455, 7.4.1).
        while data := connection.recv(65536):
            received += data
        assert received.endswith(b"\x88\x02\x03\xe9")


async def test_two_dashboards_on_one_machine_let_the_same_browser_in() -> None:
    async with client(token="one") as (first, to_first), client(token="other") as (second, to_second):
        kept: dict[str, str] = {}
        for server, to in ((first, to_first), (second, to_second)):
            answer = await to.get(f"/?token={server.token}", allow_redirects=False)
            assert answer.status == 302
            (given,) = answer.cookies.values()
            assert (given["samesite"], given["httponly"]) == ("Lax", True)
            assert server.token not in given.value
            kept[given.key] = given.value
        for to in (to_first, to_second):
            assert (await to.get("/", cookies=kept)).status == 200
            assert (await to.get("/")).status == 403
        exchanged = dict(zip(kept, reversed(kept.values()), strict=True))
        assert (await to_first.get("/", cookies=exchanged)).status == 403


async def test_the_token_itself_and_what_is_no_text_are_no_cookies() -> None:
    async with client() as (server, to):
        for value in (server.token, "", "\udcff"):
            answer = await to.get("/", headers={"Cookie": f"{server.cookie}={value}"})
            assert answer.status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
async def test_names_of_this_machine_and_numbers_are_answered_and_others_are_not(host: str) -> None:
    async with client(host, token="") as (_, to):
        for name in ("localhost", "LocalHost", "192.168.1.7", "[::1]", socket.gethostname(), host):
            assert (await to.get("/", headers={"Host": f"{name}:80"})).status == 200, name
        for name in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example"):
            assert (await to.get("/", headers={"Host": f"{name}:80"})).status == 403, name
            assert (await to.get("/", headers={"Host": name, "Origin": f"http://{name}"})).status == 403, name


def test_where_it_listens_everywhere_its_address_is_one_that_can_be_opened() -> None:
    for host, shown, loopback in (
        ("127.0.0.1", "127.0.0.1", True),
        ("localhost", "localhost", True),
        ("0.0.0.0", socket.gethostname(), False),
    ):
        server = DashboardServer(["true"], host, 0, "", "a project")
        server.socket.close()
        assert server.address == f"http://{shown}:{server.port}/"
        assert server.loopback == loopback


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
