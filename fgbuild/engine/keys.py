"""Action keys: BLAKE3 over the canonical bytes of a stage's named components.

    kind, version  of the stage
    fields         manifest prefix → value
    inputs         upstream kind → digest of its artifact
    files          path below the root → digest of the content
    code           fingerprint of the worker's code
    libraries      distribution → version, and Python's own, in the environment that the worker runs in
    extras         what else the stage names (the base's lock entry)

Components are kept by name with every action, so that two keys can be compared in words.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blake3 import blake3

from fgbuild.engine.digests import Digests
from fgbuild.engine.environments import Environments, require
from fgbuild.engine.fingerprint import CodeFingerprints
from fgbuild.engine.graph import Stage
from fgbuild.engine.libraries import Libraries
from fgbuild.errors import DataError

Components = dict[str, Any]
_MISSING = object()
_INSTALLED = Path(__file__).parent.parent.parent


class KeyMaker:
    def __init__(
        self,
        root: Path,
        digests: Digests,
        code: CodeFingerprints,
        libraries: Libraries,
        environments: Environments,
    ) -> None:
        self._root = root
        self._digests = digests
        self._code = code
        self._libraries = libraries
        self._environments = environments
        self._versions: dict[tuple[Path | None, tuple[str, ...]], dict[str, str | None]] = {}

    def components(self, stage: Stage, inputs: Mapping[str, str]) -> Components:
        """Everything that decides the stage's output. `inputs`: upstream kind → artifact digest."""
        spec, manifest = stage.spec, stage.manifest
        return {
            "kind": spec.kind,
            "version": spec.version,
            "fields": fields(manifest, spec.fields, spec.excluded),
            "inputs": dict(inputs),
            "files": self._files(stage),
            "code": self._code.of(spec.worker, spec.modules(manifest)),
            "libraries": self._library_versions(stage),
            "extras": spec.extras(manifest, self._root),
        }

    def components_now(self, stage: Stage, inputs: Mapping[str, str]) -> Components:
        """As `components`, with the worker's code looked at again: what was found before is of that moment."""
        self._code.look_again()
        return self.components(stage, inputs)

    def _library_versions(self, stage: Stage) -> dict[str, str | None]:
        names = (*stage.spec.libraries, *stage.spec.further_libraries(stage.manifest))
        asked = (stage.python, names)
        if asked not in self._versions:
            if stage.python is None:
                libraries, python = self._libraries, f"{sys.version_info[0]}.{sys.version_info[1]}"
            else:
                libraries, python = self._environments.of(stage.python)
                require(libraries, stage.environment, stage.python)
            self._versions[asked] = {**libraries.versions(names), "python": python}
        return self._versions[asked]

    def _files(self, stage: Stage) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in stage.spec.files(stage.manifest, self._root):
            shown = self._shown(path)
            digest = self._digests.of(path)
            if digest is None:
                raise DataError(f"{shown}: {stage.id} reads this file and it {_trouble(path)}")
            found[shown] = digest
        return found

    def _shown(self, path: Path) -> str:
        """A file's name in a key: that of a file of the project, or of fgbuild, is the same in every checkout."""
        for top in (self._root, _INSTALLED):
            if path.is_relative_to(top):
                return path.relative_to(top).as_posix()
        return str(path)


def _trouble(path: Path) -> str:
    """What is wrong with an input that is no file, and what to do."""
    if path.exists():
        return "is not a file; put one there or no longer name it"
    if path.is_symlink():
        return f"is a link to {path.readlink()}, which does not exist; restore that or remove the link"
    return "does not exist; put it there or no longer name it"


def canonical(value: Any) -> bytes:
    """The same bytes for the same data, whatever the order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def action_key(components: Components) -> str:
    return blake3(b"fgbuild action 1\n" + canonical(components)).hexdigest()


def fields(manifest: Mapping[str, Any], prefixes: tuple[str, ...], excluded: tuple[str, ...]) -> Components:
    """The declared parts of a manifest: dotted prefix → value ("" is the whole); absent ones are left out."""
    found: Components = {}
    for prefix in prefixes:
        value = _lookup(manifest, prefix)
        if value is _MISSING:
            continue
        for path in excluded:
            if path.startswith(f"{prefix}."):
                value = _without(value, path[len(prefix) + 1 :].split("."))
        found[prefix] = value
    return found


def _lookup(manifest: Mapping[str, Any], prefix: str) -> Any:
    value: Any = manifest
    for name in prefix.split(".") if prefix else ():
        if not isinstance(value, Mapping) or name not in value:
            return _MISSING
        value = value[name]
    return value


def _without(value: Any, path: list[str]) -> Any:
    if not isinstance(value, Mapping) or path[0] not in value:
        return value
    rest = {name: item for name, item in value.items() if name != path[0]}
    if len(path) > 1:
        rest[path[0]] = _without(value[path[0]], path[1:])
    return rest
