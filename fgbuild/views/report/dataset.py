"""A data set in figures: what its rows are about, and how long they are."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from fgbuild.views.report.drawing import linear_ticks
from fgbuild.views.report.made import Made
from fgbuild.views.report.values import counts, document, items, lines, mapping, number
from fgbuild.views.text import crop, percent, scalar
from fgbuild.views.text import number as shown

_COUNTED = (
    ("tools", "Calls by tool"),
    ("kinds", "Kinds of conversation"),
    ("calls_per_row", "Calls in a conversation"),
    ("scenarios", "Scenarios"),
)
_BARS = 24


@dataclass(frozen=True, slots=True)
class Count:
    """Shares are of the split's largest count."""

    name: str
    train: float
    held_out: float
    train_share: float
    held_out_share: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """bars: height in percent, and what it stands for. low, middle, high: of all rows."""

    unit: str
    bars: list[tuple[float, str]]
    low: str
    middle: str
    high: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """facts: (name, train, eval). page: where the whole card is, below the project's root."""

    facts: list[tuple[str, str, str]]
    counted: list[tuple[str, list[Count]]]
    lengths: Lengths | None
    remarks: list[str]
    page: str


def dataset_of(made: Made, domain: str) -> Dataset | None:
    """None where the data set's statistics are not to be had."""
    card = document(made.read(f"{domain}:generate", "stats.json"))
    splits = [mapping(card.get(split)) for split in ("train", "eval")]
    if not any(splits):
        return None
    train, held_out = splits
    facts = [
        ("rows", _shown(train.get("rows")), _shown(held_out.get("rows"))),
        ("without a call", _share(train.get("abstaining_share")), _share(held_out.get("abstaining_share"))),
    ]
    folder = made.folder(f"{domain}:generate")
    return Dataset(
        facts=facts,
        counted=[(title, found) for key, title in _COUNTED if (found := _counts(train.get(key), held_out.get(key)))],
        lengths=_tokens(made, domain) or _characters(train),
        remarks=list(_remarks(card)),
        page=f"cache/store/{folder.name}/stats.html" if folder and (folder / "stats.html").is_file() else "",
    )


def _counts(train: Any, held_out: Any) -> list[Count]:
    learned, asked = counts(train), counts(held_out)
    most_learned, most_asked = max(learned.values(), default=0) or 1, max(asked.values(), default=0) or 1
    names = list(dict.fromkeys([*learned, *asked]))
    if not all(name.isdecimal() for name in names):
        names.sort(key=lambda name: (-learned.get(name, 0), name))
    rows = []
    for name in names:
        here, there = learned.get(name, 0), asked.get(name, 0)
        rows.append(Count(crop(scalar(name), 60), here, there, here / most_learned, there / most_asked))
    return rows


def _tokens(made: Made, domain: str) -> Lengths | None:
    """Of the training rows in tokens, the tools' declarations included."""
    rows = lines(made.read(f"{domain}:tokenize", "train.jsonl"))
    found = [len(items(row.get("input_ids"))) for row in rows]
    return _lengths([length for length in found if length], "tokens")


def _lengths(found: list[int], unit: str) -> Lengths | None:
    if not found:
        return None
    low, high = min(found), max(found)
    ticks = linear_ticks(low, high, _BARS)
    size = max(int(ticks[1] - ticks[0]), 1) if len(ticks) > 1 else 1
    bins: dict[int, int] = {}
    for length in found:
        bins[length // size] = bins.get(length // size, 0) + 1
    return _histogram(
        {index * size: bins.get(index, 0) for index in range(low // size, high // size + 1)},
        size,
        unit,
        (low, statistics.median_low(found), high),
    )


def _characters(split: dict[str, Any]) -> Lengths | None:
    """Of the training rows in characters, without the declarations, as the card has them."""
    lengths = mapping(split.get("characters"))
    bins = {int(name): count for name, count in counts(lengths.get("histogram")).items() if name.isdecimal()}
    size = int(number(lengths.get("step")) or 100)
    if not bins or max(bins) // size > 10_000:
        return None
    ends = [number(lengths.get(name)) or 0 for name in ("min", "mean", "max")]
    whole = {low: bins.get(low, 0) for low in range(min(bins), max(bins) + 1, size)}
    return _histogram(whole, size, "characters", (ends[0], ends[1], ends[2]))


def _histogram(
    bins: dict[int, float] | dict[int, int], size: int, unit: str, ends: tuple[float, float, float]
) -> Lengths:
    most = max(bins.values(), default=0) or 1
    bars = [
        (round(100 * count / most, 1), f"{shown(low)} to {shown(low + size - 1)} {unit}: {shown(count)} rows")
        for low, count in bins.items()
    ]
    low, middle, high = map(shown, ends)
    return Lengths(unit, bars, low, middle, high)


def _remarks(card: dict[str, Any]) -> list[str]:
    near = mapping(card.get("near_duplicates"))
    again, dropped = number(card.get("duplicates_removed")), number(card.get("not_reproduced"))
    found = []
    if near:
        share = f"{_shown(near.get('found'))} of {_shown(near.get('compared'))}"
        found.append(f"Near copies of a training row among the held-out ones: {share}.")
    if again:
        found.append(f"{shown(again)} rows were drawn again, as their request was there already.")
    if dropped:
        found.append(f"{shown(dropped)} rows were left out: their tools did not answer the same twice.")
    return found


def _shown(value: Any) -> str:
    found = number(value)
    return "–" if found is None else shown(found)


def _share(value: Any) -> str:
    found = number(value)
    return "–" if found is None else percent(found)
