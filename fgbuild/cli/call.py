"""Run one prompt through a shipped GGUF and print the tool calls as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fgbuild.cli.output import print_json
from fgbuild.cli.selection import add_variant, open_project, positive
from fgbuild.cli.shipped import Shipped, job_for, run_worker, shipped_models
from fgbuild.errors import FgbuildError

if TYPE_CHECKING:
    from fgbuild.manifest import Project

DEFAULT_MAX_TOKENS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="whose model to ask")
    parser.add_argument("prompt", metavar="PROMPT", help="what the user says")
    parser.add_argument(
        "--max-tokens", type=positive, default=DEFAULT_MAX_TOKENS, metavar="N", help="longest answer, tokens"
    )
    parser.add_argument(
        "--grammar", action="store_true", help="let the model write nothing but words or calls that fit the tools"
    )
    parser.add_argument("--json", action="store_true", help="print it on one line")
    add_variant(parser)


def run(args: argparse.Namespace) -> int:
    if not args.prompt.strip():
        raise FgbuildError("PROMPT is empty; write what the user says")
    answer = call(open_project(args), args.domain, args.prompt, max_tokens=args.max_tokens, grammar=args.grammar)
    print_json(answer, indent=None if args.json else 2)
    return 0


def call(
    project: Project,
    domain: str,
    prompt: str,
    *,
    max_tokens: int = DEFAULT_MAX_TOKENS,
    grammar: bool = False,
    unwanted: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """What the domain's shipped GGUF answers, as `fgbuild.workers.call` writes it; prints nothing.

    unwanted: asked some times a second; once it says yes the model is stopped. Raises FgbuildError where there is no
    such model, it cannot be used, or the answer became unwanted.
    """
    model = shipped_models(project, [domain], everything=False)[0]
    job = job_for(model, project.root, "call", {}, {"prompt": prompt, "max_tokens": max_tokens, "grammar": grammar})
    job["manifest"] = {"tool": shipped_tools(model)}
    return run_worker("fgbuild.workers.call", job, "call.json", unwanted=unwanted)[1]


def shipped_tools(model: Shipped) -> list[dict[str, Any]]:
    """The tools that the model was trained with: those of its agent.json, else the manifest's.

    The manifest may have been edited since. Raises FgbuildError for an agent.json that cannot be read.
    """
    path = model.agent
    if not path.is_file():
        tools: list[dict[str, Any]] = model.domain.resolved["tool"]
        return tools
    try:
        return list(json.loads(path.read_text("utf-8"))["tools"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = type(error).__name__
        raise FgbuildError(
            f"agents/{model.domain.name}/agent.json holds no list of tools ({reason}); "
            f"run `fgbuild build {model.domain.name}` to write it again"
        ) from None
