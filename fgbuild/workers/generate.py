"""Stage generate: a domain's scenarios and own files → train and eval trajectories (JSONL).

Output: train.jsonl, eval.jsonl (one trajectory a line), stats.json and stats.html (the statistics card).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import math
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Any

from fgbuild.domains.own_data import OwnRows, one_family_per_request, read_files
from fgbuild.domains.sampling import MIN_ABSTAINING_SHARE, SPLITS, Row, needs_no_call
from fgbuild.domains.scenario import Scenario, Split
from fgbuild.errors import DataError, FormatError
from fgbuild.workers.generating.card import Card
from fgbuild.workers.generating.checks import SHOWN, Repeats, place
from fgbuild.workers.generating.lines import append, iterate
from fgbuild.workers.generating.making import Count, Finisher, Recipe, write_generated
from fgbuild.workers.generating.near import NearCopies, Nearness
from fgbuild.workers.generating.page import page
from fgbuild.workers.protocol import Job, Reporter, main

_NOTED = 20
"""Most problems of lines left out that are noted one by one."""


def work(job: Job, reporter: Reporter) -> None:
    settings, name = job.manifest["dataset"], job.manifest["name"]
    read = read_files(job.root, settings["files"], job.manifest["tool"], max_bad=settings["max_bad"])
    _note_left_out(read, reporter)
    own = _split(read.rows, settings["eval_fraction"])
    repeats = Repeats(own)
    count = Count(0, 0)
    if settings["generator"] == "templates":
        count = _write_templates(job, reporter)
    elif settings["generator"] != "none":
        count = write_generated(
            _recipe(job.manifest),
            job.output,
            cores=job.options.get("cores", 1),
            progress=lambda done, total: reporter.progress(done, total, "rows"),
        )
    for split in SPLITS:
        append(job.output / f"{split}.jsonl", (row for row in own if row["split"] == split))
    card, nearness = _audit(job.output, repeats)
    _refuse_empty(name, settings, card)
    _refuse_leakage(name, nearness, settings["max_leakage"])
    found = card.as_json(count=count, nearness=nearness, max_leakage=settings["max_leakage"])
    (job.output / "stats.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (job.output / "stats.html").write_text(page(name, found), "utf-8")
    reporter.emit(
        "stage.result",
        summary={
            "train": found["train"]["rows"],
            "eval": found["eval"]["rows"],
            "abstaining": found["train"]["abstaining_share"],
            **({"left_out": read.left_out} if read.left_out else {}),
            **({"dropped": count.dropped} if count.dropped else {}),
        },
    )


def _write_templates(job: Job, reporter: Reporter) -> Count:
    """Write the rows of the manifest's own scenarios; notes draws that could not be used."""
    # By name: what the domains that need no templates are made of is none of this code.
    drawn = importlib.import_module("fgbuild.domains.templates").draw(job.manifest, job.root)
    finish = Finisher(job.manifest["tool"], job.manifest["dataset"]["seed"], job.manifest["dataset"]["tool_variants"])
    for split in SPLITS:
        rows = [row for row in drawn.rows if row["split"] == split]
        append(job.output / f"{split}.jsonl", (finish(row, split, number) for number, row in enumerate(rows)))
    if drawn.dropped:
        reason, times = drawn.dropped.most_common(1)[0]
        total = drawn.dropped.total()
        reporter.note(f"{total} examples could not be used and were drawn again; {times} of them as {reason}")
    return Count(drawn.again, drawn.dropped.total())


def scenarios_of(generator: str) -> Sequence[Scenario]:
    """The scenarios of a built-in domain."""
    scenarios: Sequence[Scenario] = importlib.import_module(f"fgbuild.domains.{generator}").SCENARIOS
    return scenarios


def tools_of(generator: str) -> str:
    """The module with a built-in domain's real tools; "" where it has none."""
    package = f"fgbuild.domains.{generator}"
    module = f"{package}.tools"
    return module if importlib.util.find_spec(package) and importlib.util.find_spec(module) else ""


