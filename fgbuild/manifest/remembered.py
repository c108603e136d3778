"""Resolved manifests, remembered by a digest of all that decides them.

Validation imports pydantic, which costs more than the rest of a build with nothing to do. What
it found is kept in `cache/manifests/<digest>.json`; the digest covers the text of every
manifest, the chosen base and profile, and the code that validates. A remembered result is used
where its checksum holds and the files it names still exist; anything else is resolved again.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from blake3 import blake3

from fgbuild.manifest.project import GENERATORS, Domain, Project, file_problems, read_sources

_PACKAGE = Path(__file__).parent
_VALIDATING_CODE = (_PACKAGE, _PACKAGE.parent / "functiongemma", GENERATORS)


def resolve_project(root: Path, *, base: str | None = None, profile: str | None = None) -> Project:
    """The project in `root` with every domain resolved, for a base (None: the default one) and a profile.

    Raises ManifestError with every problem of every file; nothing is written but the cache.
    """
    sources = read_sources(root)
    path = root / "cache" / "manifests" / f"{_digest(sources, base, profile)}.json"
    project = _load(path, root)
    if project is None:
        from fgbuild.manifest.validate import resolve_sources

        project = resolve_sources(root, sources, base=base, profile=profile)
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time and nothing else
            _store(path, project)
    return project


def _digest(sources: dict[Path, bytes], base: str | None, profile: str | None) -> str:
    hasher = blake3()

    def add(label: str, content: bytes) -> None:
        """Both with their lengths, so that no two lists of parts hash the same bytes."""
        for part in (label.encode("utf-8", "surrogateescape"), content):
            hasher.update(len(part).to_bytes(8, "big") + part)

    for path, content in sources.items():
        add(path.as_posix(), content)
    add("choice", json.dumps([base, profile]).encode())
    for directory in _VALIDATING_CODE:
        for module in sorted(directory.rglob("*.py")):
            add(module.relative_to(_PACKAGE.parent).as_posix(), module.read_bytes())
    return hasher.hexdigest()


def _load(path: Path, root: Path) -> Project | None:
    """The remembered project, or None where there is none that can be relied on."""
    try:
        record = json.loads(path.read_bytes())
        data = record["project"]
        if record["checksum"] != _checksum(data):
            return None
        domains = {
            name: Domain(name, Path(entry["path"]), entry["resolved"], entry["origins"])
            for name, entry in data["domains"].items()
        }
        project = Project(root, data["base"], data["base_name"], data["profile"], domains)
        if any(file_problems(root, domain.resolved) for domain in domains.values()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return project


def _store(path: Path, project: Project) -> None:
    data: dict[str, Any] = {
        "base": project.base,
        "base_name": project.base_name,
        "profile": project.profile,
        "domains": {
            name: {"path": domain.path.as_posix(), "resolved": domain.resolved, "origins": domain.origins}
            for name, domain in project.domains.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps({"checksum": _checksum(data), "project": data}), "utf-8")
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _checksum(data: Any) -> str:
    return blake3(json.dumps(data).encode()).hexdigest()
