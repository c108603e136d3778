"""The dashboard in a browser: a page with a terminal in it, for whoever has the address with its token."""

from fgbuild.views.web.server import DashboardServer

__all__ = ["DashboardServer"]
