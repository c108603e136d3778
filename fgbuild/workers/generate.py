"""Stage generate: a domain's scenarios and own files → train and eval trajectories (JSONL).

Output: train.jsonl, eval.jsonl (one trajectory a line), stats.json (the statistics card).
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable
from textwrap import shorten
from typing import Any

from fgbuild.domains.own_data import one_family_per_request, read_rows
from fgbuild.domains.sampling import (
    MIN_ABSTAINING_SHARE,
    Row,
    needs_no_call,
    request,
    statistics,
    trajectories,
)
from fgbuild.errors import DataError
from fgbuild.workers.jsonl import write_jsonl
from fgbuild.workers.protocol import Job, Reporter, main

_SHOWN = 80
"""Longest request quoted in a message, characters."""


def work(job: Job, reporter: Reporter) -> None:
    settings = job.manifest["dataset"]
    tools = job.manifest["tool"]
    name = job.manifest["name"]
    rows: list[Row] = []
    dropped: dict[str, int] = {}
    if settings["generator"] == "templates":
        rows, dropped = _template_rows(job, reporter)
        _check(rows, tools)
    elif settings["generator"] != "none":
        scenarios = importlib.import_module(f"fgbuild.domains.{settings['generator']}").SCENARIOS
        rows = trajectories(
            name,
            scenarios,
            count=settings["count"],
            eval_fraction=settings["eval_fraction"],
            seed=settings["seed"],
        )
        _check(rows, tools)
    rows += _own_rows(job, tools)
    _refuse_repeated_ids(rows)
    _refuse_leaks(rows)
    splits = {split: [row for row in rows if row["split"] == split] for split in ("train", "eval")}
    if not splits["train"]:
        raise DataError(f"{name}: the dataset is empty; set dataset.generator or add a file with rows to dataset.files")
    if not splits["eval"]:
        step = (
            "add rows of another family (other requests)"
            if settings["generator"] == "none"
            else f"raise dataset.count = {settings['count']} or dataset.eval_fraction = {settings['eval_fraction']}"
        )
        raise DataError(f"{name}: no example is left to measure the model on; {step}")
    for split, part in splits.items():
        write_jsonl(job.output / f"{split}.jsonl", part)
    card = statistics(rows)
    (job.output / "stats.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    reporter.emit(
        "stage.result",
        summary={
            "train": len(splits["train"]),
            "eval": len(splits["eval"]),
            "abstaining": card["train"]["abstaining_share"],
        }
        | dropped,
    )


def _template_rows(job: Job, reporter: Reporter) -> tuple[list[Row], dict[str, int]]:
    """Rows of the manifest's own scenarios, and `dropped`: draws that could not be used, where there are some."""
    # By name: what the domains that need no templates are made of is none of this code.
    rows, dropped = importlib.import_module("fgbuild.domains.templates").draw(job.manifest, job.root)
    if not dropped:
        return rows, {}
    reason, times = dropped.most_common(1)[0]
    reporter.note(f"{dropped.total()} examples could not be used and were drawn again; {times} of them as {reason}")
    return rows, {"dropped": dropped.total()}


def _own_rows(job: Job, tools: list[dict[str, Any]]) -> list[Row]:
    """Rows of `dataset.files`. Whole families, joined where they share a request, go to the eval split,
    by a stable hash of their name; where that takes none, the family with the lowest hash goes, so that
    no dataset is unmeasured."""
    fraction = job.manifest["dataset"]["eval_fraction"]
    rows: list[Row] = []
    for file in job.manifest["dataset"]["files"]:
        rows += read_rows(job.root / file, tools, display=file)
    rows = one_family_per_request(rows)
    shares = {row["family"]: _share(row["family"]) for row in rows}
    held_out = {family for family, share in shares.items() if share < fraction}
    if not held_out and len(shares) > 1:
        held_out = {min(shares, key=lambda family: shares[family])}
    return [{**row, "split": "eval" if row["family"] in held_out else "train"} for row in rows]


def _share(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def _refuse_repeated_ids(rows: list[Row]) -> None:
    """Scores are counted by id, so two rows with one would count as one trajectory."""
    first: dict[str, Row] = {}
    for row in rows:
        if (other := first.setdefault(row["id"], row)) is not row:
            raise DataError(f'{_place(row)}: id "{row["id"]}" is the id of {_place(other)} too; change one of them')


def _refuse_leaks(rows: list[Row]) -> None:
    """What is measured must not have been learned: own rows may repeat generated ones."""
    labels: tuple[tuple[str, Callable[[Row], str]], ...] = (("family", lambda row: row["family"]), ("request", request))
    for what, label in labels:
        learned = {label(row): row for row in rows if row["split"] == "train"}
        for row in rows:
            if row["split"] == "eval" and label(row) and (other := learned.get(label(row))):
                # Own rows come last, so of two places the later is the one that can be changed.
                earlier, later = sorted((row, other), key=lambda each: "source" in each)
                step = "change or remove this row" if "source" in later else "set another dataset.seed"
                raise DataError(
                    f'{_place(later)}: its {what} "{shorten(label(row), _SHOWN, placeholder="…")}" is in the other '
                    f"split too, as that of {_place(earlier)}; {step}"
                )


def _place(row: Row) -> str:
    return row.get("source") or f"a generated row of scenario {row['scenario']}"


def _check(rows: list[Row], tools: list[dict[str, Any]]) -> None:
    """Hold generated calls against the manifest's tools: either may have been edited alone."""
    import jsonschema

    validators = {tool["name"]: jsonschema.Draft202012Validator(tool["parameters"]) for tool in tools}
    for row in rows:
        for message in row["messages"]:
            for call in message.get("tool_calls", ()):
                tool, arguments = call["function"]["name"], call["function"]["arguments"]
                if tool not in validators:
                    raise DataError(
                        f"tool {tool}: scenario {row['scenario']} calls it and the manifest does not declare it; "
                        "add the [[tool]] or set dataset.generator to another generator"
                    )
                error = next(validators[tool].iter_errors(arguments), None)
                if error:
                    raise DataError(
                        f"tool {tool}: scenario {row['scenario']} calls it with arguments its parameters refuse "
                        f"({error.message}); bring the manifest's parameters and the generator together"
                    )
    for split in ("train", "eval"):
        part = [row for row in rows if row["split"] == split]
        abstaining = sum(map(needs_no_call, part))
        if len(part) >= 40 and abstaining < MIN_ABSTAINING_SHARE * len(part):
            raise DataError(
                f"dataset: {abstaining} of {len(part)} {split} rows need no call, and at least "
                f"{MIN_ABSTAINING_SHARE:.0%} should; raise the weight of the clarify and decline scenarios"
            )


if __name__ == "__main__":
    main(work)
