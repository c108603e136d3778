"""Reads the files of `dataset.templates` and joins what they hold with the manifest that names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fgbuild.errors import ManifestError
from fgbuild.manifest.load import Document, Problem, faults, in_order, parse, placed
from fgbuild.manifest.project import TEMPLATES, Domain, input_file_problem, template_paths
from fgbuild.manifest.resolve import leaves
from fgbuild.manifest.template_checks import problems
from fgbuild.manifest.template_models import TemplateFile
from fgbuild.manifest.toml_lines import KeyPath, dotted

Place = tuple[Document, KeyPath]


@dataclass
class _Joined:
    """Slots and scenarios of several documents.

    places: key path of a slot or scenario in the whole → its document, and its key path there. found: problems, each
    with the document that it is in.
    """

    manifest: Document
    slots: dict[str, Any] = field(default_factory=dict)
    scenarios: list[Any] = field(default_factory=list)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    found: list[tuple[Document, Problem]] = field(default_factory=list)

    def add(self, document: Document, table: Mapping[str, Any]) -> None:
        for name, slot in table["slots"].items():
            path: KeyPath = ("slots", name)
            if (taken := self.places.get(path)) is not None:
                self.say((document, path), f"is a slot of {taken[0].at(path)} too; rename one of them")
                continue
            self.slots[name] = slot
            self.places[path] = (document, path)
        for index, scenario in enumerate(table["scenario"]):
            self.places["scenario", len(self.scenarios)] = (document, ("scenario", index))
            self.scenarios.append(scenario)

    def place(self, path: KeyPath) -> Place:
        """Where a key path of the whole is written."""
        document, start = self.places.get(path[:2], (self.manifest, path[:2]))
        return document, start + path[2:]

    def say(self, place: Place, message: str) -> None:
        document, path = place
        self.found.append((document, (document.lines.of(path), dotted(path), message)))

    def origins(self) -> dict[str, str]:
        """Dotted field of the whole → where its value is written."""
        found = {}
        for key, value in (("slots", self.slots), ("scenario", self.scenarios)):
            for path in leaves(value, (key,)):
                document, local = self.place(path)
                found[dotted(path)] = document.at(local) if local in document.lines.positions else "default"
        return found


def with_templates(root: Path, document: Document, domain: Domain) -> tuple[Domain, list[ManifestError]]:
    """A domain of `generator = "templates"` with the slots and scenarios of all its files, and what is wrong with them.

    One error a file; the manifest's own are among them. Other domains come back as they are.
    """
    if domain.resolved["dataset"]["generator"] != TEMPLATES:
        return domain, []
    if any(input_file_problem(root, name, "") for name in domain.resolved["dataset"]["templates"]):
        return domain, []  # the manifest is refused for that, and what seems to be missing may be in there
    joined = _Joined(document)
    joined.add(document, domain.resolved)
    errors: list[ManifestError] = []
    for path in template_paths(root, domain.resolved):
        try:
            file = parse(path, (root / path).read_bytes())
            if wrong := faults(file, TemplateFile):
                raise ManifestError(path, placed(file, wrong))
            joined.add(file, TemplateFile.model_validate(file.data).model_dump())
        except ManifestError as error:
            errors.append(error)
        except OSError as error:
            errors.append(ManifestError(path, [(None, "", f"cannot be read ({error.strerror}); make it readable")]))
    resolved = {**domain.resolved, "slots": joined.slots, "scenario": joined.scenarios}
    if not errors:  # as above
        for where, message in problems(root, resolved):
            joined.say(joined.place(where), message)
    for at in dict.fromkeys(place.path for place, _ in joined.found):
        errors.append(ManifestError(at, in_order([problem for place, problem in joined.found if place.path == at])))
    for each in errors:
        each.manifest = domain.path
    return replace(domain, resolved=resolved, origins={**domain.origins, **joined.origins()}), errors
