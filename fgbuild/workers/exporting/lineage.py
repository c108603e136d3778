"""Where a base model comes from, as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HUB = "https://huggingface.co"
EMBEDDED_REPO = "google/gemma-3-270m"
"""What the package of the base `embedded` holds, quantised."""


@dataclass(frozen=True)
class Origin:
    """name: as its publisher names it. organization, repo (`owner/name` on the Hub): "" where there is none."""

    name: str
    organization: str = ""
    repo: str = ""

    @property
    def url(self) -> str:
        return f"{HUB}/{self.repo}" if self.repo else ""


def origin(base: Mapping[str, Any]) -> Origin:
    """Of base.json. A base of the user's own has the name that fgbuild.toml gives it, and nothing else is known."""
    if base["kind"] == "embedded":
        return _of_repo(EMBEDDED_REPO)
    if base["kind"] == "hub":
        return _of_repo(str(base["revision"]).partition("@")[0])
    return Origin(str(base["name"]))


def _of_repo(repo: str) -> Origin:
    """In words as llama.cpp's converter makes them of an id: `gemma-3-270m` → `Gemma 3 270m`."""
    from gguf.metadata import Metadata

    owner, _, name = repo.partition("/")
    return Origin(Metadata.id_to_title(name), Metadata.id_to_title(owner), repo)
