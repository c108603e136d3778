"""A project: the directory with `fgbuild.toml`, its manifests, and what they resolve to."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgbuild.errors import ManifestError
from fgbuild.root import PROJECT_FILE

MANIFESTS = "manifests"
GENERATORS = Path(__file__).parent.parent / "domains"
TEMPLATES = "templates"
"""The generator that needs no Python: the manifest's own slots and scenarios."""


@dataclass(frozen=True)
class Domain:
    """One domain after defaults, the base's overrides, its manifest and the profile are merged.

    path: its manifest, relative to the project. resolved: the manifest with every value filled
    in, plain JSON data. origins: dotted field → where its value came from ("default",
    "manifests/lint.toml:9", "fgbuild.toml:31, base embedded", …).
    """

    name: str
    path: Path
    resolved: dict[str, Any]
    origins: dict[str, str]


@dataclass(frozen=True)
class Project:
    """A project as one build sees it.

    base: its entry in `fgbuild.toml` with `name`, without `overrides`. backends: training libraries in environments
    of their own, {"unsloth": {"python": …}}, as `fgbuild.toml` has them.
    """

    root: Path
    base: dict[str, Any]
    base_name: str
    profile: str | None
    domains: dict[str, Domain]
    backends: dict[str, dict[str, Any]] = field(default_factory=dict)


def manifest_paths(root: Path) -> list[Path]:
    """Every manifest, relative to the project, in order of name; hidden files are left out."""
    return sorted(path.relative_to(root) for path in (root / MANIFESTS).glob("*.toml") if not path.name.startswith("."))


def read_sources(root: Path, only: Collection[Path] | None = None) -> dict[Path, bytes]:
    """The bytes of `fgbuild.toml` and of all manifests (or `only` some), by path relative to the project, that first.

    They are read once, so that what is validated, remembered and built is the same text.
    """
    sources = {}
    for path in (Path(PROJECT_FILE), *(manifest_paths(root) if only is None else sorted(only))):
        try:
            sources[path] = (root / path).read_bytes()
        except OSError as error:
            reason = f"cannot be read ({error.strerror}); make it a readable file"
            raise ManifestError(path, [(None, "", reason)]) from None
    return sources


def generator_names() -> list[str]:
    """The built-in domains: modules of `fgbuild.domains` that define SCENARIOS. None is imported."""
    names = []
    for entry in sorted(GENERATORS.iterdir()):
        source = entry / "__init__.py" if entry.is_dir() else entry
        if source.suffix == ".py" and source.is_file() and _defines_scenarios(source):
            names.append(entry.stem)
    return names


def _defines_scenarios(source: Path) -> bool:
    content = source.read_bytes()
    if b"SCENARIOS" not in content:
        return False
    for node in ast.parse(content).body:
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        elif isinstance(node, ast.ImportFrom) and source.name == "__init__.py":
            names = [alias.asname or alias.name for alias in node.names]
        else:
            continue
        if "SCENARIOS" in names:
            return True
    return False


def template_paths(root: Path, resolved: Mapping[str, Any]) -> list[Path]:
    """The files of `dataset.templates`, relative to the project: those of a folder in order of name."""
    found: list[Path] = []
    for name in resolved["dataset"]["templates"]:
        path = root / name
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        found += [file.relative_to(root) for file in files if not file.name.startswith(".")]
    return found


def input_file_problem(root: Path, file: str, field: str, folder: str = "") -> str:
    """Why a file that a field names cannot be used, or "" where it can.

    folder: what to say of a folder; "": a folder of TOML files will do.
    """
    try:
        path = (root / file).resolve()
        if not path.is_relative_to(root.resolve()):
            return f'"{file}" is outside the project; copy it into the project and name it relative to {PROJECT_FILE}'
        if path.is_dir() and folder:
            return f'"{file}" is a directory; {folder}'
        if path.is_dir() and not any(path.glob("*.toml")):
            return f'"{file}" has no TOML files; add one or remove it from {field}'
        if not (path.is_file() or path.is_dir()):
            return f'"{file}" does not exist; make it or remove it from {field}'
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name, a loop of links, …
        return f"{file!r} is not a path that can be read ({error}); correct it"
    return ""


