"""What a stage declares about itself: inputs, manifest fields, code, libraries, resources, outputs.

A declaration is all that the engine knows of a stage. What is declared here enters the action key;
what is not declared cannot make the stage run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A file of the stage's artifact that is also put where people and programs look for it.

    source: path inside the artifact. target: path below the project root. Both use `/`.
    min_mb, max_mb: the window its size has to fall in, MB (1e6 bytes); None where it has none.
    finished_by: the gate below whose artifact holds this file with what it has found added, under the same source and
    target. That one stands here for as long as the gate passes on this very artifact ("": there is none).
    """

    source: str
    target: str
    min_mb: float | None = None
    max_mb: float | None = None
    finished_by: str = ""


def no_modules(manifest: Manifest) -> tuple[str, ...]:
    return ()


def own_environment(manifest: Manifest, has_gpu: Callable[[], bool]) -> str:
    return ""


def no_files(manifest: Manifest, root: Path) -> tuple[Path, ...]:
    return ()


def no_extras(manifest: Manifest, root: Path) -> dict[str, Any]:
    return {}


def unknown_cost(manifest: Manifest) -> float:
    return 0.0


def no_placed(manifest: Manifest) -> tuple[Placed, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One kind of stage.

    version: raised by hand when outputs change meaning without a change of code.
    worker: module that does the work (`python -m worker JOB.json`).
    inputs: upstream kinds whose artifacts the worker reads; their digests enter the key.
    after: upstream kinds that only have to be finished first.
    fields: dotted manifest prefixes that enter the key; `excluded`: what of them does not.
    libraries: distributions whose versions decide the output's bytes.
    preload: library modules that the worker imports, worth having ready for it: they take seconds.
    cores, memory_mb, gpu_memory_mb: what the worker needs, the last where there is a GPU; more than the machine has
    means all of it.
    cost: seconds to expect of two cores for a model of 270M parameters, as far as the manifest decides them
    (0: unknown). What was measured goes first and is scaled by it.
    gate: exit code 3 (built, but did not pass) is possible.
    report: JSON file of the artifact whose findings are shown again in a run that leaves the stage alone.
    per_domain: False for a stage shared by all domains.
    modules, further_libraries: further code modules and libraries by manifest.
    environment: the training library whose environment the worker runs in, where `[backends]` of fgbuild.toml names
    one, by manifest and by whether there is a GPU; "": always fgbuild's own. Its worker finds nothing preloaded.
    files: input files outside the store. folders: those whose listing
    decides which files these are.
    extras: further named components of the key. placed: files put below the project root.
    """

    kind: str
    version: int
    worker: str
    inputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    cores: int = 1
    memory_mb: int = 512
    gpu_memory_mb: int = 0
    cost: Callable[[Manifest], float] = unknown_cost
    gate: bool = False
    report: str = ""
    per_domain: bool = True
    modules: Callable[[Manifest], tuple[str, ...]] = no_modules
    further_libraries: Callable[[Manifest], tuple[str, ...]] = no_modules
    environment: Callable[[Manifest, Callable[[], bool]], str] = own_environment
    files: Callable[[Manifest, Path], tuple[Path, ...]] = no_files
    folders: Callable[[Manifest, Path], tuple[Path, ...]] = no_files
    extras: Callable[[Manifest, Path], dict[str, Any]] = no_extras
    placed: Callable[[Manifest], tuple[Placed, ...]] = no_placed
