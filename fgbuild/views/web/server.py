"""Serves the dashboard by textual-serve: each browser gets a dashboard process of its own, a viewer like any other.

Who reaches the page can start builds and edit manifests. So it listens on the loopback interface unless told
otherwise, and answers only to the token of this start, once in the address and then in a cookie; requests that name
another host or come from another site's page are refused (DNS rebinding, cross-site WebSockets).
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from aiohttp.web_runner import GracefulExit
from textual_serve.server import Server

from fgbuild.errors import FgbuildError

COOKIE = "fgbuild"
_TEMPLATES = Path(__file__).parent / "templates"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DashboardServer(Server):
    """command: starts a dashboard. token: "" lets everyone in. Binds its socket when it is made, so that port 0 is
    whichever is free; raises FgbuildError where the address cannot be had."""

    def __init__(self, command: Sequence[str], host: str, port: int, token: str, title: str) -> None:
        self.socket = _bound(host, port)
        self.token = token
        port = self.socket.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        super().__init__(
            shlex.join(command), host, port, title, public_url=f"http://{shown}:{port}", templates_path=_TEMPLATES
        )

    @property
    def address(self) -> str:
        """What to open: with the token, where there is one."""
        return f"{self.public_url}/?token={self.token}" if self.token else f"{self.public_url}/"

    async def make_app(self) -> web.Application:
        app = await self._make_app()
        app.middlewares.append(self._guard)
        return app

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM."""
        with suppress(GracefulExit):
            web.run_app(self.make_app(), sock=self.socket, print=None)

    async def on_startup(self, app: web.Application) -> None:
        """Nothing: the command says where it is."""

    @aiohttp_jinja2.template("app_index.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """The page, whose terminal connects to wherever the page itself came from."""
        scheme = "wss" if request.scheme == "https" else "ws"
        return {"title": self.title, "socket": f"{scheme}://{request.host}/ws"}

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.host in _LOOPBACK and request.url.host not in _LOOPBACK:
            raise web.HTTPForbidden(text=f"this dashboard is at {self.public_url} alone\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise web.HTTPForbidden(text="another site's page must not use this dashboard\n")
        if not self.token:
            return await handler(request)
        if "token" in request.query and self._is_right(request.query["token"]):
            answer = web.HTTPFound(request.url.with_query(None).relative())  # so that it stays in no history
            answer.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
            raise answer
        if not self._is_right(request.cookies.get(COOKIE, "")):
            raise web.HTTPForbidden(text="open the address with the token that `fgbuild ui --serve` has printed\n")
        return await handler(request)

    def _is_right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FgbuildError(f"{host}:{port}: {reason}; name another address with --host or --port") from None


def serve(command: Sequence[str], host: str, port: int, *, token: bool, title: str, say: Callable[[str], None]) -> None:
    """Serve a dashboard until a signal comes; `say` gets the address when it can be opened. Raises FgbuildError."""
    server = DashboardServer(command, host, port, secrets.token_urlsafe(24) if token else "", title)
    say(server.address)
    server.run()
