"""Print the JSON Schema of a manifest, for editors."""

from __future__ import annotations

import argparse

from fgbuild.cli.output import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", action="store_true", help="the schema of fgbuild.toml instead of a manifest's")


def run(args: argparse.Namespace) -> int:
    from fgbuild.manifest.schema import json_schema  # imports pydantic

    print_json(json_schema(project=args.project))
    return 0
