"""`fgbuild data stats`: the statistics card of a domain's data set, as the last build left it."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgbuild.cli.output import print_json
from fgbuild.cli.selection import add_variant, open_project
from fgbuild.engine.artifacts import current_artifact
from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError
from fgbuild.views.text import clean

_COUNTED = (
    ("kinds", "kind"),
    ("scenarios", "scenario"),
    ("tools", "calls by tool"),
    ("calls_per_row", "calls in a row"),
    ("turns", "turns of the model"),
)
_SPLITS = ("train", "eval")
_PAGE = "stats.html"
_VALUES_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="a domain by name")
    add_variant(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """The card and the page's path. Lengths in tokens are there once the data set was tokenized."""
    project = open_project(args)
    name = args.domain
    if name not in project.domains:
        raise FgbuildError(f"there is no domain {name!r}; choose from {', '.join(project.domains)}")
    folder = current_artifact(project, f"{name}:generate")
    if folder is None or not (folder / _PAGE).is_file():  # an older fgbuild made no page
        raise FgbuildError(f"{name} has no data set that is up to date; run `fgbuild build {name} --until generate`")
    card = json.loads((folder / "stats.json").read_text("utf-8"))
    tokenized = current_artifact(project, f"{name}:tokenize")
    card["tokens"] = _token_lengths(tokenized) if tokenized else None
    card["page"] = Paths(project.root).relative(folder / _PAGE)
    if args.json:
        print_json(card)
    else:
        print("\n".join(clean(line, None) for line in _lines(name, card)))
    return 0


def _token_lengths(folder: Path) -> dict[str, Any]:
    """Of each split the shortest, middle and longest row in tokens, the tools' declarations included."""
    found = {}
    for split in _SPLITS:
        with (folder / f"{split}.jsonl").open(encoding="utf-8") as stream:
            lengths = [len(json.loads(line)["input_ids"]) for line in stream]
        found[split] = {"min": min(lengths), "median": statistics.median_low(lengths), "max": max(lengths)}
    return found


def _lines(name: str, card: dict[str, Any]) -> Iterator[str]:
    train, held_out = (card[split] for split in _SPLITS)
    yield f"{name}: {card['rows']:,} rows"
    yield ""
    yield from _aligned(list(_overview(card)))
    for key, title in _COUNTED:
        names = dict.fromkeys([*train[key], *held_out[key]])
        rows = [(each, f"{train[key].get(each, 0):,}", f"{held_out[key].get(each, 0):,}") for each in names]
        yield ""
        yield from _aligned([(title, "train", "eval"), *rows])
    yield ""
    arguments = card["arguments"]
    sizes = [(name, f"{found['different']:,}{'+' if found['more'] else ''}") for name, found in arguments.items()]
    common = [", ".join(list(found["common"])[:_VALUES_SHOWN]) for found in arguments.values()]
    yield from map("  ".join, zip(_aligned([("argument", "values"), *sizes]), ["most common", *common]))
    yield ""
    near = card["near_duplicates"]
    yield f"{card['duplicates_removed']:,} rows drawn again, as their request was there already"
    yield (
        f"{near['found']:,} of {near['compared']:,} eval rows near copies of training rows "
        f"({near['share']:.1%}, bound {near['max_leakage']:.1%})"
    )
    yield from (f"  {pair['eval']['request']}  ~  {pair['train']['request']}" for pair in near["examples"])
    yield f"page  {card['page']}"


def _overview(card: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield ("", *_SPLITS)
    yield ("rows", *(f"{card[split]['rows']:,}" for split in _SPLITS))
    yield ("without a call", *(f"{card[split]['abstaining_share']:.1%}" for split in _SPLITS))
    characters = [card[split]["characters"] for split in _SPLITS]
    yield ("characters", *(f"{found['min']} … {found['mean']:.0f} … {found['max']}" for found in characters))
    if card["tokens"]:
        tokens = [card["tokens"][split] for split in _SPLITS]
        yield ("tokens", *(f"{found['min']} … {found['median']} … {found['max']}" for found in tokens))


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *numbers in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))]
        yield "  ".join(cells)
