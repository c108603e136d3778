"""What verify holds a GGUF against. Each function judges what was measured and returns a `Check`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbuild.functiongemma import Call, parse_turn
from fgbuild.functiongemma.tokens import END_OF_TURN_ID, START_RESPONSE_ID, STOP_IDS
from fgbuild.gguf_io.file_types import FILE_TYPES, allowed_types
from fgbuild.gguf_io.header import GgufFile, read
from fgbuild.gguf_io.metadata import GgufError, Scalar
from fgbuild.workers.digest import sha256
from fgbuild.workers.inference.tool_calls import ToolSet, same_json

NAMES = ("size", "digest", "header", "load", "template", "stop", "smoke", "repeat")
"""The checks, in the order in which they are made and reported."""

ARCHITECTURE = "gemma3"


@dataclass(frozen=True)
class Check:
    """One verdict. value: what was measured; expected: what is asked for; reason: "" when passed."""

    name: str
    passed: bool
    value: Any
    expected: str
    reason: str = ""


def size(path: Path, min_mb: float, max_mb: float) -> Check:
    """The file's size in MB (10^6 bytes) against the manifest's window."""
    measured = path.stat().st_size / 1e6
    reason = ""
    if measured < min_mb:
        reason = f"{measured:.1f} MB is below quant.min_mb = {min_mb:g}"
    elif measured > max_mb:
        reason = f"{measured:.1f} MB is above quant.max_mb = {max_mb:g}"
    return Check("size", not reason, round(measured, 1), f"{min_mb:g}–{max_mb:g} MB", reason)


def digest(path: Path, agent: Path) -> Check:
    """The file's SHA-256 against the one in agent.json: damage that llama.cpp would load is found by it alone."""
    expected = f"the SHA-256 that {agent.name} names"
    measured = sha256(path)
    try:
        named = json.loads(agent.read_text("utf-8"))["model"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"names none ({type(error).__name__})"
        return Check("digest", False, measured[:12], expected, f"{agent.name} {what}: build the domain again")
    reason = "" if measured == named else f"it is {measured[:12]}…, not {str(named)[:12]}…: the file was changed"
    return Check("digest", not reason, measured[:12], expected, reason)


def header(path: Path, quant_type: str) -> tuple[Check, GgufFile | None]:
    """The header, read without trusting it, and what it says of the model; None where it is unsound."""
    expected = f"a sound header, {ARCHITECTURE}, matrices of {quant_type.upper()}"
    try:
        file = read(path)
    except GgufError as error:
        return Check("header", False, None, expected, str(error)), None
    architecture = _scalar(file, "general.architecture")
    file_type = _scalar(file, "general.file_type")
    matrices = [tensor for tensor in file.tensors.values() if len(tensor.shape) > 1]
    bytes_by_type: Counter[str] = Counter()
    for tensor in matrices:
        bytes_by_type[tensor.type.name] += tensor.nbytes
    types = " + ".join(name for name, _ in bytes_by_type.most_common()) or "none"
    allowed = allowed_types(quant_type)
    foreign = [tensor for tensor in matrices if tensor.type not in allowed]
    reason = ""
    if architecture != ARCHITECTURE:
        reason = f"general.architecture is {architecture!r}, not {ARCHITECTURE!r}"
    elif not file.tensors:
        reason = "it holds no tensors"
    elif foreign:
        first, names = foreign[0], " or ".join(sorted(kind.name for kind in allowed))
        reason = f"{first.name} is {first.type.name}, not {names}, as are {len(foreign)} of {len(matrices)} matrices"
    elif file_type != FILE_TYPES[quant_type]:
        reason = f"general.file_type is {file_type}, not {FILE_TYPES[quant_type]} ({quant_type.upper()})"
    value = f"{architecture}, {types}, {len(file.tensors)} tensors"
    return Check("header", not reason, value, expected, reason), file


def load(seconds: float | None, failure: str, timeout_seconds: float, memory_mb: float) -> Check:
    """Whether llama.cpp loaded the file and gave numbers, within the limits; seconds is None where not."""
    expected = f"llama.cpp loads and evaluates it, all checks within {timeout_seconds:g} s and {memory_mb:g} MB"
    value = None if seconds is None else round(seconds, 2)
    return Check("load", seconds is not None, value, expected, "" if seconds is not None else failure)


def template(
    got: Sequence[Sequence[int]], expected: Sequence[Sequence[int]], error: str, text: Callable[[int], str]
) -> Check:
    """Prompts by the GGUF's own template and vocabulary against training's, token for token.

    text: writes a token for the message.
    """
    wanted = "its chat template gives the training tokens"
    if error:
        return Check("template", False, None, wanted, error)
    for number, (ours, theirs) in enumerate(zip(got, expected, strict=True), 1):
        if list(ours) != list(theirs):
            reason = f"prompt {number} of {len(expected)}: {_difference(ours, theirs, text)}"
            return Check("template", False, f"{number - 1} of {len(expected)} prompts", wanted, reason)
    tokens = sum(map(len, expected))
    return Check("template", True, f"{len(expected)} prompts, {tokens} tokens", wanted)


def stop(file: GgufFile | None, ends: Sequence[int]) -> Check:
    """The declared end tokens, and those (`ends`) on which llama.cpp would end a generation."""
    expected = f"eot {END_OF_TURN_ID}, eom {START_RESPONSE_ID}, ends on {_listed(STOP_IDS)}"
    eot = _scalar(file, "tokenizer.ggml.eot_token_id") if file else None
    eom = _scalar(file, "tokenizer.ggml.eom_token_id") if file else None
    value = f"eot {eot}, eom {eom}, ends on {_listed(ends)}"
    missing = [token for token in STOP_IDS if token not in ends]
    reason = ""
    if eom != START_RESPONSE_ID:
        reason = f"tokenizer.ggml.eom_token_id is {eom}, not {START_RESPONSE_ID}: a call would not end the turn"
    elif eot != END_OF_TURN_ID:
        reason = f"tokenizer.ggml.eot_token_id is {eot}, not {END_OF_TURN_ID}: words would not end the turn"
    elif missing:
        reason = f"llama.cpp does not stop on {_listed(missing)}"
    return Check("stop", not reason, value, expected, reason)


def smoke(prompts: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]], tools: ToolSet) -> Check:
    """Each smoke prompt's answer: one call that fits its tool and says what the manifest expects.

    prompts: the manifest's `[[verify.smoke]]`. answers: {"text", "stopped_on"} of as many as were run.
    """
    expected = "one valid call of the named tool for each prompt"
    if not prompts:
        return Check("smoke", True, "0 of 0", expected, "the manifest has no [[verify.smoke]]")
    problems = [answer_problem(prompt, answer, tools) for prompt, answer in zip(prompts, answers)]
    passed = problems.count("")
    value = f"{passed} of {len(prompts)}"
    reason = next((problem for problem in problems if problem), "")
    return Check("smoke", passed == len(prompts), value, expected, reason)


