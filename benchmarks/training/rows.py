"""The lint domain's tokenized rows and their base, out of this project's cache; rows with other numbers of tools."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from fgbuild.functiongemma.render import render_declaration
from fgbuild.workers.jsonl import read_jsonl
from fgbuild.workers.training.batches import supervised

ROOT = Path(__file__).resolve().parents[2]
START_DECLARATION, END_OF_TURN = 46, 106


def artifact(stage: str) -> Path:
    """Directory of a stage's present artifact; builds it where it is not there."""
    command = [sys.executable, "-m", "fgbuild", "build", "lint", "--until", "tokenize", "--headless"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with sqlite3.connect(f"file:{ROOT / 'cache' / 'index.sqlite'}?mode=ro", uri=True) as index:
        query = "SELECT outputs FROM actions JOIN current USING (key) WHERE current.stage = ?"
        (outputs,) = index.execute(query, (stage,)).fetchone()
    return ROOT / "cache" / "store" / str(outputs)


def load(count: int, tools: int | None = None) -> list[dict[str, Any]]:
    """The first rows of lint's training split, {"input_ids", "labels"}; with `tools`, that many are declared in each.

    They are the tools of all domains' manifests, lint's first: what comes after the developer turn stays as it is.
    """
    rows = [
        {"input_ids": row["input_ids"], "labels": supervised(row)}
        for row in read_jsonl(artifact("lint:tokenize") / "train.jsonl")
    ]
    return [_declared(row, tools) for row in rows[:count]] if tools else rows[:count]


def _declared(row: dict[str, Any], tools: int) -> dict[str, Any]:
    ids = row["input_ids"]
    start, end = ids.index(START_DECLARATION), ids.index(END_OF_TURN)
    declared = _declarations(tools)
    labels = row["labels"]
    return {
        "input_ids": [*ids[:start], *declared, *ids[end:]],
        "labels": [*labels[:start], *[-100] * len(declared), *labels[end:]],
    }


_ENCODED: dict[int, list[int]] = {}


def _declarations(count: int) -> list[int]:
    if count not in _ENCODED:
        names = ["lint", *sorted(path.stem for path in (ROOT / "manifests").glob("*.toml") if path.stem != "lint")]
        found = [
            tool for name in names for tool in tomllib.loads((ROOT / "manifests" / f"{name}.toml").read_text())["tool"]
        ]
        tokenizer = Tokenizer.from_file(str(artifact("base") / "tokenizer.json"))
        text = "".join(render_declaration(tool) for tool in found[:count])
        if len(found) < count:
            raise SystemExit(f"the manifests declare {len(found)} tools, fewer than {count}")
        _ENCODED[count] = tokenizer.encode(text, add_special_tokens=False).ids
    return _ENCODED[count]


def settings() -> tuple[dict[str, Any], dict[str, Any]]:
    """`[lora]` and `[trainer]` of lint as they are resolved."""
    command = [sys.executable, "-m", "fgbuild", "check", "lint", "--resolved", "--json"]
    shown = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    resolved = shown["domains"]["lint"]["resolved"]
    return resolved["lora"], resolved["trainer"]
