"""A user's own JSONL files: one conversation a line, checked line by line.

A line is a JSON object:

    messages   the conversation (see `own_messages` for the shapes that are understood)
    tools      optional: tools other than the manifest's, a list or a JSON string of one
    id         optional: unique in the domain; default `<file>:<line>`
    family     optional: rows of one family are near copies of each other; default `own/<file>:<line>`
    kind       optional: single, parallel, sequence, clarify or decline; default: guessed from the calls

Other keys are ignored. A line has at most `lines.MAX_BYTES`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from fgbuild.domains.lines import Line, parse_json, parse_line, read_lines
from fgbuild.domains.own_messages import MessageReader, guessed_kind
from fgbuild.domains.sampling import request
from fgbuild.domains.scenario import Kind
from fgbuild.errors import DataError, FormatError
from fgbuild.functiongemma.check import problems as tool_problems
from fgbuild.functiongemma.render import render
from fgbuild.functiongemma.tokens import bare_tool

Row = dict[str, Any]
Tool = dict[str, Any]
LineProblem = tuple[int | None, str]
"""Line (1-based; None for the whole file), message."""

NEXT_STEP = "Correct or remove them, then run `fgbuild check`."
_MAX_LISTED = 1000
"""Most problems in one message; a file of another kind has one on every line."""


class OwnRows(NamedTuple):
    """rows: as trajectory rows. problems: of the lines left out, as `file:line: …`. left_out: how many lines."""

    rows: list[Row]
    problems: list[str]
    left_out: int


def read_files(root: Path, files: Sequence[str], tools: list[Tool], *, max_bad: int) -> OwnRows:
    """The rows of a domain's files.

    files: names relative to root, used in messages, default ids and each row's `source`
    (`data/mine.jsonl:12`). tools: the manifest's, resolved. max_bad: bad lines that may be left
    out, all files together.
    A row has id, scenario ("own"), kind, family, source, messages, and tools where its own differ.
    Raises DataError that lists each problem where more lines are bad, or a file cannot be used at all.
    """
    rows: list[Row] = []
    problems: list[str] = []
    bad, useless = 0, False
    places: dict[str, str] = {}
    for file in files:
        good, found = inspect_rows(root / file, tools, display=file, places=places)
        rows += good
        problems += listed(found, file)
        bad += bad_lines(found)
        useless |= concerns_file(found)
    if useless or bad > max_bad:
        counted = "" if useless else f"Bad lines: {bad}; dataset.max_bad lets {max_bad} be left out. "
        raise DataError("\n".join([*problems, f"{counted}{NEXT_STEP}"]))
    return OwnRows(rows, problems, bad)


def bad_lines(problems: Sequence[LineProblem]) -> int:
    """Lines with a problem; one line may have several."""
    return len({line for line, _ in problems if line is not None})


def concerns_file(problems: Sequence[LineProblem]) -> bool:
    """Whether a problem is the whole file's, so that no line can be left out to mend it."""
    return any(line is None for line, _ in problems)


def listed(problems: list[LineProblem], display: str) -> list[str]:
    """Problems as `file:line: …`, at most a thousand of them."""
    lines = [f"{display}:{line}: {text}" if line else f"{display}: {text}" for line, text in problems[:_MAX_LISTED]]
    if len(problems) > _MAX_LISTED:
        lines.append(f"{display}: and {len(problems) - _MAX_LISTED} problems more")
    return lines


def inspect_rows(
    path: Path, tools: list[Tool], *, display: str, places: dict[str, str] | None = None
) -> tuple[list[Row], list[LineProblem]]:
    """The good rows of a file, and what is wrong with the others.

    places: where each id of the domain has been seen, id → `file:line`; the file's own are added.
    """
    rows: list[Row] = []
    problems: list[LineProblem] = []
    places = {} if places is None else places
    try:
        with path.open("rb") as stream:
            for line in read_lines(stream):
                source = f"{display}:{line.number}"
                row, found = _row(line, tools, source)
                if not found and row["id"] in places:
                    place = places[row["id"]].removeprefix(f"{display}:")
                    place = f"line {place}" if place.isdecimal() else place
                    found = [f'id "{row["id"]}" is the id of {place} too; change one of them']
                problems += [(line.number, message) for message in found]
                if not found:
                    places[row["id"]] = source
                    rows.append({**row, "source": source})
    except OSError as error:
        return [], [(None, f"cannot be read ({error.strerror}); check dataset.files")]
    if not rows and not problems:
        problems.append((None, "is empty; add at least one row"))
    return rows, problems


