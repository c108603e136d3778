"""What must hold for one scenario of a domain of templates."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbuild.domains.scenario import EVAL_FAMILY_EVERY, Draw
from fgbuild.domains.templates.scenarios import STEP, is_step, texts
from fgbuild.domains.templates.slots import ENOUGH, Slots, pool, slot_of
from fgbuild.domains.templates.text import Absent, Name, Template, Unusable, fill, look_up, parse, request_format
from fgbuild.errors import DataError
from fgbuild.functiongemma.tokens import unfit_text
from fgbuild.manifest.messages import did_you_mean
from fgbuild.manifest.slot_checks import Problem, unknown_slot
from fgbuild.manifest.toml_lines import KeyPath

ABSTAINING = ("clarify", "decline")
_CALLS = {
    "single": (1, 1, "one step"),
    "parallel": (2, 99, "two steps or more"),
    "sequence": (2, 99, "two steps or more"),
}
"""Kind → least and most steps, and that in words; other kinds have none."""


class ScenarioCheck:
    """One scenario of a resolved manifest, parsed as far as it can be.

    phrasings: None in the place of those that cannot. requested: slots that some phrasing names; optional: those that
    one names in brackets. told: slots and steps that arguments, responses and the answer name.
    """

    def __init__(self, root: Path, resolved: Mapping[str, Any], index: int) -> None:
        self.root = root
        self.table = resolved["scenario"][index]
        self.path: KeyPath = ("scenario", index)
        self.slots = resolved["slots"]
        self.commands = resolved["command"]
        self.tools = {tool["name"]: tool["parameters"] for tool in resolved["tool"]}
        self.unparsed: list[Problem] = []
        self.phrasings = [
            self._parsed((*self.path, "phrasings", index), text) for index, text in enumerate(self.table["phrasings"])
        ]
        parsed = [template for template in self.phrasings if template]
        self.requested = {name.head for template in parsed for name in template.names()}
        self.optional = {name.head for template in parsed for name in template.names(optional=True)}
        self.told = {name.head for name in _names([*map(_said, self.table["steps"]), self.table["answer"]])}

    def problems(self) -> Iterator[Problem]:
        yield from self._in_phrasings()
        kind, steps = self.table["kind"], self.table["steps"]
        least, most, words = _CALLS.get(kind, (0, 0, "no steps"))
        if not least <= len(steps) <= most:
            yield (*self.path, "steps"), f'a scenario of kind "{kind}" has {words}, not {len(steps)}'
        if self.table["answered"] is not None and kind not in ("single", "parallel"):
            yield (*self.path, "answered"), f'is for kinds "single" and "parallel"; a {kind} is always told to its end'
        for number, step in enumerate(steps):
            yield from self._in_step(number, step)
        if self.table["answer"]:
            yield from self._in_answer()
        elif kind in (*ABSTAINING, "sequence"):
            yield (*self.path, "answer"), "is missing; write the words that the scenario ends with"
        yield from self.unparsed

    def used(self) -> dict[str, int]:
        """Slot → most values of it that one request or response names."""
        data = [self.table["phrasings"], self.table["answer"], *map(_said, self.table["steps"])]
        slots = [slot_of(head) for head in {name.head for name in _names(data)} if not is_step(head)]
        return {slot: slots.count(slot) for slot in slots}

    def argument_values(self) -> Iterator[Problem]:
        """Values that the tools' parameters refuse; call where slots have no problems."""
        slots = Slots(self.slots, self.root)
        for number, step in enumerate(self.table["steps"]):
            properties = self.tools.get(step["tool"], {}).get("properties", {})
            for key, value in step["arguments"].items():
                if key in properties and (reason := self._refused(value, properties[key], slots)):
                    yield (*self.path, "steps", number, "arguments", key), reason

    def _refused(self, value: Any, schema: Mapping[str, Any], slots: Slots) -> str:
        import jsonschema

        names = _names(value)
        unknown = any(is_step(name.head) or self._unknown(name, 0) for name in names)
        if unknown or any(_parse(text) is None for text in texts(value)):
            return ""  # known when it is drawn, or told already
        validator = jsonschema.Draft202012Validator(schema)
        template = _parse(value) if isinstance(value, str) else None
        whole = template.whole() if template else None
        try:
            for scope in self._scopes(whole, names, slots):
                if error := next(validator.iter_errors(fill(value, scope)), None):
                    return f"does not fit the parameter: {error.message}"
        except (Absent, Unusable, DataError) as error:
            return str(error)
        return ""

    def _scopes(self, whole: Name | None, names: Sequence[Name], slots: Slots) -> Iterator[dict[str, Any]]:
        """Every value of a slot that is a whole argument, and one of those that are parts of a text."""
        table = self.slots[slot_of(whole.head)] if whole else None
        if whole and table and not table["pattern"]:
            for value in pool(table, self.root)[:ENOUGH]:
                yield {whole.head: value}
        else:
            yield slots.draw(Draw(random.Random(0), "train"), {name.head for name in names})

    def _in_phrasings(self) -> Iterator[Problem]:
        count = len(self.table["phrasings"])
        if count < EVAL_FAMILY_EVERY:
            least = f"the eval split gets every {EVAL_FAMILY_EVERY}th; write {EVAL_FAMILY_EVERY} or more, better twenty"
            yield (*self.path, "phrasings"), f"has {count}, and {least}"
        for index, template in enumerate(self.phrasings):
            if template is None:
                continue
            path = (*self.path, "phrasings", index)
            heads = {name.head for name in template.names()}
            wrong = [reason for name in dict.fromkeys(template.names()) if (reason := self._unfit_in_request(name))]
            for reason in wrong:
                yield path, reason
            if not wrong and (missing := sorted((self.requested & self.told) - self.optional - heads)):
                step = "write it in, or put it in [brackets] in the phrasings where it may be left out"
                yield path, f"does not name {{{missing[0]}}}, as the others do; {step}"
            if any(not request_format(parts)[0].strip() for parts in template.variants()):
                yield path, "is blank; write what a user would say"
            if reason := unfit_text(self.table["phrasings"][index]):
                yield path, reason

    def _unfit_in_request(self, name: Name) -> str:
        if is_step(name.head):
            return f"names {{{name.path}}}, a response, and the request comes before all; take it out"
        if reason := self._unknown(name, 0):
            return reason
        if self.table["steps"] and name.head not in self.told:
            return f"names {{{name.path}}}, and no argument, response or answer does; take it out"
        return ""

    def _in_step(self, number: int, step: Mapping[str, Any]) -> Iterator[Problem]:
        path = (*self.path, "steps", number)
        if step["tool"] not in self.tools:
            hint = did_you_mean(step["tool"], list(self.tools)) or f"; declared: {', '.join(self.tools)}"
            yield (*path, "tool"), f'no [[tool]] is named "{step["tool"]}"{hint}'
            return
        properties, required = (self.tools[step["tool"]][key] for key in ("properties", "required"))
        for key in required:
            if key not in step["arguments"]:
                yield (*path, "arguments"), f'{step["tool"]} requires "{key}"; add it'
        for key, value in step["arguments"].items():
            if key not in properties:
                hint = did_you_mean(key, list(properties)) or f"; known: {', '.join(properties) or 'none'}"
                yield (*path, "arguments", key), f'{step["tool"]} has no parameter "{key}"{hint}'
            yield from self._in_argument((*path, "arguments", key), value, number, key in required)
        yield from self._in_response(path, step, number)

    def _in_argument(self, path: KeyPath, value: Any, number: int, required: bool) -> Iterator[Problem]:
        for template in self._parsed_texts(path, value):
            for name in template.names():
                if reason := self._unknown(name, number) or self._invented(name):
                    yield path, reason
            absent = [name.head for name in template.names(optional=False) if name.head in self.optional]
            if absent and required:
                yield path, f"is required, and {{{absent[0]}}} is left out of some requests; write it in all of them"

    def _in_response(self, path: KeyPath, step: Mapping[str, Any], number: int) -> Iterator[Problem]:
        if step["response"] is None:
            told = self.table["answer"] or self.table["kind"] == "sequence"
            if told and step["tool"] not in self.commands:
                way = "add response = {…}, or a command to the tool"
                yield path, f"has no response, and {step['tool']} has no command; {way}"
            return
        where = (*path, "response")
        if not self.table["answer"]:
            yield where, "is never told, as the scenario has no answer; add one or remove it"
        for template in self._parsed_texts(where, step["response"]):
            for name in template.names():
                if reason := self._unknown(name, number):
                    yield where, reason

    def _in_answer(self) -> Iterator[Problem]:
        path = (*self.path, "answer")
        steps = self.table["steps"]
        template = self._parsed(path, self.table["answer"])
        known = self.requested | {name.head for name in _names([*map(_said, steps)])}
        for name in template.names() if template else ():
            if reason := self._unknown(name, len(steps)):
                yield path, reason
            elif not is_step(name.head) and name.head not in known:
                yield path, f"names {{{name.head}}}, which neither request nor response holds; take it out"
        for name in template.names(optional=False) if template else ():
            if name.head in self.optional:
                yield path, f"names {{{name.head}}}, which some requests leave out; put that part in [brackets]"
        if reason := unfit_text(self.table["answer"]):
            yield path, reason

    def _invented(self, name: Name) -> str:
        if is_step(name.head) or name.head in self.requested:
            return ""
        return f"names {{{name.head}}}, which no phrasing does: a model cannot know it; write it into the phrasings"

    def _unknown(self, name: Name, number: int) -> str:
        """Why a name means nothing, or "" where it means something. number: steps before it."""
        if not is_step(name.head):
            return unknown_slot(name.head, self.slots) or self._unknown_key(name)
        step = int(name.head[len(STEP) :])
        at_once = self.table["kind"] == "parallel" and number < len(self.table["steps"])
        if at_once or not 1 <= step <= number:
            return f"{{{name.path}}} is no response that is there by then; name an earlier step's"
        return self._unknown_in_response(name, self.table["steps"][step - 1])

    def _unknown_key(self, name: Name) -> str:
        values = self.slots[slot_of(name.head)]["values"]
        if isinstance(values[0] if values else None, dict) and "." not in name.path:
            keys = ", ".join(f"{{{name.head}.{key}}}" for key in values[0])
            return f"{{{name.head}}} is a table; name one of its values: {keys}"
        if "." not in name.path:
            return ""
        try:
            look_up(name, {name.head: values[0] if values else None})
        except Unusable:
            return f"there is no {{{name.path}}}; correct the name"
        return ""

    def _unknown_in_response(self, name: Name, step: Mapping[str, Any]) -> str:
        response = step["response"]
        if response is None:
            output = self.commands.get(step["tool"], {}).get("output", "json")
            keys = {"text": ["output"], "lines": ["count", "lines"]}.get(output)
        else:
            keys = list(response)
        key = name.path.split(".")[1:2]
        if keys is None or (key and key[0] in keys):
            return ""
        return f"the response of {name.head} has no {{{name.path}}}; it has {', '.join(keys) or 'nothing'}"

    def _parsed_texts(self, path: KeyPath, value: Any) -> list[Template]:
        return [template for text in texts(value) if (template := self._parsed(path, text))]

    def _parsed(self, path: KeyPath, text: str) -> Template | None:
        try:
            return parse(text)
        except ValueError as error:
            self.unparsed.append((path, str(error)))
            return None


def _said(step: Mapping[str, Any]) -> list[Any]:
    return [step["arguments"], step["response"]]


def _names(value: Any) -> list[Name]:
    """Every name in the texts of JSON data."""
    return [name for text in texts(value) if (template := _parse(text)) for name in template.names()]


def _parse(text: str) -> Template | None:
    """A template, or None where the text is none, which is reported where it stands."""
    try:
        return parse(text)
    except ValueError:
        return None
