"""Serves the dashboard by textual-serve: each browser gets a dashboard process of its own, a viewer like any other.

Who reaches the page can start builds and edit manifests. So it listens on the loopback interface unless told
otherwise, and answers only to the token of this start, once in the address and then, as a digest, in a cookie;
requests that name another host or come from another site's page are refused (DNS rebinding, cross-site WebSockets).
"""

from __future__ import annotations

import asyncio
import hmac
import shlex
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from weakref import WeakSet

import aiohttp_jinja2
from aiohttp import WSCloseCode, web
from aiohttp.web_runner import GracefulExit
from textual_serve.app_service import AppService
from textual_serve.server import Server

from fgbuild.errors import FgbuildError

_TEMPLATES = Path(__file__).parent / "templates"
_CLOSE_SECONDS = 2.0
_SHUTDOWN_SECONDS = 3.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DashboardServer(Server):
    """command: starts a dashboard. token: "" lets everyone in. Binds its socket when it is made, so that port 0 is
    whichever is free; raises FgbuildError where the address cannot be had."""

    def __init__(self, command: Sequence[str], host: str, port: int, token: str, title: str) -> None:
        self.socket = _bound(host, port)
        self.token = token
        bound, port = self.socket.getsockname()[:2]
        everywhere = ip_address(bound).is_unspecified
        name = socket.gethostname() if everywhere else host
        shown = f"[{name}]" if ":" in name else name
        # Cookies are kept by host and not by port: each dashboard of a machine has one of its own.
        self.cookie = f"fgbuild-{port}"
        self.loopback = ip_address(bound).is_loopback
        self._names = {"localhost", host.lower(), socket.gethostname().lower()}
        self._open: WeakSet[web.WebSocketResponse] = WeakSet()
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
            web.run_app(self.make_app(), sock=self.socket, print=None, shutdown_timeout=_SHUTDOWN_SECONDS)

    async def on_startup(self, app: web.Application) -> None:
        """Nothing: the command says where it is."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close the dashboards that are open, of which browsers would else never let go."""
        closing = [asyncio.create_task(each.close(code=WSCloseCode.GOING_AWAY)) for each in self._open]
        if closing:
            await asyncio.wait(closing, timeout=_CLOSE_SECONDS)

    @aiohttp_jinja2.template("app_index.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """The page, whose terminal connects to wherever the page itself came from."""
        scheme = "wss" if request.scheme == "https" else "ws"
        return {"title": self.title, "socket": f"{scheme}://{request.host}/ws"}

    async def _process_messages(self, websocket: web.WebSocketResponse, app_service: AppService) -> None:
        self._open.add(websocket)
        await super()._process_messages(websocket, app_service)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._is_own(request.url.host or ""):
            raise web.HTTPForbidden(text=f"this dashboard is at {self.public_url}; --host gives it another name\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise web.HTTPForbidden(text="another site's page must not use this dashboard\n")
        if not self.token:
            return await handler(request)
        proof = sha256(self.token.encode()).hexdigest()
        if _same(request.query.get("token", ""), self.token):
            answer = web.HTTPFound(request.url.with_query(None).relative())  # so that it stays in no history
            answer.set_cookie(self.cookie, proof, httponly=True, samesite="Lax")
            raise answer
        if not _same(request.cookies.get(self.cookie, ""), proof):
            raise web.HTTPForbidden(text="open the address with the token that `fgbuild ui --serve` has printed\n")
        return await handler(request)

    def _is_own(self, name: str) -> bool:
        """Whether no other site's name can stand here: what is no name at all, or one of this machine."""
        return name.lower() in self._names or _is_number(name)


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FgbuildError(f"{host}:{port}: {reason}; name another address with --host or --port") from None
