"""Print the JSON Schema of a manifest, for editors, or of agent.json, for runners."""

from __future__ import annotations

import argparse

from fgbuild.cli.output import print_json
from fgbuild.shipping import agent_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kind = parser.add_mutually_exclusive_group()
    for name, what in (
        ("project", "fgbuild.toml"),
        ("templates", "a file of dataset.templates"),
        ("agent", "agents/DOMAIN/agent.json"),
    ):
        kind.add_argument(
            f"--{name}",
            dest="file",
            action="store_const",
            const=name,
            default="manifest",
            help=f"the schema of {what} instead of a manifest's",
        )


def run(args: argparse.Namespace) -> int:
    if args.file == "agent":
        print_json(agent_schema())
        return 0
    from fgbuild.manifest.schema import json_schema  # imports pydantic

    print_json(json_schema(args.file))
    return 0
