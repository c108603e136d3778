"""Sample data: infer schemas, preview, generate, validate, mask and export. Tools: `manifests/sample_data.toml`."""

from __future__ import annotations

from fgbuild.domains.sample_data import abstain, chains, files, recovery, rows, tables
from fgbuild.domains.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    files.SCENARIOS + rows.SCENARIOS + tables.SCENARIOS + chains.SCENARIOS + recovery.SCENARIOS + abstain.SCENARIOS
)
"""Every scenario of the domain; the order is part of the data's seed."""
