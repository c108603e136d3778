"""Docstrings of Python code: look up, check, write, convert. Tools: `manifests/docstring.toml`."""

from __future__ import annotations

from fgbuild.domains.docstring import abstain, chains, files, lookup, writing
from fgbuild.domains.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    lookup.SCENARIOS + writing.SCENARIOS + files.SCENARIOS + chains.SCENARIOS + abstain.SCENARIOS
)
"""Every scenario of the domain; the order is part of the data's seed."""
