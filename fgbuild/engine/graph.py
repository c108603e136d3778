"""The stages of a project and the edges between them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbuild.errors import FgbuildError
from fgbuild.stages.spec import StageSpec

if TYPE_CHECKING:
    from fgbuild.manifest import Project


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of one domain (`domain` None: shared by all).

    inputs: upstream kind → stage id. after: ids that only have to be finished first. toy: on a base that is
    thousands of times smaller than a real one, whose costs say nothing of it. environment: the training library that
    the worker is started for, "" for none; python: the interpreter with it, None for fgbuild's own.
    """

    id: str
    spec: StageSpec
    domain: str | None
    manifest: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    toy: bool = False
    environment: str = ""
    python: Path | None = None

    @property
    def kind(self) -> str:
        return self.spec.kind

    @property
    def upstream(self) -> tuple[str, ...]:
        """Ids of all stages that have to be finished first."""
        return (*self.inputs.values(), *self.after)


class Graph:
    """Stages by id, upstream before downstream."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self.stages: dict[str, Stage] = {stage.id: stage for stage in stages}
        self._dependents: dict[str, list[str]] | None = None

    def domains(self) -> list[str]:
        """Names of the domains, in order."""
        return list(dict.fromkeys(stage.domain for stage in self.stages.values() if stage.domain))

    def dependents(self, stage_id: str) -> Sequence[str]:
        """Ids of the stages directly below one."""
        if self._dependents is None:
            self._dependents = {name: [] for name in self.stages}
            for stage in self.stages.values():
                for name in stage.upstream:
                    if name in self._dependents:
                        self._dependents[name].append(stage.id)
        return self._dependents[stage_id]

    def below(self, stage_id: str) -> set[str]:
        """Ids of all stages below one."""
        found: set[str] = set()
        pending = list(self.dependents(stage_id))
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending.extend(self.dependents(name))
        return found

    def upto(self, targets: Iterable[str]) -> Graph:
        """The part of the graph that `targets` need, themselves included."""
        wanted: set[str] = set()
        pending = list(targets)
        while pending:
            name = pending.pop()
            if name not in wanted:
                wanted.add(name)
                pending.extend(self.stages[name].upstream)
        return Graph(stage for stage in self.stages.values() if stage.id in wanted)


def build_graph(project: Project, specs: Sequence[StageSpec]) -> Graph:
    """All stages of all domains; `specs` are upstream before downstream."""
    shared = {spec.kind for spec in specs if not spec.per_domain}

    def stage(spec: StageSpec, domain: str | None, manifest: Mapping[str, Any]) -> Stage:
        def name(kind: str) -> str:
            return kind if kind in shared else f"{domain}:{kind}"

        environment = spec.environment(manifest, _has_gpu)
        return Stage(
            id=name(spec.kind),
            spec=spec,
            domain=domain,
            manifest=manifest,
            inputs={kind: name(kind) for kind in spec.inputs},
            after=tuple(name(kind) for kind in spec.after),
            toy=project.base.get("kind") == "tiny",
            environment=environment,
            python=interpreter(project, environment),
        )

    stages = [stage(spec, None, project.base) for spec in specs if not spec.per_domain]
    for domain in project.domains.values():
        manifest = {**domain.resolved, "base": project.base_name}
        stages.extend(stage(spec, domain.name, manifest) for spec in specs if spec.per_domain)
    return Graph(stages)


def _has_gpu() -> bool:
    from fgbuild.engine.resources import has_gpu  # seldom asked

    return has_gpu()


def interpreter(project: Project, environment: str) -> Path | None:
    """The interpreter that `fgbuild.toml` names for a training library; None where it names none.

    A link stays a link: by its place Python knows a virtual environment.
    """
    entry = project.backends.get(environment)
    return Path(os.path.abspath(project.root / entry["python"])) if entry else None


def select(graph: Graph, domains: Sequence[str], until: str | None = None) -> Graph:
    """The part of the graph that brings `domains` up to date (none given: all of them).

    `until` is a kind of stage (`train`): it and what it needs, for each of the domains.
    """
    known = graph.domains()
    kinds = list(dict.fromkeys(stage.kind for stage in graph.stages.values()))
    if not known and (domains or until not in kinds):  # the shared stages can be made without one
        raise FgbuildError("the project has no domain; `fgbuild new NAME` makes one")
    for domain in domains:
        if domain not in known:
            raise FgbuildError(f"there is no domain {domain!r}; choose from {', '.join(known)}")
    if until is not None and until not in kinds:
        raise FgbuildError(f"--until: there is no stage {until!r}; choose from {', '.join(kinds)}")
    wanted = set(domains or known)
    targets = [
        stage.id
        for stage in graph.stages.values()
        if (stage.domain is None or stage.domain in wanted) and (until is None or stage.kind == until)
    ]
    return graph.upto(targets)