def _recipe(manifest: dict[str, Any]) -> Recipe:
    settings = manifest["dataset"]
    return Recipe(
        domain=manifest["name"],
        scenarios=partial(scenarios_of, settings["generator"]),
        tools=manifest["tool"],
        count=settings["count"],
        eval_fraction=settings["eval_fraction"],
        seed=settings["seed"],
        run=tools_of(settings["generator"]),
        variants=settings["tool_variants"],
    )


def _note_left_out(own: OwnRows, reporter: Reporter) -> None:
    for problem in own.problems[:_NOTED]:
        reporter.note(f"left out: {problem}")
    if len(own.problems) > _NOTED:
        reporter.note(f"left out: {own.left_out} lines in all; fgbuild check lists them")


def _split(rows: list[Row], fraction: float) -> list[Row]:
    """Rows of `dataset.files`. Whole families, joined where they share a request, go to the eval split,
    by a stable hash of their name; where that takes none, the family with the lowest hash goes, so that
    no dataset is unmeasured."""
    rows = one_family_per_request(rows)
    shares = {row["family"]: _share(row["family"]) for row in rows}
    held_out = {family for family, share in shares.items() if share < fraction}
    if not held_out and len(shares) > 1:
        held_out = {min(shares, key=lambda family: shares[family])}
    return [{**row, "split": "eval" if row["family"] in held_out else "train"} for row in rows]


def _share(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def _audit(folder: Path, repeats: Repeats) -> tuple[Card, Nearness]:
    """Read the files once, the eval split first: what is measured must not have been learned."""
    card = Card()
    near = NearCopies(_lines(folder / "eval.jsonl"))
    takers = {"eval": near.hold_out, "train": near.learn}
    rows: Counter[Split] = Counter()
    abstaining: Counter[Split] = Counter()
    for split in reversed(SPLITS):
        for row in iterate(folder / f"{split}.jsonl"):
            repeats.check(row)
            takers[split](row)
            try:
                card.add(row)
            except FormatError as error:
                raise DataError(f"{place(row)}: {error}") from None
            if "source" not in row:
                rows[split] += 1
                abstaining[split] += needs_no_call(row)
    for split in SPLITS:
        if rows[split] >= 40 and abstaining[split] < MIN_ABSTAINING_SHARE * rows[split]:
            raise DataError(
                f"dataset: {abstaining[split]} of {rows[split]} {split} rows need no call, and at least "
                f"{MIN_ABSTAINING_SHARE:.0%} should; raise the weight of the clarify and decline scenarios"
            )
    return card, near.found()


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def _refuse_empty(name: str, settings: dict[str, Any], card: Card) -> None:
    rows = card.rows
    if not rows["train"]:
        raise DataError(f"{name}: the dataset is empty; set dataset.generator or add a file with rows to dataset.files")
    if not rows["eval"]:
        step = (
            "add rows of another family (other requests)"
            if settings["generator"] == "none"
            else f"raise dataset.count = {settings['count']} or dataset.eval_fraction = {settings['eval_fraction']}"
        )
        raise DataError(f"{name}: no example is left to measure the model on; {step}")


def _refuse_leakage(name: str, nearness: Nearness, most: float) -> None:
    """Of a small eval split a share means less than one row: it is rounded up to whole ones."""
    found = len(nearness.pairs)
    if found <= math.ceil(most * nearness.compared):
        return
    held_out, learned = nearness.pairs[0]
    raise DataError(
        f"{name}: {found} of {nearness.compared} eval rows say nearly what a training row says, above "
        f'dataset.max_leakage = {most}: "{_quoted(held_out.request)}" ({held_out.place}) and '
        f'"{_quoted(learned.request)}" ({learned.place}); reword one, give own rows that are near copies one family, '
        "or raise dataset.max_leakage"
    )


def _quoted(text: str) -> str:
    return shorten(text, SHOWN, placeholder="…")


if __name__ == "__main__":
    main(work)
