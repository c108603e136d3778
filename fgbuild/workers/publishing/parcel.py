"""The files that are published together, and proof that they belong together."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbuild.errors import FgbuildError
from fgbuild.shipping import AGENT, CARD, MODELFILE, agent_schema

Progress = Callable[[int], None]
"""Told the bytes of the model that are done."""


@dataclass(frozen=True)
class Parcel:
    """agent: agent.json. files: path in what is published (with `/`) → the file; the model first, agent.json last."""

    domain: str
    agent: dict[str, Any]
    files: dict[str, Path]

    @property
    def model(self) -> str:
        """Path of the GGUF."""
        return str(self.agent["model"]["path"])

    def require_model(self, sha256: str) -> None:
        """Raises FgbuildError where a GGUF of this SHA-256 is not the one that agent.json names."""
        if sha256 != self.agent["model"]["sha256"]:
            raise FgbuildError(
                f"{self.files[self.model]} is not the file that its {AGENT} names (SHA-256 {sha256[:12]}… and not "
                f"{self.agent['model']['sha256'][:12]}…); run `fgbuild build {self.domain}` to put it back"
            )


def pack(gguf: Path, domain: str) -> Parcel:
    """The files beside a placed GGUF. Raises FgbuildError for one that is missing or not what it should be."""
    folder = gguf.parent.parent
    path = folder / AGENT
    again = f"run `fgbuild build {domain}` to write it again"
    try:
        agent = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FgbuildError(f"{path} cannot be read ({error}); {again}") from None
    if problem := schema_problem(agent):
        raise FgbuildError(f"{path}: {problem}; {again}")
    if agent["model"]["file"] != gguf.name:
        raise FgbuildError(f"{path} is of {agent['model']['file']} and not of {gguf.name}; {again}")
    files = {agent["model"]["path"]: gguf, **{name: folder / name for name in (MODELFILE, CARD, AGENT)}}
    for file in files.values():
        if not file.is_file():
            raise FgbuildError(f"{file} is missing; {again}")
    return Parcel(domain, agent, files)


def schema_problem(agent: object) -> str:
    """The first way in which agent.json is not what its JSON Schema says; "" where there is none."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(agent_schema()).iter_errors(agent))
    if error is None:
        return ""
    where = ".".join(map(str, error.absolute_path))
    return f"{where}: {error.message}" if where else str(error.message)
