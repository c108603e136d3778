"""Artifacts for the views that go through rows: training data and failures of an evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import views_sample as sample
from tui_sample import FolderMade, dashboard

from fgbuild.views.tui.app import DashboardApp

PATH = {"type": "string", "description": "File or folder"}

TOOLS = [
    {
        "name": "run_ruff",
        "description": "Check the code",
        "parameters": {
            "type": "object",
            "required": ["path"],
            "properties": {"path": PATH, "level": {"type": "string", "description": "How", "enum": ["low", "high"]}},
        },
    },
    {"name": "fix_lint", "description": "Mend it", "parameters": {"type": "object", "properties": {"path": PATH}}},
]


def calling(tool: str, arguments: dict[str, Any], response: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": tool, "arguments": arguments}}]},
        {"role": "tool", "content": [{"name": tool, "response": response}]},
    ]


def row(number: int, scenario: str, request: str, *answer: dict[str, Any], split: str = "train") -> dict[str, Any]:
    messages = [{"role": "user", "content": request}, *answer]
    return {"id": f"lint-{number:05d}", "scenario": scenario, "kind": "single", "split": split, "messages": messages}


def said(words: str) -> dict[str, Any]:
    return {"role": "assistant", "content": words}


ROWS = [
    row(0, "check", "Is app.py clean?", *calling("run_ruff", {"path": "app.py"}, {"count": 3}), said("Three of them.")),
    row(1, "fix", "Mend `ü.py`", *calling("fix_lint", {"path": "ü.py"}, {"fixed": 2}), said("Mended two.")),
    row(2, "decline", "Book a table", said("None of my tools can do that.")),
    *(
        row(3 + n, "check", f"Look at file {n}", *calling("run_ruff", {"path": f"{n}.py"}, {"count": n}))
        for n in range(40)
    ),
]

HELD_OUT = [row(90, "check", "Are the held out ones fine?", said("Which ones?"), split="eval")]

STATS = {
    "train": {"rows": 43, "abstaining_share": 0.0233, "scenarios": {"check": 41, "fix": 1, "decline": 1}},
    "eval": {"rows": 1, "abstaining_share": 1.0, "scenarios": {"check": 1}},
}


def written(folder: Path, rows: list[Any], held_out: list[Any] = HELD_OUT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, entries in (("train", rows), ("eval", held_out)):
        lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in entries]
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return folder


def data_app(root: Path, rows: list[Any] = ROWS, **desk: Any) -> DashboardApp:
    """A dashboard whose `lint` has these rows, and `test` two of them."""
    sample.write_log(root, sample.whole_run())
    folders = {"lint:generate": written(root / "a", rows), "test:generate": written(root / "b", ROWS[1:3])}
    files = {
        ("lint:generate", "stats.json"): json.dumps(STATS).encode(),
        ("lint:tokenize", "stats.json"): b'{"max_tokens": 612}',
        ("lint:export", "agent.json"): json.dumps({"tools": TOOLS}).encode(),
    }
    app = dashboard(root, made_files=FolderMade(files, folders=folders), **desk)
    app.selected = "lint:train"
    return app


REPORT = {
    "examples": 40,
    "tool_accuracy": 0.8,
    "argument_match": 0.7,
    "abstention_recall": 0.6,
    "thresholds": {"tool_accuracy": 0.75, "abstention_recall": 0.8},
    "below": {"abstention_recall": {"value": 0.6, "minimum": 0.8}},
    "base": {"tool_accuracy": 0.1},
    "bf16": {"tool_accuracy": 0.85},
    "confusion": {"(words)": {"(words)": 6, "fix_lint": 2}, "run_ruff": {"run_ruff": 9}},
    "scenarios": {
        "check": {"examples": 30, "tool_accuracy": 0.9, "argument_match": 0.8, "sequence_accuracy": 0.9},
        "clarify": {"examples": 10, "tool_accuracy": None, "argument_match": None, "sequence_accuracy": 0.2},
    },
    "notes": ["as it is remembered"],
}

CALL = "<start_function_call>call:{}{{path:<escape>{}<escape>}}<end_function_call>"


def failure(number: int, scenario: str, reason: str, expected: str, got: str, *asked: str) -> dict[str, Any]:
    prompt = [{"role": "user", "content": words} for words in asked or ("Mend it all",)]
    identifier = f"lint-{number:05d}"
    return {
        "id": identifier,
        "scenario": scenario,
        "turn": 1,
        "prompt": prompt,
        "expected": expected,
        "got": got,
        "reason": reason,
    }


FAILURES = [
    failure(1, "check", "wrong arguments", CALL.format("run_ruff", "app.py"), CALL.format("run_ruff", "lib.py")),
    failure(2, "clarify", "other words", "Which file?", "Hello", "Mind you", "Mend [b]\r"),
    *(failure(3 + n, "check", "words instead of a call", CALL.format("run_ruff", n), "Done.") for n in range(20)),
]


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def failures_app(root: Path, rows: list[dict[str, Any]] = FAILURES) -> DashboardApp:
    """A dashboard whose `lint` was evaluated with these failures, and `test` without one."""
    sample.write_log(root, sample.whole_run())
    files = {
        ("lint:eval", "report.json"): json.dumps(REPORT).encode(),
        ("lint:eval", "failures.jsonl"): json_lines(rows),
        ("test:eval", "report.json"): json.dumps({"tool_accuracy": 1.0}).encode(),
        ("test:eval", "failures.jsonl"): b"",
    }
    app = dashboard(root, made_files=FolderMade(files))
    app.selected = "lint:train"
    return app
