"""What a domain of `generator = "templates"` may hold: slots, scenarios, and where its tools' commands run.

The models check one field at a time; what depends on several is in `template_checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from fgbuild.manifest.messages import shown
from fgbuild.manifest.table import Table

Phrasing = Annotated[str, Field(min_length=1)]


class Slot(Table):
    """The values that stand for `{name}`: one of values, file, range and pattern."""

    values: list[str | int | float | bool | dict[str, Any]] = Field(
        default_factory=list,
        description="Texts, numbers, or tables of values that belong together, whose keys are {name.key}.",
    )
    file: str = Field(default="", description="File with one value a line, relative to the project.")
    range: list[int] = Field(default_factory=list, description="Lowest and highest whole number, both included.")
    step: int = Field(default=1, ge=1, description="Distance between the numbers of range.")
    pattern: str = Field(default="", description='Text with other {slots}, as in "{kind}/{topic}-{number}".')
    shared: bool = Field(
        default=False,
        description="Both splits draw from all values: for closed sets that a model cannot guess a member of.",
    )

    @field_validator("values", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        if isinstance(value, list):
            for item in value:
                if not isinstance(item, str | int | float | dict):
                    raise ValueError(f"holds {shown(item)}; a value is text, a number, true, false or a table")
        return value

    @field_validator("range")
    @classmethod
    def _two_ends(cls, value: list[int]) -> list[int]:
        if len(value) not in (0, 2) or value != sorted(value):
            raise ValueError("must be [LOWEST, HIGHEST]")
        return value


class Step(Table):
    """A call, and the response to it."""

    tool: str = Field(description="Name of the tool that is called.")
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Its arguments; texts may hold {slots} and {step1.key} of earlier responses. "
        "One whose slot is left out of the request is left out.",
    )
    response: dict[str, Any] | None = Field(
        default=None,
        description="What the tool responds, with {slots}; left out: what the tool's command prints.",
    )


class ScenarioTemplate(Table):
    """One thing a user may want, the ways to ask for it, and what should happen."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name of the scenario.")
    kind: Literal["single", "parallel", "sequence", "clarify", "decline"] = Field(
        description="One call, calls at once, calls one after the other, a question back, or a refusal."
    )
    weight: float = Field(default=1.0, gt=0, description="Share of the examples, relative to the other scenarios'.")
    phrasings: list[Phrasing] = Field(
        min_length=1, description="What users say, with {slots} and [parts that may be left out]; twenty or more."
    )
    steps: list[Step] = Field(default_factory=list, description="The calls, in order.")
    answer: str = Field(
        default="", description="The last words, with {slots} and {step1.key}; for clarify and decline all there is."
    )
    answered: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of the examples that go on to the response and the answer, where they may end with the "
        "call (single, parallel). Default: 0.3, and 0.6 where a sequence goes on from that tool.",
    )
    literal: bool = Field(
        default=False, description="Leave phrasings exactly as they are: no typos, no polite openings."
    )


class Workspace(Table):
    """The temporary directory that the tools' commands run in."""

    files: list[str] = Field(
        default_factory=list, description="Files of the project that are copied into it, by their last name."
    )
    setup: list[list[str]] = Field(
        default_factory=list, description="Commands that prepare it, each a list of program and arguments."
    )
    env: dict[str, str] = Field(
        default_factory=dict, description="Environment variables beside PATH, HOME, LANG and TZ."
    )
    timeout_seconds: int = Field(default=10, ge=1, description="Longest time that one command may take, seconds.")


class ToolCommand(Table):
    """The command that is the real tool, written at the tool in a manifest."""

    command: list[str | list[str]] = Field(
        default_factory=list,
        description="Program and arguments, run without a shell for examples of a templates domain. {name} is an "
        "argument of the call; an element, or a list of elements, is left out with the argument that it names.",
    )
    output: Literal["text", "lines", "json"] = Field(
        default="text",
        description='What the command prints: text is {"output": …}, lines is {"count": …, "lines": […]}, '
        "json is the object itself.",
    )
    max_output: int = Field(
        default=400, ge=1, le=100_000, description="Longest response that is kept of it, characters."
    )

    @field_validator("command", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        for item in value:
            words = item if isinstance(item, list) else [item]
            for word in words:
                if not isinstance(word, str):
                    raise ValueError(f"must hold texts, or lists of texts, not {shown(word)}")
        return value


class TemplateFile(Table):
    """A file of `dataset.templates`."""

    model_config = ConfigDict(title="fgbuild templates")

    slots: dict[str, Slot] = Field(default_factory=dict, description="The values that stand for {slots}.")
    scenario: list[ScenarioTemplate] = Field(default_factory=list, description="What users want.")