def one_family_per_request(rows: list[Row]) -> list[Row]:
    """The rows with families joined that have a request (first words of the user) in common.

    A joined family is named after its first row's, so rows added at the end rename none.
    """
    joined: dict[str, str] = {}  # family → an earlier one that it is part of

    def whole(family: str) -> str:
        while family in joined:
            family = joined[family]
        return family

    order = {family: number for number, family in enumerate(dict.fromkeys(row["family"] for row in rows))}
    family_of: dict[str, str] = {}
    for row in rows:
        if asked := request(row):
            pair = {whole(row["family"]), whole(family_of.setdefault(asked, row["family"]))}
            first = min(pair, key=lambda family: order[family])
            joined.update(dict.fromkeys(pair - {first}, first))
    return [{**row, "family": whole(row["family"])} for row in rows]


def _row(line: Line, tools: list[Tool], default_id: str) -> tuple[Row, list[str]]:
    try:
        data = parse_line(line)
    except ValueError as error:
        return {}, [str(error)]
    return inspect_row(data, tools, default_id)


def inspect_row(data: Any, tools: list[Tool], default_id: str) -> tuple[Row, list[str]]:
    """One line's JSON as a row without its source, and its problems; with problems the row is of no use."""
    if not isinstance(data, dict):
        return {}, ["must be a JSON object with messages"]
    row: Row = {
        "id": data.get("id", default_id),
        "scenario": "own",
        "kind": data.get("kind"),
        "family": data.get("family") or f"own/{default_id}",
    }
    problems = _label_problems(row)
    own_tools, found = _tools(data.get("tools"))
    if found:
        return row, problems + found
    known = own_tools or tools
    reader = MessageReader(known)
    row["messages"] = reader.read(data.get("messages"))
    problems += reader.problems
    if not problems:
        row["kind"] = row["kind"] or guessed_kind(row["messages"])
        if own_tools and own_tools != tools:
            row["tools"] = own_tools
        problems = _format_problems(row["messages"], known) or _encoding_problems(row)
    return row, problems


def _label_problems(row: Row) -> list[str]:
    problems = [
        f"{key} must be text that is not empty"
        for key in ("id", "family")
        if not isinstance(row[key], str) or not row[key]
    ]
    if row["kind"] is not None and row["kind"] not in get_args(Kind):
        problems.append(f"kind: {row['kind']!r} is not a kind; use {', '.join(get_args(Kind))}, or leave it out")
    return problems


def _tools(value: Any) -> tuple[list[Tool], list[str]]:
    """A row's own tools in our shape, and what is wrong with them; an absent or null list is no tools."""
    if value is None:
        return [], []
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError as error:
            return [], [f"tools is not JSON: {error}"]
    if not isinstance(value, list):
        return [], ["tools must be a list of tools, or that list as a JSON string"]
    if found := tool_problems(value):
        return [], [f"{field}: {message}" for field, message in found]
    return [_complete(bare_tool(tool)) for tool in value], []


def _complete(tool: Mapping[str, Any]) -> Tool:
    parameters = {"type": "object", "properties": {}, "required": [], **tool.get("parameters", {})}
    return {"name": tool["name"], "description": tool["description"], "parameters": parameters}


def _format_problems(messages: list[dict[str, Any]], tools: list[Tool]) -> list[str]:
    """What the prompt format cannot carry: control tokens in text, messages in an impossible order, …"""
    try:
        render(messages, tools)
    except FormatError as error:
        return [str(error).rstrip(".")]
    return []


def _encoding_problems(row: Row) -> list[str]:
    """Half a character, which JSON can write and a file cannot hold, outside the prompt: in an id, a default, …"""
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return ["has a lone surrogate, which is not valid Unicode, in its id, family or tools; remove it"]
    return []
