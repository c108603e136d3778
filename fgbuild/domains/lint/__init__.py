"""The lint domain: an agent that finds, explains, fixes and silences lint problems with ruff."""

from fgbuild.domains.lint.scenarios import SCENARIOS

__all__ = ["SCENARIOS"]
