"""What must hold between the fields of a resolved manifest, and between it and the project's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbuild.functiongemma.check import problems as tool_problems
from fgbuild.functiongemma.tokens import unfit_text
from fgbuild.manifest.messages import did_you_mean
from fgbuild.manifest.project import TEMPLATES, file_problems
from fgbuild.manifest.quant import quant_problems
from fgbuild.recipes import beyond_unsloth

FieldProblem = tuple[str, str]
"""Dotted field, message."""

RESERVED_NAMES = {"base": "is the name of the stage that all domains share"}


def problems(
    root: Path, resolved: dict[str, Any], origins: dict[str, str], generators: list[str]
) -> list[FieldProblem]:
    """Everything wrong with a manifest whose fields are each of the right type and range.

    generators: names of the built-in ones.
    """
    found = []
    if reason := RESERVED_NAMES.get(resolved["name"]):
        found.append(("name", f'"{resolved["name"]}" {reason}; choose another'))
    found += _dataset(resolved["dataset"], origins, generators)
    found += _unused_templates(resolved)
    found += _repeated("dataset.files", resolved["dataset"]["files"])
    found += _repeated("dataset.templates", resolved["dataset"]["templates"])
    found += _repeated("lora.target_modules", resolved["lora"]["target_modules"])
    found += _repeated("lora.trainable_tokens", resolved["lora"]["trainable_tokens"])
    found += _initial_values(resolved["lora"])
    found += _training(resolved["trainer"], resolved["lora"])
    found += file_problems(root, resolved)
    found += quant_problems(resolved["quant"], origins)
    unfit = tool_problems(resolved["tool"])
    found += unfit
    if not unfit:
        found += _smoke(resolved["verify"]["smoke"], resolved["tool"])
    return found


def _dataset(dataset: dict[str, Any], origins: dict[str, str], known: list[str]) -> list[FieldProblem]:
    generator = dataset["generator"]
    if generator == TEMPLATES:
        return []
    if dataset["templates"]:
        return [("dataset.templates", f'is for generator = "{TEMPLATES}" and it is "{generator}"; change one of them')]
    if generator == "none":
        if dataset["files"]:
            return []
        step = "add a [[scenario]], name a built-in generator or add a file with rows to dataset.files"
        if origins["dataset.generator"] == "default":
            return [("dataset.files", f"the dataset would be empty: no built-in generator has this name; {step}")]
        return [("dataset.generator", f'the dataset would be empty: "none" and no files; {step}')]
    if generator in known:
        return []
    hint = did_you_mean(generator, [*known, TEMPLATES]) or f"; known: {', '.join([*known, TEMPLATES, 'none'])}"
    return [("dataset.generator", f'"{generator}" is not a built-in generator{hint}')]


def _unused_templates(resolved: dict[str, Any]) -> list[FieldProblem]:
    generator = resolved["dataset"]["generator"]
    if generator == TEMPLATES:
        return []
    step = f'set dataset.generator = "{TEMPLATES}" or remove it'
    commands = [f"tool[{i}].command" for i, tool in enumerate(resolved["tool"]) if tool["name"] in resolved["command"]]
    workspace = resolved["workspace"]
    tables = [key for key in ("slots", "scenario") if resolved[key]]
    tables += ["workspace"] if workspace["files"] or workspace["setup"] or workspace["env"] else []
    return [
        (field, f'is used by generator = "{TEMPLATES}" alone, and it is "{generator}"; {step}')
        for field in (*tables, *commands)
    ]


def _initial_values(lora: dict[str, Any]) -> list[FieldProblem]:
    if lora["init_lora_weights"] == "orthogonal" and lora["r"] % 2:
        step = f"make it even, or choose another lora.init_lora_weights than {lora['init_lora_weights']!r}"
        return [("lora.r", f"{lora['r']} is odd, and orthogonal first values come in pairs; {step}")]
    return []


def _training(trainer: dict[str, Any], lora: dict[str, Any]) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    measure = "needs measurements of the eval loss; set trainer.eval_every to the steps between two of them"
    if not trainer["eval_every"]:
        if trainer["early_stopping"]:
            found.append(("trainer.early_stopping", measure))
        if trainer["keep"] == "best":
            found.append(("trainer.keep", f'"best" {measure}'))
    if trainer["backend"] == "unsloth" and (problem := beyond_unsloth(trainer, lora)):
        found.append(problem)
    return found


def _repeated(field: str, values: list[Any]) -> list[FieldProblem]:
    return [
        (f"{field}[{index}]", f"{value!r} is there twice; remove one")
        for index, value in enumerate(values)
        if value in values[:index]
    ]


def _smoke(smoke: list[dict[str, Any]], tools: list[dict[str, Any]]) -> list[FieldProblem]:
    """Smoke checks against the tools that they name. Given arguments may be some of the required ones."""
    found: list[FieldProblem] = []
    parameters = {tool["name"]: tool["parameters"] for tool in tools}
    for index, check in enumerate(smoke):
        field = f"verify.smoke[{index}]"
        if not check["prompt"].strip():
            found.append((f"{field}.prompt", "is blank; write what a user would say"))
        elif reason := unfit_text(check["prompt"]):
            found.append((f"{field}.prompt", reason))
        if check["tool"] not in parameters:
            hint = did_you_mean(check["tool"], list(parameters)) or f"; declared: {', '.join(parameters)}"
            found.append((f"{field}.tool", f'no [[tool]] is named "{check["tool"]}"{hint}'))
            continue
        properties = parameters[check["tool"]].get("properties", {})
        for name, value in check["arguments"].items():
            where = f"{field}.arguments.{name}"
            if name not in properties:
                hint = did_you_mean(name, list(properties)) or f"; known: {', '.join(properties) or 'none'}"
                found.append((where, f'{check["tool"]} has no parameter "{name}"{hint}'))
            elif reason := schema_problem(value, properties[name]):
                found.append((where, f"does not fit the parameter: {reason}"))
    return found


def schema_problem(value: Any, schema: dict[str, Any]) -> str:
    """Why a value does not fit a JSON Schema, or "" where it does."""
    import jsonschema  # not needed where there are no smoke arguments

    error = next(jsonschema.Draft202012Validator(schema).iter_errors(value), None)
    return error.message if error else ""
