"""Run one prompt through a shipped GGUF and print the tool calls as JSON."""

from __future__ import annotations

import argparse
import json
from typing import Any

from fgbuild.cli.output import print_json
from fgbuild.cli.selection import add_variant, open_project, positive
from fgbuild.cli.shipped import Shipped, job_for, run_worker, shipped_models
from fgbuild.errors import FgbuildError

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
    project = open_project(args)
    model = shipped_models(project, [args.domain], everything=False)[0]
    options = {"prompt": args.prompt, "max_tokens": args.max_tokens, "grammar": args.grammar}
    job = job_for(model, project.root, "call", {}, options)
    job["manifest"] = {"tool": shipped_tools(model)}
    _, answer = run_worker("fgbuild.workers.call", job, "call.json")
    print_json(answer, indent=None if args.json else 2)
    return 0


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
