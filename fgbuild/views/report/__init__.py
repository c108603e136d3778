"""A run as one HTML page that needs nothing else: no network, no other file, no script to be readable.

The page follows from the run's log and from what its stages made, and from nothing else: the same bytes each time.
"""

from __future__ import annotations

from fgbuild.views.report.log import RunLog
from fgbuild.views.report.page import render

__all__ = ["RunLog", "render"]
