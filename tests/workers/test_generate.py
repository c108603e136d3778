"""Stage generate: files of trajectories from a generator, own JSONL, or both."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fgbuild.errors import DataError
from fgbuild.workers import generate
from fgbuild.workers.generating.near import Nearness, Said
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
ASKED = [{"role": "user", "content": "Make me a sandwich."}]
SAID = {"role": "assistant", "content": "I cannot do that."}


def job(tmp_path: Path, tools: list, *, out: str = "out", **dataset) -> Job:
    settings = {
        "generator": "none",
        "count": 200,
        "seed": 7,
        "eval_fraction": 0.2,
        "files": [],
        "max_bad": 0,
        "max_leakage": 0.05,
        "tool_variants": 0.0,
    } | dataset
    output = tmp_path / out
    output.mkdir()
    manifest = {"name": "toy", "dataset": settings | dataset, "tool": tools}
    return Job("toy:generate", "generate", "toy", manifest, {}, output, tmp_path / "state", tmp_path, {})


def own_row(number: int, tool: str = "switch") -> dict:
    call = {"type": "function", "function": {"name": tool, "arguments": {"device": f"lamp {number}"}}}
    request = {"role": "user", "content": f"switch lamp {number}"}
    return {"messages": [request, {"role": "assistant", "tool_calls": [call]}]}


def write_own(tmp_path: Path, rows: list[dict]) -> list[str]:
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return ["own.jsonl"]


@pytest.fixture(scope="module")
def lint_tools() -> list[dict]:
    return tomllib.loads(Path("manifests/lint.toml").read_text("utf-8"))["tool"]


FEW = {"generator": "lint", "count": 60}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, lint_tools) -> Path:
    """What the domain `lint` gives alone."""
    work = job(tmp_path_factory.mktemp("drawn"), lint_tools, **FEW)
    generate.work(work, Reporter("toy:generate"))
    return work.output


def test_a_built_in_domain_gives_the_default_200_with_a_card(tmp_path, lint_tools):
    work = job(tmp_path, lint_tools, generator="lint")
    generate.work(work, Reporter("toy:generate"))
    train, held_out = (read_jsonl(work.output / f"{split}.jsonl") for split in ("train", "eval"))
    assert (len(train), len(held_out)) == (160, 40)
    card = json.loads((work.output / "stats.json").read_text("utf-8"))
    assert card["shared_families"] == card["shared_requests"] == 0
    assert card["train"]["abstaining_share"] >= 0.15
    assert card["eval"]["abstaining_share"] >= 0.15
    assert len(card["train"]["tools"]) == len(lint_tools)


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


def test_ids_are_unique_across_files(tmp_path):
    write_own(tmp_path, [own_row(1), own_row(2) | {"id": "x"}])
    (tmp_path / "more.jsonl").write_text(json.dumps(own_row(3) | {"id": "x"}) + "\n", "utf-8")
    with pytest.raises(DataError, match=r'more\.jsonl:1: id "x" is the id of own\.jsonl:2 too'):
        generate.work(job(tmp_path, [SWITCH], files=["own.jsonl", "more.jsonl"]), Reporter("toy:generate"))


def test_an_own_id_is_no_generated_one(tmp_path, lint_tools):
    files = write_own(tmp_path, [{"messages": [*ASKED, SAID], "id": "toy-00003"}])
    with pytest.raises(
        DataError, match=r'own\.jsonl:1: id "toy-00003" is the id of a generated row of scenario [a-z_]+ too'
    ):
        generate.work(job(tmp_path, lint_tools, **FEW, files=files), Reporter("toy:generate"))


def test_files_of_one_name_go_together(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_own(tmp_path / name, [own_row(n) for n in range(20)])
    work = job(tmp_path, [SWITCH], files=["a/own.jsonl", "b/own.jsonl"])
    generate.work(work, Reporter("toy:generate"))
    train, held_out = (read_jsonl(work.output / f"{split}.jsonl") for split in ("train", "eval"))
    assert len({row["id"] for row in train + held_out}) == 40
    assert held_out
    assert not {row["messages"][0]["content"] for row in train} & {row["messages"][0]["content"] for row in held_out}


@pytest.mark.parametrize("split", ["train", "eval"])
def test_an_own_row_with_a_generated_request_of_the_other_split_is_refused(tmp_path, lint_tools, drawn, split):
    taken = read_jsonl(drawn / f"{split}.jsonl")[0]["messages"][0]["content"]
    learned, measured = (next(n for n in "abcdefghijklmnop" if (generate._share(n) < 0.2) == low) for low in (0, 1))
    row = {"messages": [{"role": "user", "content": taken}, SAID], "family": measured if split == "train" else learned}
    files = write_own(tmp_path, [{"messages": [*ASKED, SAID], "family": measured}, row])
    with pytest.raises(DataError) as caught:
        generate.work(job(tmp_path, lint_tools, **FEW, files=files), Reporter("toy:generate"))
    assert "own.jsonl:2" in str(caught.value)
    assert taken[:20] in str(caught.value)


def test_an_own_family_that_is_a_generated_one_of_the_other_split_is_refused(tmp_path, lint_tools, drawn):
    taken = read_jsonl(drawn / "eval.jsonl")
    family = next(row["family"] for row in taken if generate._share(row["family"]) >= 0.2)
    files = write_own(tmp_path, [{"messages": [*ASKED, SAID], "family": family}])
    with pytest.raises(DataError, match=rf'own\.jsonl:1.*"{family}"'):
        generate.work(job(tmp_path, lint_tools, **FEW, files=files), Reporter("toy:generate"))


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


def test_bad_lines_that_may_be_left_out_are_noted_and_counted(tmp_path, capfd):
    files = write_own(tmp_path, [own_row(1), own_row(2, tool="unknown"), *(own_row(n) for n in range(3, 20))])
    work = job(tmp_path, [SWITCH], files=files, max_bad=1)
    generate.work(work, Reporter("toy:generate"))
    kept = [row["source"] for split in ("train", "eval") for row in read_jsonl(work.output / f"{split}.jsonl")]
    assert sorted(kept) == sorted(f"own.jsonl:{n}" for n in range(1, 20) if n != 2)
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (note,) = [event["text"] for event in events if event["kind"] == "stage.note"]
    assert note.startswith('left out: own.jsonl:2: messages[1].tool_calls[0]: no tool is named "unknown"')
    (summary,) = [event["summary"] for event in events if event["kind"] == "stage.result"]
    assert summary["left_out"] == 1


def test_many_bad_lines_are_noted_in_short(tmp_path, capfd):
    files = write_own(tmp_path, [own_row(n, tool="switch" if n < 10 else "unknown") for n in range(40)])
    generate.work(job(tmp_path, [SWITCH], files=files, max_bad=30), Reporter("toy:generate"))
    notes = [json.loads(line).get("text", "") for line in capfd.readouterr().err.splitlines()]
    assert sum(note.startswith("left out: own.jsonl:") for note in notes) == 20
    assert "left out: 30 lines in all; fgbuild check lists them" in notes


def switching(command: list) -> dict:
    """The tables of a templates domain in which a command switches lamps and a third of the requests is declined."""
    phrasings = [f"way {letter}: switch {{lamp}}" for letter in "abcdefghij"]
    step = {"tool": "switch", "arguments": {"device": "{lamp}"}, "response": None}
    common = {"weight": 1.0, "answered": None, "literal": True}
    return {
        "slots": {
            "lamp": {"values": [], "file": "lamps.txt", "range": [], "step": 1, "pattern": "", "shared": False},
        },
        "scenario": [
            {"name": "on", "kind": "single", "phrasings": phrasings, "steps": [step], "answer": "It is on."} | common,
            {"name": "no", "kind": "decline", "phrasings": [f"no {text}" for text in phrasings], "steps": []}
            | {"answer": "No."}
            | common,
        ],
        "command": {"switch": {"command": command, "output": "text", "max_output": 50}},
        "workspace": {"files": [], "setup": [], "env": {}, "timeout_seconds": 10},
    }


def test_templates_give_rows_with_real_responses_and_say_what_was_dropped(tmp_path, monkeypatch):
    (tmp_path / "lamps.txt").write_text("".join(f"lamp {number}\n" for number in range(40)), "utf-8")
    events = []
    monkeypatch.setattr(Reporter, "emit", lambda self, kind, **fields: events.append({"kind": kind, **fields}))
    script = "case '{device}' in *3) exit 1;; esac; echo '{device} is on'"
    for out in ("one", "two"):
        work = job(tmp_path, [SWITCH], out=out, generator="templates", count=100, max_leakage=1.0)
        work.manifest.update(switching(["sh", "-c", script]))
        generate.work(work, Reporter("toy:generate"))
    rows = [row for split in ("train", "eval") for row in read_jsonl(tmp_path / "one" / f"{split}.jsonl")]
    assert len(rows) == 100
    assert {row["kind"] for row in rows} == {"single", "decline"}
    for name in ("train.jsonl", "eval.jsonl", "stats.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    summary = next(event["summary"] for event in events if event["kind"] == "stage.result")
    assert summary["dropped"] > 0
    (note, _) = (event["text"] for event in events if event["kind"] == "stage.note")
    assert note.startswith(f"{summary['dropped']} examples could not be used and were drawn again")
    assert "exits with 1" in note


@pytest.mark.parametrize(
    ("dataset", "step"),
    [({"generator": "lint", "count": 2}, "raise dataset.count"), ({"files": True}, "add rows of another family")],
)
def test_a_dataset_that_leaves_nothing_to_measure_is_refused(tmp_path, lint_tools, dataset, step):
    if "files" in dataset:
        dataset = {"files": write_own(tmp_path, [own_row(1)])}
    tools = lint_tools if "generator" in dataset else [SWITCH]
    with pytest.raises(DataError, match=step):
        generate.work(job(tmp_path, tools, **dataset), Reporter("toy:generate"))


def near_rows(tmp_path: Path) -> list[str]:
    """Ten rows of one wording, of families that go to both splits, and ten of others."""
    rows = [
        {"messages": [{"role": "user", "content": f"Could you switch on lamp {number} over there, please?"}, SAID]}
        for number in range(10)
    ]
    others = [{"messages": [{"role": "user", "content": f"{word} " * 6}, SAID]} for word in "abcdefghij"]
    return write_own(tmp_path, [{**row, "family": f"f{n}"} for n, row in enumerate([*rows, *others])])


def test_near_copies_across_the_splits_are_refused_above_the_bound(tmp_path):
    files = near_rows(tmp_path)
    with pytest.raises(DataError) as caught:
        generate.work(job(tmp_path, [SWITCH], files=files), Reporter("toy:generate"))
    message = str(caught.value)
    assert "above dataset.max_leakage = 0.05" in message
    assert message.count("Could you switch on lamp") == 2
    assert message.count("own.jsonl:") == 2
    assert "one family" in message
    assert "\n" not in message
    work = job(tmp_path, [SWITCH], out="allowed", files=files, max_leakage=1.0)
    generate.work(work, Reporter("toy:generate"))
    near = json.loads((work.output / "stats.json").read_text("utf-8"))["near_duplicates"]
    assert 0.05 < near["share"] <= 1.0
    assert near["examples"]


def test_one_near_copy_is_borne_where_any_share_is(tmp_path):
    """Of five rows one is a fifth: the bound counts whole rows, rounded up."""
    near = Nearness(5, [(Said("a", "p", "r"), Said("b", "q", "s"))])
    generate._refuse_leakage("toy", near, 0.05)
    with pytest.raises(DataError, match="1 of 5 eval rows"):
        generate._refuse_leakage("toy", near, 0.0)


def test_the_files_are_the_same_for_any_number_of_processes(tmp_path, lint_tools, monkeypatch):
    monkeypatch.setattr(generate, "write_generated", partial(generate.write_generated, patience=0.0))
    written = []
    for cores in (1, 2):
        work = replace(job(tmp_path, lint_tools, out=str(cores), **FEW), options={"cores": cores})
        generate.work(work, Reporter("toy:generate"))
        written.append({path.name: path.read_bytes() for path in work.output.iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"train.jsonl", "eval.jsonl", "stats.json", "stats.html"}