def converter_problem(root: Path, quant: dict[str, Any]) -> str:
    """Why `quant.converter_path` cannot be used with `quant.converter`, or "" where it can."""
    if quant["converter"] != "llama.cpp":
        return ""
    path = quant["converter_path"]
    if not path:
        return 'is needed with converter = "llama.cpp"; give the path of convert_hf_to_gguf.py'
    return "" if _is_file(root, path) else f"{path!r} is not a file; give the path of convert_hf_to_gguf.py"


def imatrix_problem(root: Path, path: str) -> str:
    """Why `quant.imatrix` cannot be used, or "" where it can or is not set."""
    return "" if not path or _is_file(root, path) else f"{path!r} is not a file; give the path of an importance matrix"


def _is_file(root: Path, path: str) -> bool:
    try:
        return (root / path).is_file()
    except (OSError, ValueError):
        return False


def named_files(root: Path, resolved: dict[str, Any]) -> list[Path]:
    """The files that `file_problems` looks at."""
    quant = resolved["quant"]
    converter = [quant["converter_path"]] if quant["converter"] == "llama.cpp" else []
    templates = [*resolved["dataset"]["templates"], *map(str, looked_into(root, resolved))]
    imatrix = [quant["imatrix"]] if quant["imatrix"] else []
    named = (*resolved["dataset"]["files"], *_prompts(resolved), *converter, *imatrix, *templates, *_copied(resolved))
    return [root / file for file in named]


def looked_into(root: Path, resolved: Mapping[str, Any]) -> list[Path]:
    """The files beside the manifest whose text was looked at when it was resolved, relative to the project."""
    values = [Path(slot["file"]) for slot in resolved.get("slots", {}).values() if slot["file"]]
    return [*template_paths(root, resolved), *values]


def _copied(resolved: Mapping[str, Any]) -> list[str]:
    return list(resolved.get("workspace", {}).get("files", ()))


def _prompts(resolved: Mapping[str, Any]) -> list[str]:
    return [resolved["eval"]["prompts"]] if resolved["eval"]["prompts"] else []


def file_problems(root: Path, resolved: dict[str, Any]) -> list[tuple[str, str]]:
    """(field, message) for the files that a resolved manifest names: true today, perhaps not tomorrow."""
    named = (
        ("dataset.files", resolved["dataset"]["files"], "name the JSONL files in it"),
        ("dataset.templates", resolved["dataset"]["templates"], ""),
        ("workspace.files", _copied(resolved), "name the files in it"),
    )
    checked = [
        (f"{field}[{index}]", input_file_problem(root, file, field, folder))
        for field, files, folder in named
        for index, file in enumerate(files)
    ]
    checked += [("eval.prompts", input_file_problem(root, file, "eval.prompts", "")) for file in _prompts(resolved)]
    checked.append(("quant.converter_path", converter_problem(root, resolved["quant"])))
    checked.append(("quant.imatrix", imatrix_problem(root, resolved["quant"]["imatrix"])))
    return [(field, message) for field, message in checked if message]


def missing_backend(resolved: dict[str, Any], backends: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """(field, message) where a manifest wants a training library that is neither installed nor named in `[backends]`.

    True today, perhaps not tomorrow, as `file_problems` are.
    """
    backend = resolved["trainer"]["backend"]
    if backend in ("auto", "trl") or backend in backends or importlib.util.find_spec(backend) is not None:
        return []
    step = (
        f"run pip install 'fgbuild[{backend}]', or name the interpreter of an environment that has it as python "
        f"under [backends.{backend}] in {PROJECT_FILE}"
    )
    return [("trainer.backend", f'"{backend}" is not installed here; {step}')]


def backend_files(root: Path, backends: dict[str, dict[str, Any]]) -> list[Path]:
    """The files that `backend_problems` looks at."""
    return [root / entry["python"] for entry in backends.values()]


def backend_problems(root: Path, backends: dict[str, dict[str, Any]]) -> list[tuple[tuple[str, ...], str]]:
    """(key path in `fgbuild.toml`, message) for the environments of `[backends]` that are not there."""
    found: list[tuple[tuple[str, ...], str]] = []
    for name, entry in backends.items():
        try:
            exists = (root / entry["python"]).is_file()
        except (OSError, ValueError):
            exists = False
        if not exists:
            step = f"give the path of the Python interpreter of the environment with {name}"
            found.append((("backends", name, "python"), f"{entry['python']!r} is not a file; {step}"))
    return found
