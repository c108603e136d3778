"""Stage generate: files of trajectories from a generator, own JSONL, or both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fgbuild.errors import DataError
from fgbuild.workers import generate
from fgbuild.workers.jsonl import read_jsonl
from fgbuild.workers.protocol import Job, Reporter

SWITCH = {
    "name": "switch",
    "description": "Switch a device.",
    "parameters": {
        "type": "object",
        "properties": {"device": {"type": "string", "description": "Which."}},
        "required": ["device"],
    },
}


def job(tmp_path: Path, tools: list, **dataset) -> Job:
    settings = {"generator": "none", "count": 200, "seed": 7, "eval_fraction": 0.2, "files": []} | dataset
    output = tmp_path / "out"
    output.mkdir()
    manifest = {"name": "toy", "dataset": settings, "tool": tools}
    return Job("toy:generate", "generate", "toy", manifest, {}, output, tmp_path / "state", tmp_path, {})


def own_row(number: int, tool: str = "switch") -> dict:
    call = {"type": "function", "function": {"name": tool, "arguments": {"device": f"lamp {number}"}}}
    request = {"role": "user", "content": f"switch lamp {number}"}
    return {"messages": [request, {"role": "assistant", "tool_calls": [call]}]}


def write_own(tmp_path: Path, rows: list[dict]) -> list[str]:
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return ["own.jsonl"]


def test_a_built_in_domain_gives_the_default_200_with_a_card(tmp_path):
    import tomllib

    tools = tomllib.loads(Path("manifests/lint.toml").read_text("utf-8"))["tool"]
    work = job(tmp_path, tools, generator="lint")
    generate.work(work, Reporter("toy:generate"))
    train, held_out = (read_jsonl(work.output / f"{split}.jsonl") for split in ("train", "eval"))
    assert (len(train), len(held_out)) == (160, 40)
    card = json.loads((work.output / "stats.json").read_text("utf-8"))
    assert card["shared_families"] == card["shared_requests"] == 0
    assert card["train"]["abstaining_share"] >= 0.15
    assert card["eval"]["abstaining_share"] >= 0.15
    assert len(card["train"]["tools"]) == len(tools)


def test_own_files_alone_split_by_family(tmp_path):
    work = job(tmp_path, [SWITCH], files=write_own(tmp_path, [own_row(n) for n in range(40)]))
    generate.work(work, Reporter("toy:generate"))
    train, held_out = (read_jsonl(work.output / f"{split}.jsonl") for split in ("train", "eval"))
    assert len(train) + len(held_out) == 40
    assert held_out
    assert not {row["family"] for row in train} & {row["family"] for row in held_out}


def test_a_small_own_file_still_has_something_to_measure(tmp_path):
    work = job(tmp_path, [SWITCH], files=write_own(tmp_path, [own_row(n) for n in range(2)]), eval_fraction=0.0001)
    generate.work(work, Reporter("toy:generate"))
    assert len(read_jsonl(work.output / "eval.jsonl")) == 1


def test_an_empty_dataset_is_an_error(tmp_path):
    with pytest.raises(DataError, match="the dataset is empty"):
        generate.work(job(tmp_path, [SWITCH]), Reporter("toy:generate"))


def test_a_generator_that_calls_an_undeclared_tool_is_an_error(tmp_path):
    with pytest.raises(DataError, match="the manifest does not declare it"):
        generate.work(job(tmp_path, [SWITCH], generator="lint"), Reporter("toy:generate"))


def test_a_malformed_line_names_file_and_line(tmp_path):
    files = write_own(tmp_path, [own_row(1), own_row(2, tool="unknown")])
    with pytest.raises(DataError, match=r"own\.jsonl:2"):
        generate.work(job(tmp_path, [SWITCH], files=files), Reporter("toy:generate"))
