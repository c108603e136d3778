"""What has become of the stages of a build."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """Stage ids by what became of them; every stage of the build is in exactly one list."""

    ran: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
