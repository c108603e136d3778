"""Stage eval: accuracy of the shipped GGUF on the held-out split and on prompts by hand, against the thresholds.

Output: report.json (the scores of `evaluating`, "passed", "thresholds", "below", "checks", "notes", "key"); where
scores were measured and not remembered, failures.jsonl (turns) and closed_loop.jsonl (conversations that ended wrong);
where it passed, export's agent.json and README.md with the scores.

Options, for `fgbuild eval`: `gguf` (the file, instead of the export artifact's), `unquantized` (true: the model in
bf16, made of base and input `train`, instead of both), `remember` (a
directory where scores are kept by key and looked up), `reports` (further report files to look in),
`force` (measure, whatever is remembered).
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from blake3 import blake3

from fgbuild.domains.own_data import read_files
from fgbuild.domains.sampling import request
from fgbuild.errors import DataError, FgbuildError
from fgbuild.workers.evaluating.closed_loop import Loop, loop_failures, prepared
from fgbuild.workers.evaluating.evaluate import Row, evaluate, questions, read_rows
from fgbuild.workers.evaluating.metrics import judge
from fgbuild.workers.evaluating.projects import Projects, tool_digest, unavailable
from fgbuild.workers.exporting import evaluated
from fgbuild.workers.inference.model_file import model_file
from fgbuild.workers.inference.prompt import PromptEncoder
from fgbuild.workers.inference.tool_calls import ToolSet
from fgbuild.workers.jsonl import read_jsonl
from fgbuild.workers.protocol import Job, Reporter, main

METRICS_VERSION = 3
"""Raised when a score changes its meaning or other rows are chosen: older remembered reports are not used."""


def work(job: Job, reporter: Reporter) -> bool:
    path = _model(job)
    settings = job.manifest["eval"]
    key = evaluation_key(job, path)
    kept = Path(job.options["remember"]) / f"{key}.json" if "remember" in job.options else None
    candidates = [*([kept] if kept else []), *map(Path, job.options.get("reports", ()))]
    scores = None if job.options.get("force") else remembered(key, candidates)
    if scores is None:
        scores = _measure(job, path, reporter)
        if kept:
            _keep(kept, {**scores, "key": key})
    below, notes = judge(scores, settings["thresholds"])
    if note := scores.get("closed_loop_note"):
        notes = [*notes, note]
    for note in notes:
        reporter.note(note)
    checks = list(_checks(scores, settings["thresholds"], below))
    for check in checks:
        reporter.emit("stage.check", **check)
    report = {
        **scores,
        "passed": not below,
        "thresholds": settings["thresholds"],
        "below": below,
        "checks": checks,
        "notes": notes,
        "key": key,
    }
    (job.output / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if not below and "export" in job.inputs:  # `fgbuild eval` measures the placed file, and has no artifact to finish
        evaluated.finish(job.inputs["export"], job.output, report)
    reporter.emit(
        "stage.result", summary={name: value for name, value in scores.items() if isinstance(value, (int, float))}
    )
    return not below


def _checks(
    scores: Mapping[str, Any], thresholds: Mapping[str, float], below: Collection[str]
) -> Iterator[dict[str, Any]]:
    """A check for each threshold that was judged, as `stage.check` has it; shares are in per cent."""
    for name, minimum in thresholds.items():
        if minimum and scores.get(name) is not None:
            # Four digits: 84.99 % must not read as the 85 % that it missed.
            value, expected = (f"{100 * share:.4g} %" for share in (scores[name], minimum))
            yield {
                "name": name,
                "passed": name not in below,
                "value": value,
                "expected": f"at least {expected}",
                "reason": "",
            }


def _model(job: Job) -> Path:
    """The GGUF that is asked; for `unquantized` it is written first."""
    if not job.options.get("unquantized"):
        return model_file(job)
    path = job.state / "unquantized.gguf"
    # By name: a build's evaluation neither reads the trained adapter nor depends on how it is merged.
    importlib.import_module("fgbuild.workers.evaluating.unquantized").write_of(job, path)
    return path


def _measure(job: Job, path: Path, reporter: Reporter) -> dict[str, Any]:
    settings = job.manifest["eval"]
    rows = read_rows(job.inputs["generate"] / "eval.jsonl", settings["examples"])
    tools, encoder = job.manifest["tool"], PromptEncoder(job.inputs["base"])
    by_hand = questions(_prompts(job), tools, encoder)
    asked = [*questions(rows, tools, encoder), *by_hand]
    with ExitStack() as stack:
        loops, note = _loops(job, rows, stack)
        reporter.restart_clock()
        result = evaluate(
            path,
            asked,
            max_tokens=settings["max_tokens"],
            encoder=encoder,
            loops=loops,
            on_turn=lambda done, total: reporter.progress(done, total, "turns"),
        )
    _write_lines(job.output / "failures.jsonl", result.failures())
    _write_lines(job.output / "closed_loop.jsonl", loop_failures(loops))
    return {**result.scores(len(by_hand)), **({"closed_loop_note": note} if note else {})}


def _loops(job: Job, rows: Sequence[Row], stack: ExitStack) -> tuple[list[Loop], str]:
    """The rows that can be played in closed loop, and what is to be said of the others."""
    if reason := unavailable(job.manifest):
        return [], f"closed_loop_accuracy was not measured: {reason}"
    projects = stack.enter_context(Projects(job.manifest))
    tools = ToolSet(job.manifest["tool"])
    found = []
    for row in rows:
        # The names of another list of tools are not those of the real ones.
        loop = None if row.get("tools") else prepared(row, tools, projects.files_of(row), projects)
        if loop is not None:
            found.append(loop)
    left = len(rows) - len(found)
    return found, f"{left} of {len(rows)} examples cannot be played in closed loop" if left else ""


def _write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for record in records:
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def _prompts(job: Job) -> list[dict[str, Any]]:
    """The rows of `eval.prompts`. Raises DataError for one that the model has been trained on."""
    name = job.manifest["eval"].get("prompts")
    if not name:
        return []
    rows = read_files(job.root, [name], job.manifest["tool"], max_bad=0).rows
    learned = job.inputs["generate"] / "train.jsonl"
    seen = {request(row) for row in read_jsonl(learned)} if learned.exists() else set()
    for row in rows:
        if request(row) in seen:
            raise DataError(f"{row['source']}: a training example asks the same; reword one of them")
    return rows


def evaluation_key(job: Job, gguf: Path) -> str:
    """BLAKE3, hex, over all that decides the scores: files, tokenizer, tools and what answers them, limits, llama.cpp.

    Thresholds are not among them: they judge scores and do not change them.
    """
    settings = {name: job.manifest["eval"][name] for name in ("examples", "max_tokens")}
    plain = {
        "version": METRICS_VERSION,
        "llama-cpp-python": version("llama-cpp-python"),
        "tool": job.manifest["tool"],
        "eval": settings,
        "closed_loop": tool_digest(job.manifest),
    }
    digest = blake3(json.dumps(plain, sort_keys=True).encode())
    prompts = [job.root / name] if (name := job.manifest["eval"].get("prompts")) else []
    for file in (gguf, job.inputs["generate"] / "eval.jsonl", job.inputs["base"] / "tokenizer.json", *prompts):
        try:
            digest.update(blake3(max_threads=blake3.AUTO).update_mmap(file).digest())
        except OSError as error:
            raise FgbuildError(f"{file} cannot be read ({error.strerror}); run `fgbuild build {job.domain}`") from None
    return digest.hexdigest()


def remembered(key: str, reports: Sequence[Path]) -> dict[str, Any] | None:
    """The scores of the first of these reports that has this key; a missing or damaged one is passed over."""
    for path in reports:
        try:
            report = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(report, Mapping) and report.get("key") == key:
            verdict = ("passed", "thresholds", "below", "checks", "notes", "key")
            return {field: value for field, value in report.items() if field not in verdict}
    return None


def _keep(path: Path, report: Mapping[str, Any]) -> None:
    """Write the scores for the next time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written elsewhere and renamed: a killed run leaves no half report.
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(json.dumps(report, ensure_ascii=False) + "\n", "utf-8")
    partial.replace(path)


if __name__ == "__main__":
    main(work)
