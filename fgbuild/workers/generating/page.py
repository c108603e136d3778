"""The statistics card as one HTML page: no scripts, nothing loaded, the same bytes for the same card."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .1rem 1rem .1rem 0; vertical-align: top; }
th { font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 9rem; height: .7rem; } rect { fill: #4a7fb5; } .eval rect { fill: #c98a3c; }
pre { white-space: pre-wrap; margin: .3rem 0 1rem; padding: .6rem; border-left: 3px solid #8886; }
""".strip()

_COUNTED = (
    ("kinds", "Kinds"),
    ("scenarios", "Scenarios"),
    ("tools", "Calls by tool"),
    ("calls_per_row", "Calls in a row"),
    ("turns", "Turns of the model"),
)
_ROLES = {"developer": "developer", "system": "developer", "user": "user", "assistant": "model", "tool": "tool"}


def page(name: str, card: Mapping[str, Any]) -> str:
    """card: as `Card.as_json` gives it."""
    body = "\n".join(
        [
            f"<h1>{escape(name)}: {card['rows']:,} rows</h1>",
            _overview(card),
            *(_counts(title, card["train"][key], card["eval"][key]) for key, title in _COUNTED),
            _lengths(card),
            _near(card["near_duplicates"]),
            _arguments(card["arguments"]),
            *_examples(card["examples"]),
        ]
    )
    head = f'<meta charset="utf-8">\n<title>{escape(name)}: data set</title>\n<style>\n{_STYLE}\n</style>'
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _overview(card: Mapping[str, Any]) -> str:
    rows = []
    for split in ("train", "eval"):
        part, characters = card[split], card[split]["characters"]
        span = f"{characters['min']} to {characters['max']}, {characters['mean']} in the mean"
        rows.append([split, part["rows"], f"{part['abstaining_share']:.1%}", span])
    text = (
        f"<p>{card['duplicates_removed']:,} drawn again, as their request was there already. The splits share no "
        "phrasing family and no request.</p>"
    )
    return _table(["", "rows", "without a call", "characters"], rows) + text


def _counts(title: str, train: Mapping[str, int], held_out: Mapping[str, int]) -> str:
    most = {"train": max(train.values(), default=0), "eval": max(held_out.values(), default=0)}
    rows = []
    for key in [*train, *(key for key in held_out if key not in train)]:
        counts = {"train": train.get(key, 0), "eval": held_out.get(key, 0)}
        cells = [f"<td>{escape(key)}</td>"]
        for split, count in counts.items():
            cells.append(f'<td class="number">{count:,}</td><td class="{split}">{_bar(count, most[split])}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "<tr><th></th><th>train</th><th></th><th>eval</th><th></th></tr>"
    return f"<h2>{escape(title)}</h2>\n<table>\n{head}\n" + "\n".join(rows) + "\n</table>"


def _lengths(card: Mapping[str, Any]) -> str:
    train, held_out = (_steps(card[split]["characters"]) for split in ("train", "eval"))
    return _counts("Characters in the prompt format, without the tools’ declarations", train, held_out)


def _steps(lengths: Mapping[str, Any]) -> dict[str, int]:
    last = lengths["step"] - 1
    return {f"{int(low):,} to {int(low) + last:,}": count for low, count in lengths["histogram"].items()}


def _bar(count: int, most: int) -> str:
    width = round(100 * count / most, 1) if most else 0
    return f'<svg viewBox="0 0 100 8" preserveAspectRatio="none"><rect width="{width}" height="8"/></svg>'


def _near(near: Mapping[str, Any]) -> str:
    text = (
        f"<h2>Near copies</h2>\n<p>{near['found']:,} of {near['compared']:,} eval rows ({near['share']:.1%}) say "
        f"nearly what a training row says; the bound is {near['max_leakage']:.1%}.</p>"
    )
    pairs = [[pair["eval"]["request"], pair["train"]["request"]] for pair in near["examples"]]
    return text + (_table(["eval", "train"], pairs) if pairs else "")


def _arguments(arguments: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            f"{found['different']:,}{' or more' if found['more'] else ''}",
            ", ".join(f"{value} ({count:,})" for value, count in found["common"].items()),
        ]
        for name, found in arguments.items()
    ]
    return "<h2>Values of arguments</h2>\n" + _table(["argument", "different", "most common"], rows)


def _examples(examples: Mapping[str, Any]) -> Iterator[str]:
    for kind, rows in examples.items():
        yield f"<h2>Examples: {escape(kind)}</h2>"
        for row in rows:
            said = "\n".join(_turn(message) for message in row["messages"])
            yield f"<p>{escape(row['id'])}, {escape(row['scenario'])}</p>\n<pre>{escape(said)}</pre>"


def _turn(message: Mapping[str, Any]) -> str:
    role = _ROLES[message["role"]]
    calls = [call["function"] for call in message.get("tool_calls", ())]
    said = [f"{call['name']}({_json(call['arguments'])})" for call in calls]
    content = message.get("content")
    if content:
        said.insert(0, content if isinstance(content, str) else _json(content))
    return f"{role}: " + "\n  ".join(said)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    for row in rows:
        lines.append("".join(_cell(cell) for cell in row))
    return "<table>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"


def _cell(value: Any) -> str:
    return f'<td class="number">{value:,}</td>' if isinstance(value, int) else f"<td>{escape(str(value))}</td>"
