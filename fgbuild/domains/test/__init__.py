"""The test domain: an agent that runs, lists and diagnoses tests with pytest."""

from fgbuild.domains.test.scenarios import SCENARIOS

__all__ = ["SCENARIOS"]
