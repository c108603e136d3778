"""What `fgbuild.toml` may hold: base models, profiles and training environments."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from fgbuild.manifest.models import MAX_SEED, Sections
from fgbuild.manifest.table import Table


class _Base(Table):
    overrides: Sections = Field(
        default_factory=Sections, description="Values that suit this base; a manifest's own values go before."
    )


class EmbeddedBase(_Base):
    """Gemma 3 270M from the Python package index; needs no account."""

    kind: Literal["embedded"] = Field(description="Gemma 3 270M from the Python package index.")
    primer_steps: int = Field(
        default=0, ge=0, le=640, description="Training steps on calls of many tools before any domain's; 0 for none."
    )


class HubBase(_Base):
    """A model of the Hugging Face Hub."""

    kind: Literal["hub"] = Field(description="A model of the Hugging Face Hub.")
    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="Repository, owner/name.")
    revision: str = Field(
        default="main", min_length=1, description="Branch, tag or commit; fgbuild.lock pins the commit."
    )


class PathBase(_Base):
    """A model in a local directory."""

    kind: Literal["path"] = Field(description="A model in a local directory.")
    path: str = Field(
        min_length=1, description="Directory with config.json and weights, absolute or relative to the project."
    )


class TinyBase(_Base):
    """A small random Gemma 3, for tests."""

    kind: Literal["tiny"] = Field(description="A small random Gemma 3, for tests.")
    seed: int = Field(default=1, ge=0, le=MAX_SEED, description="Seed of its weights.")


Base = Annotated[EmbeddedBase | HubBase | PathBase | TinyBase, Field(discriminator="kind")]
BaseName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]*$")]


class ExternalBackend(Table):
    """A training library in an environment of its own."""

    python: str = Field(
        min_length=1, description="The environment's Python interpreter, absolute or relative to the project."
    )


class Backends(Table):
    """Training libraries that live outside fgbuild's environment."""

    unsloth: ExternalBackend | None = Field(default=None, description="Where unsloth is installed.")


class ProjectFile(Table):
    """`fgbuild.toml`: the base models, profiles and training environments of a project."""

    model_config = ConfigDict(title="fgbuild.toml")

    schema_: int = Field(alias="schema", ge=1, le=1, description="Version of the file's format: 1.")
    default_base: str = Field(description="The base that is used where no --base is given.")
    base: dict[BaseName, Base] = Field(min_length=1, description="Base models by name.")
    profile: dict[BaseName, Sections] = Field(
        default_factory=dict, description="Named sets of values for --profile; they go before a manifest's."
    )
    backends: Backends = Field(
        default_factory=Backends, description="Training libraries that live outside fgbuild's environment."
    )
