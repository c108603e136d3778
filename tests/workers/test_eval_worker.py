"""Stage eval on a real, untrained GGUF, and how rows and remembered scores are chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import GGUF, TOOLS, Events, job, make_base, manifest, rewritten

from fgbuild.errors import DataError, FgbuildError
from fgbuild.functiongemma import render
from fgbuild.gguf_io.metadata import string
from fgbuild.workers import eval as eval_worker
from fgbuild.workers.evaluating.evaluate import questions, read_rows, spread
from fgbuild.workers.evaluating.projects import Projects
from fgbuild.workers.inference.prompt import PromptEncoder

CALL = {"type": "function", "function": {"name": "run_ruff", "arguments": {"path": "src/a.py"}}}
ROWS: list[dict[str, Any]] = [
    {
        "id": "t-1",
        "scenario": "check",
        "messages": [
            {"role": "user", "content": "Check src/a.py."},
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "content": [{"name": "run_ruff", "response": {"problems": 0}}]},
            {"role": "assistant", "content": "No problems."},
        ],
    },
    {
        "id": "t-2",
        "scenario": "unclear",
        "messages": [{"role": "user", "content": "Do it."}, {"role": "assistant", "content": "Do what?"}],
    },
]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for one another cost a model this small more than they give."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture
def split(tmp_path: Path) -> Path:
    directory = tmp_path / "generate"
    directory.mkdir()
    (directory / "eval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return directory


def run(base: Path, split: Path, output: Path, settings: dict[str, Any], **options: Any) -> tuple[bool, dict[str, Any]]:
    options.setdefault("gguf", str(base / GGUF))
    events = Events()
    passed = eval_worker.work(job("eval", base, output, manifest(eval=settings), {"generate": split}, options), events)
    report = json.loads((output / "report.json").read_text("utf-8"))
    report["events"] = events.seen
    return passed, report


def test_an_untrained_model_gets_an_honest_report(tiny_base: Path, split: Path, tmp_path: Path) -> None:
    passed, report = run(tiny_base, split, tmp_path / "out", {"thresholds": {"tool_accuracy": 0.5}})
    assert not passed
    assert not report["passed"]
    assert (report["examples"], report["turns"]) == (2, 3)
    assert report["tool_accuracy"] == 0.0
    assert report["below"] == {"tool_accuracy": {"value": 0.0, "minimum": 0.5}}
    assert report["decode_tokens_per_s"] > 0
    assert report["reused_tokens"] > 0
    assert 0 < report["time_to_first_token"]["median"] <= report["time_to_first_token"]["p95"]
    assert report["time_to_first_token"]["p95"] <= report["turn_seconds"]["p95"]
    assert report["intervals"]["tool_accuracy"][0] == 0.0 < report["intervals"]["tool_accuracy"][1] < 1.0
    assert report["closed_loop_accuracy"] is None
    assert report["notes"] == [report["closed_loop_note"]]
    failures = [json.loads(line) for line in (tmp_path / "out" / "failures.jsonl").read_text("utf-8").splitlines()]
    assert failures[0]["id"] == "t-1"
    assert failures[0]["prompt"] == ROWS[0]["messages"][:1]
    assert failures[0]["expected"].startswith("<start_function_call>call:run_ruff{")
    kinds = [event["kind"] for event in report["events"]]
    assert kinds[-1] == "stage.result"
    assert report["events"][-1]["summary"]["tool_accuracy"] == 0.0
    assert "stage.progress" in kinds
    check = {"name": "tool_accuracy", "passed": False, "value": "0 %", "expected": "at least 50 %", "reason": ""}
    assert report["checks"] == [check]
    assert [event for event in report["events"] if event["kind"] == "stage.check"] == [{"kind": "stage.check", **check}]


def test_closed_loop_runs_the_domain_s_tools(tiny_base: Path, split: Path, tmp_path: Path) -> None:
    dataset = {"generator": "lint", "count": 60, "eval_fraction": 0.1, "seed": 3}
    work = job("eval", tiny_base, tmp_path / "out", manifest(eval={}), {"generate": split}, {})
    work.options["gguf"] = str(tiny_base / GGUF)
    work.manifest["dataset"] = dataset
    work.manifest["name"] = "lint"
    with Projects(work.manifest) as projects:
        drawn = [projects._plan.draw("eval", number, 0, projects) for number in projects._order]
        ids = [projects._plan.row_id(projects._plan.sizes["train"] + place) for place in range(len(drawn))]
    lines = [json.dumps({"id": name, **row}) + "\n" for name, row in zip(ids, drawn) if row]
    (split / "eval.jsonl").write_text("".join([*lines, json.dumps({**ROWS[0], "source": "a:1"}) + "\n"]), "utf-8")
    eval_worker.work(work, Events())
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["closed_loop_examples"] == len(lines) == 6
    assert report["closed_loop_accuracy"] == 0.0  # it has learnt nothing
    assert report["closed_loop_note"] == "1 of 7 examples cannot be played in closed loop"
    wrong = [json.loads(line) for line in (tmp_path / "out" / "closed_loop.jsonl").read_text("utf-8").splitlines()]
    assert [each["id"] for each in wrong] == ids
    assert all(each["reason"] for each in wrong)


def test_prompts_by_hand_are_scored_apart(tiny_base: Path, split: Path, tmp_path: Path) -> None:
    rows = [{**row, "id": f"p{number}"} for number, row in enumerate([ROWS[1], ROWS[1]])]
    file = tmp_path / "prompts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    settings = {"prompts": str(file), "thresholds": {"tool_accuracy": 0.0, "prompt_tool_accuracy": 1.1}}
    passed, report = run(tiny_base, split, tmp_path / "out", settings)
    assert (report["examples"], report["turns"], report["prompts"]) == (2, 3, 2)
    assert report["prompt_tool_accuracy"] == report["prompt_argument_match"]
    assert not passed
    assert set(report["below"]) == {"prompt_tool_accuracy"}
    file.write_text(json.dumps({**rows[0], "messages": []}) + "\n", "utf-8")
    with pytest.raises(DataError, match=r"prompts\.jsonl:1: messages must be a list"):
        run(tiny_base, split, tmp_path / "again", settings)


def test_without_thresholds_it_passes(tiny_base: Path, split: Path, tmp_path: Path) -> None:
    passed, report = run(tiny_base, split, tmp_path / "out", {"thresholds": {"tool_accuracy": 0.0}})
    assert passed
    assert report["below"] == {}


def test_scores_are_remembered_by_what_decides_them(tiny_base: Path, split: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")

    def measured(name: str, settings: dict[str, Any], **options: Any) -> bool:
        _, report = run(tiny_base, split, tmp_path / name, settings, remember=kept, **options)
        return any(event["kind"] == "stage.progress" for event in report["events"])

    low, high = {"thresholds": {"tool_accuracy": 0.0}}, {"thresholds": {"tool_accuracy": 0.9}}
    assert measured("1", low)
    assert not measured("2", low)
    assert not measured("3", high)  # a threshold judges scores and does not change them …
    assert not json.loads((tmp_path / "3" / "report.json").read_text("utf-8"))["passed"]  # … but is applied
    assert measured("4", low, force=True)
    assert measured("5", {**low, "max_tokens": 7})
    other = rewritten(tiny_base / GGUF, tmp_path / "other.gguf", {"general.name": string("Other")})
    assert measured("6", low, gguf=str(other))
    with (split / "eval.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({**ROWS[1], "id": "t-3"}) + "\n")
    assert measured("7", low)
    assert not measured("8", low)


def test_other_kernels_and_other_rules_are_measured_anew(
    tiny_base: Path, split: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gguf = tiny_base / GGUF
    work = job("eval", tiny_base, tmp_path / "out", manifest(eval={}), {"generate": split}, {"gguf": str(gguf)})
    keys = [eval_worker.evaluation_key(work, gguf)]
    assert eval_worker.evaluation_key(work, gguf) == keys[0]
    with monkeypatch.context() as patch:
        patch.setattr(eval_worker, "version", lambda name: f"{name} of tomorrow")
        keys.append(eval_worker.evaluation_key(work, gguf))
    monkeypatch.setattr(eval_worker, "METRICS_VERSION", eval_worker.METRICS_VERSION + 1)
    keys.append(eval_worker.evaluation_key(work, gguf))
    assert len(set(keys)) == 3


def test_the_eval_stages_own_report_is_used(tiny_base: Path, split: Path, tmp_path: Path) -> None:
    run(tiny_base, split, tmp_path / "built", {})
    reports = [str(tmp_path / "missing.json"), str(tmp_path / "built" / "report.json")]
    _, report = run(tiny_base, split, tmp_path / "again", {}, reports=reports)
    assert not any(event["kind"] == "stage.progress" for event in report["events"])
    assert report["turns"] == 3


def test_prompts_are_the_ids_of_training(tiny_base: Path) -> None:
    encoder = PromptEncoder(tiny_base)
    asked = questions(ROWS, TOOLS, encoder)
    assert [(question.row["id"], question.index, question.first) for question in asked] == [
        ("t-1", 1, True),
        ("t-1", 3, False),
        ("t-2", 1, True),
    ]
    before: list[list[int]] = []
    ids: list[int] = []
    for segment in render(ROWS[0]["messages"], TOOLS):
        if segment.supervised:
            before.append(list(ids))
        ids += encoder._tokenizer.encode(segment.text, add_special_tokens=False).ids
    assert [question.prompt for question in asked[:2]] == before


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    (tmp_path / "eval.jsonl").write_text("", "utf-8")
    with pytest.raises(DataError, match=r"eval\.jsonl"):
        read_rows(tmp_path / "eval.jsonl", 10)


def test_a_missing_gguf_is_a_clear_error(tiny_base: Path, split: Path, tmp_path: Path) -> None:
    with pytest.raises(FgbuildError, match="fgbuild build tiny"):
        run(tiny_base, split, tmp_path / "out", {}, gguf=str(tmp_path / "none.gguf"))


def numbered(count: int) -> list[dict[str, Any]]:
    return [{"id": n} for n in range(count)]


def test_rows_are_taken_from_beginning_to_end_at_even_distances() -> None:
    rows = numbered(10)
    assert [row["id"] for row in spread(rows, 5)] == [0, 2, 4, 6, 8]
    assert spread(rows, 10) == spread(rows, 99) == rows


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_spread_takes_as_many_rows_as_there_is_room_for(count: int, limit: int) -> None:
    chosen = spread(numbered(count), limit)
    assert len({row["id"] for row in chosen}) == len(chosen) == min(count, limit)