def answer_problem(prompt: Mapping[str, Any], answer: Mapping[str, Any], tools: ToolSet) -> str:
    """What is wrong with the answer to one smoke prompt, with prompt, expected and got; "" for nothing."""
    turn = parse_turn(answer["text"])
    arguments = prompt.get("arguments") or {}
    if turn.malformed:
        fault = f"malformed call ({turn.malformed})"
    elif len(turn.calls) != 1:
        fault = f"{len(turn.calls)} calls"
    elif answer["stopped_on"] is None:
        fault = "it did not stop after the call"
    else:
        fault = _call_fault(turn.calls[0], prompt["tool"], arguments, tools)
    if not fault:
        return ""
    wanted = f"{prompt['tool']}{{{', '.join(f'{name}: {value!r}' for name, value in arguments.items())}}}"
    got = answer["text"].strip() or "nothing"
    return f"{fault}; prompt {prompt['prompt']!r}, expected {wanted}, got {_shortened(got)}"


def _call_fault(call: Call, tool: str, arguments: Mapping[str, Any], tools: ToolSet) -> str:
    if call.name != tool:
        return f"called {call.name}, not {tool}"
    if problem := tools.problem(call):
        return f"the call does not fit its declaration ({problem})"
    for name, value in arguments.items():
        if name not in call.arguments:
            return f"argument {name} is missing"
        if not same_json(call.arguments[name], value):
            return f"argument {name} is {call.arguments[name]!r}, not {value!r}"
    return ""


def repeat(runs: Sequence[Sequence[str]]) -> Check:
    """Whether each of some prompts was answered alike every time. runs: its answers, one list a prompt."""
    expected = "greedy answers that do not depend on what was asked before"
    answers = sum(map(len, runs))
    for number, texts in enumerate(runs, 1):
        if other := next((text for text in texts if text != texts[0]), None):
            reason = f"prompt {number} gave {_shortened(texts[0], 120)!r} and then {_shortened(other, 120)!r}"
            return Check("repeat", False, f"{number - 1} of {len(runs)} prompts", expected, reason)
    return Check("repeat", True, f"{len(runs)} prompts, {answers} answers", expected)


def not_reached(name: str, after: str) -> Check:
    """A check that could not be made because `after` failed."""
    return Check(name, False, None, "", f"not reached: {after} failed")


def _difference(got: Sequence[int], expected: Sequence[int], text: Callable[[int], str]) -> str:
    for index, (ours, theirs) in enumerate(zip(got, expected)):
        if ours != theirs:
            return (
                f"token {index} is {ours} ({text(ours)!r}) by the GGUF's template and "
                f"{theirs} ({text(theirs)!r}) in training"
            )
    return f"{len(got)} tokens by the GGUF's template and {len(expected)} in training"


def _scalar(file: GgufFile, key: str) -> Any:
    field = file.metadata.get(key)
    return field.value if isinstance(field, Scalar) else None


def _listed(tokens: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(tokens))) or "nothing"


def _shortened(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
