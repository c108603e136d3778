"""Resolved manifests, each remembered by a digest of all that decides it.

Validation imports pydantic, which costs more than the rest of a build with nothing to do. What it found is kept in
`cache/manifests/`, one file a manifest and one for `fgbuild.toml`, named by a digest that covers the file's text and
name, the text of `fgbuild.toml`, the chosen base and profile, and the code that validates. It is used where its
checksum holds and the files it names still exist; what is not remembered is resolved again, alone.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from blake3 import blake3

from fgbuild.manifest.project import (
    GENERATORS,
    Domain,
    Project,
    backend_problems,
    file_problems,
    looked_into,
    missing_backend,
    read_sources,
)
from fgbuild.root import PROJECT_FILE

_PACKAGE = Path(__file__).parent
_VALIDATING_CODE = (_PACKAGE, _PACKAGE.parent / "functiongemma", GENERATORS)
_KEPT = 4
"""As many entries are kept as this many versions of the project have."""


def resolve_project(
    root: Path, *, base: str | None = None, profile: str | None = None, only: Collection[Path] | None = None
) -> Project:
    """The project in `root` with every domain resolved, for a base (None: the default one) and a profile.

    only: the manifests to look at, relative to `root`; the others' domains are not in the project then.
    Raises ManifestError with every problem of every file; nothing is written but the cache.
    """
    sources = read_sources(root, only)
    memory = _Memory(root, sources, base, profile)
    head = memory.recall(Path(PROJECT_FILE))
    backends = head["backends"] if head is not None and isinstance(head.get("backends"), dict) else {}
    manifests = [path for path in sources if path != Path(PROJECT_FILE)]
    known = {path: domain for path in manifests if (domain := memory.domain(path, backends))}
    domains = {domain.name: domain for domain in known.values()}
    if len(domains) < len(known):  # two have one name: all are looked at, to say which
        known = {}
    if head is not None and len(domains) == len(sources) - 1:
        with contextlib.suppress(KeyError, TypeError, AttributeError):
            project = Project(root, head["base"], head["base_name"], head["profile"], domains, head["backends"])
            if not backend_problems(root, project.backends):
                return project
    from fgbuild.manifest.validate import resolve_sources

    project = resolve_sources(root, sources, base=base, profile=profile, known=known)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time and nothing else
        memory.keep(project, known)
        if only is None:
            memory.tidy()
    return project


class _Memory:
    """What is remembered of these sources."""

    def __init__(self, root: Path, sources: dict[Path, bytes], base: str | None, profile: str | None) -> None:
        self._root = root
        self._directory = root / "cache" / "manifests"
        context = _context(sources[Path(PROJECT_FILE)], base, profile)
        self._files = {path: self._directory / _entry_name(context, path, text) for path, text in sources.items()}

    def recall(self, path: Path) -> dict[str, Any] | None:
        """What was kept of a source, or None where there is nothing that can be relied on."""
        try:
            checksum, _, content = self._files[path].read_bytes().partition(b"\n")
            if checksum.decode("ascii") != blake3(content).hexdigest():
                return None
            data = json.loads(content)
        except (OSError, ValueError, RecursionError):
            return None
        return data if isinstance(data, dict) else None

    def domain(self, path: Path, backends: dict[str, dict[str, Any]]) -> Domain | None:
        """What was found of a manifest, where that still holds with these `[backends]`."""
        data = self.recall(path)
        if data is None:
            return None
        try:
            domain = Domain(data["name"], path, data["resolved"], data["origins"])
            found = file_problems(self._root, domain.resolved) or missing_backend(domain.resolved, backends)
            same = data["beside"] == _beside(self._root, domain.resolved)
            return domain if same and not found else None
        except (KeyError, TypeError, AttributeError, ValueError):
            return None

    def keep(self, project: Project, known: Collection[Path]) -> None:
        """Remember a project; of the manifests in `known` everything was remembered already."""
        self._directory.mkdir(parents=True, exist_ok=True)
        head = {
            "base": project.base,
            "base_name": project.base_name,
            "profile": project.profile,
            "backends": project.backends,
        }
        self._write(Path(PROJECT_FILE), head)
        for domain in project.domains.values():
            if domain.path not in known:
                entry = {"name": domain.name, "resolved": domain.resolved, "origins": domain.origins}
                entry["beside"] = _beside(project.root, domain.resolved)
                self._write(domain.path, entry)

    def tidy(self) -> None:
        """Remove what other texts, bases and profiles left, once it is much."""
        current = {file.name for file in self._files.values()}
        entries = os.listdir(self._directory)
        if len(entries) > _KEPT * len(current):
            for name in set(entries) - current:
                (self._directory / name).unlink(missing_ok=True)

    def _write(self, path: Path, data: dict[str, Any]) -> None:
        file = self._files[path]
        content = json.dumps(data).encode()
        temporary = file.with_name(f".{file.stem}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(blake3(content).hexdigest().encode() + b"\n" + content)
            os.replace(temporary, file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _beside(root: Path, resolved: dict[str, Any]) -> dict[str, str]:
    """File beside the manifest that decided its resolved form → digest of its text, "" where it cannot be read."""
    found = {}
    for path in looked_into(root, resolved):
        try:
            found[path.as_posix()] = _digest((root / path).read_bytes()).hexdigest()
        except OSError:
            found[path.as_posix()] = ""
    return found


def _context(project_file: bytes, base: str | None, profile: str | None) -> bytes:
    """Digest of what decides every manifest's resolved form beside its own text."""
    parts = [project_file, json.dumps([base, profile]).encode()]
    for directory in _VALIDATING_CODE:
        for module in sorted(directory.rglob("*.py")):
            parts += [os.fsencode(module.relative_to(_PACKAGE.parent)), module.read_bytes()]
    return _digest(*parts).digest()


def _entry_name(context: bytes, path: Path, text: bytes) -> str:
    return f"{_digest(context, os.fsencode(path), text).hexdigest()}.json"


def _digest(*parts: bytes) -> blake3:
    """Of the parts with their lengths, so that no two lists of parts hash the same bytes."""
    hasher = blake3()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big") + part)
    return hasher
