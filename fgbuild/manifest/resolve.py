"""Merges defaults, a base's overrides, a manifest and a profile, and says where each value came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fgbuild.errors import ManifestError
from fgbuild.manifest import checks
from fgbuild.manifest.load import Document, Problem, faults, placed
from fgbuild.manifest.messages import did_you_mean
from fgbuild.manifest.models import Manifest, Sections
from fgbuild.manifest.project import TEMPLATES, Domain, generator_names, missing_backend
from fgbuild.manifest.project_models import ProjectFile
from fgbuild.manifest.template_models import ToolCommand
from fgbuild.manifest.toml_lines import KeyPath, dotted
from fgbuild.root import PROJECT_FILE

SECTIONS = tuple(Sections.model_fields)
TEMPLATE_TABLES = ("slots", "scenario", "workspace")


@dataclass(frozen=True)
class Layer:
    """One source of values: the table at `prefix` of a document. label: what follows `file:line` in origins."""

    document: Document
    prefix: KeyPath
    label: str

    @property
    def data(self) -> dict[str, Any]:
        value: Any = self.document.data
        for key in self.prefix:
            value = value.get(key, {})
        return cast(dict[str, Any], value)

    def origin(self, path: KeyPath) -> str:
        return self.document.at(self.prefix + path) + self.label


@dataclass(frozen=True)
class Settings:
    """`fgbuild.toml` checked, with the chosen base and profile as layers. generators: the built-in ones.

    backends: see `Project`.
    """

    base_name: str
    base_origin: str
    base: dict[str, Any]
    profile: str | None
    base_layer: Layer
    profile_layer: Layer | None
    generators: list[str]
    backends: dict[str, dict[str, Any]]


def read_settings(document: Document, base: str | None, profile: str | None) -> Settings:
    """`fgbuild.toml` with a base and a profile chosen from it. Raises ManifestError."""
    if found := faults(document, ProjectFile):
        raise ManifestError(document.path, placed(document, found))
    data = document.data
    bases, profiles = list(data["base"]), list(data.get("profile", {}))
    name = base if base is not None else data["default_base"]
    if name not in bases:
        line = document.lines.of(("default_base",)) if base is None else None
        field = "default_base" if base is None else "--base"
        message = f'no base is named "{name}"{did_you_mean(name, bases)}; known: {", ".join(bases)}'
        raise ManifestError(document.path, [(line, field, message)])
    if profile is not None and profile not in profiles:
        message = (
            f'no profile is named "{profile}"{did_you_mean(profile, profiles)}; known: {", ".join(profiles) or "none"}'
        )
        raise ManifestError(document.path, [(None, "--profile", message)])
    checked = ProjectFile.model_validate(data)
    entry = checked.base[name].model_dump(exclude={"overrides"})
    return Settings(
        base_name=name,
        base_origin="command line" if base is not None else f"{document.at(('default_base',))}, default_base",
        base={"name": name, **entry},
        profile=profile,
        base_layer=Layer(document, ("base", name, "overrides"), f", base {name}"),
        profile_layer=Layer(document, ("profile", profile), f", profile {profile}") if profile is not None else None,
        generators=generator_names(),
        backends=checked.backends.model_dump(exclude_none=True),
    )


def resolve_one(root: Path, document: Document, settings: Settings) -> tuple[Domain, list[Problem]]:
    """One manifest, already free of faults, merged with its settings, and what is wrong with it."""
    manifest = Layer(document, (), "")
    layers = [layer for layer in (settings.base_layer, manifest, settings.profile_layer) if layer is not None]
    name = document.data["name"]
    merged: dict[str, Any] = {"dataset": {"generator": _default_generator(document.data, settings)}}
    for layer in layers:
        _merge(merged, {key: layer.data[key] for key in SECTIONS if key in layer.data})
    head = {key: value for key, value in document.data.items() if key not in SECTIONS}
    resolved = Manifest.model_validate({**head, **merged}).model_dump(by_alias=True)
    for tool in resolved["tool"]:
        _complete(tool["parameters"])
    resolved = {
        "schema": resolved["schema"],
        "name": name,
        "summary": resolved["summary"],
        "base": settings.base_name,
        **{section: resolved[section] for section in SECTIONS},
        "tool": resolved["tool"],
        **_template_tables(resolved),
    }
    origins = {dotted(path): _origin(path, layers) for path in leaves(resolved)}
    origins["base"] = settings.base_origin
    for index, tool in enumerate(resolved["tool"]):
        for key in resolved["command"].get(tool["name"], ()):
            origins[dotted(("command", tool["name"], key))] = _origin(("tool", index, key), layers)
    found = checks.problems(root, resolved, origins, settings.generators)
    if resolved["dataset"]["generator"] != TEMPLATES:
        for key in (*TEMPLATE_TABLES, "command"):  # checked to be empty
            del resolved[key]
    found = found or missing_backend(resolved, settings.backends)
    problems: list[Problem] = [_placed(document, field, message, origins) for field, message in found]
    return Domain(name, document.path, resolved, origins), problems


def _default_generator(data: dict[str, Any], settings: Settings) -> str:
    if data.get("scenario") or data.get("dataset", {}).get("templates"):
        return TEMPLATES
    return data["name"] if data["name"] in settings.generators else "none"


def _template_tables(resolved: dict[str, Any]) -> dict[str, Any]:
    """What a domain of templates has beside the others; the tools are left as the model sees them."""
    commands = {}
    for tool in resolved["tool"]:
        entry = {key: tool.pop(key) for key in ToolCommand.model_fields}
        if entry["command"]:
            commands[tool["name"]] = entry
    return {**{key: resolved[key] for key in TEMPLATE_TABLES}, "command": commands}


def _merge(target: dict[str, Any], source: dict[str, Any]) -> None:
    """Tables merge key by key; a list or any other value replaces what was there."""
    for key, value in source.items():
        if isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


def leaves(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Paths of the values that are shown one by one: scalars, lists of scalars, empty tables and lists."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def _origin(path: KeyPath, layers: list[Layer]) -> str:
    """The last layer that has the value; a list of tables is one layer's as a whole."""
    whole = next((path[:end] for end, part in enumerate(path) if isinstance(part, int)), path)
    for layer in reversed(layers):
        if _has(layer.data, whole):
            return layer.origin(path) if _has(layer.data, path) else "default"
    return "default"


def _has(data: Any, path: KeyPath) -> bool:
    for part in path:
        if isinstance(data, dict):
            if part not in data:
                return False
        elif not isinstance(data, list) or not isinstance(part, int) or part >= len(data):
            return False
        data = data[part]
    return True


def _complete(parameters: dict[str, Any]) -> None:
    """Inside fgbuild a tool's parameters always have type, properties and required, perhaps empty."""
    if not parameters:
        parameters["type"] = "object"
    parameters.setdefault("properties", {})
    parameters.setdefault("required", [])


def _placed(document: Document, field: str, message: str, origins: dict[str, str]) -> Problem:
    """A problem at its line of the manifest, or with the value's origin where the manifest does not set it."""
    origin = next((origins[key] for key in (field, field.split("[")[0]) if key in origins), "default")
    if origin.startswith(PROJECT_FILE):
        return None, field, f"{message}; set at {origin}"
    line = document.lines.of_field(field) or document.lines.of(("name",))
    return line, field, message
