"""Stage verify: the checks that a GGUF must pass before it counts as built.

Output: report.json ({"passed", "path", "checks": [{"name", "passed", "value", "expected", "reason"}]}).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE, bare_tool
from fgbuild.workers.inference.model_file import agent_file, model_file
from fgbuild.workers.inference.prompt import PromptEncoder
from fgbuild.workers.inference.tool_calls import ToolSet
from fgbuild.workers.protocol import Job, Reporter, main
from fgbuild.workers.verifying import checks
from fgbuild.workers.verifying.checks import Check
from fgbuild.workers.verifying.conversations import conversations
from fgbuild.workers.verifying.process import run_probe

SMOKE_TOKENS = 160
"""Longest smoke answer; a call of these domains takes 20 to 80 tokens."""

REPEATED = 2
"""How many prompts are asked three times."""

DEVELOPER = {"role": "developer", "content": DEVELOPER_SENTENCE}


def work(job: Job, reporter: Reporter) -> bool:
    path = model_file(job)
    verdicts = Verification(job, path, reporter).run()
    passed = all(check.passed for check in verdicts)
    report = {"passed": passed, "path": str(path), "checks": [asdict(check) for check in verdicts]}
    (job.output / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return passed


class Verification:
    """One run of all checks on one file; each verdict is reported as soon as it is known."""

    def __init__(self, job: Job, path: Path, reporter: Reporter) -> None:
        self._path = path
        self._agent = agent_file(job, path)
        self._reporter = reporter
        self._quant: dict[str, Any] = job.manifest["quant"]
        self._settings: dict[str, Any] = job.manifest["verify"]
        self._tools = [dict(bare_tool(tool)) for tool in job.manifest["tool"]]
        self._encoder = PromptEncoder(job.inputs["base"])
        self._verdicts: list[Check] = []
        self._answers: list[dict[str, Any]] = []
        self._seconds: float | None = None

    def run(self) -> list[Check]:
        """Every check, in the order of `checks.NAMES`."""
        smoke = self._settings["smoke"]
        self._record(checks.size(self._path, self._quant["min_mb"], self._quant["max_mb"]))
        self._record(checks.digest(self._path, self._agent))
        verdict, self._header = checks.header(self._path, self._quant["type"])
        self._record(verdict)
        spoken = conversations([prompt["prompt"] for prompt in smoke], self._tools)
        self._expected = [self._encoder.encode(messages, self._tools) for messages in spoken]
        prompts = self._expected[: len(smoke)]
        first = self._expected[0]
        request = {
            "path": str(self._path),
            "n_ctx": max(map(len, [first, *prompts])) + SMOKE_TOKENS,
            "first": first,
            # Training's text has the sentence either way; a base's own template may print it only when told.
            "conversations": [{"messages": [DEVELOPER, *messages], "generate": True} for messages in spoken],
            "tools": self._tools,
            "prompts": prompts,
            "repeated": self._expected[: min(REPEATED, max(1, len(prompts)))],
            "max_tokens": SMOKE_TOKENS,
        }
        failure = run_probe(request, self._settings["timeout_seconds"], self._settings["memory_mb"], self._on_message)
        if failure:
            self._stopped(failure)
        return self._verdicts

    def _record(self, check: Check) -> None:
        self._verdicts.append(check)
        self._reporter.emit("stage.check", **asdict(check))
        self._reporter.progress(len(self._verdicts), len(checks.NAMES), "checks")

    def _on_message(self, message: dict[str, Any]) -> None:
        step = message["step"]
        if step == "load":
            self._record(self._load(message["seconds"], ""))
        elif step == "template":
            error = message.get("error", "")
            got = message.get("tokens", [])
            self._record(checks.template(got, self._expected, error, self._encoder.text))
        elif step == "stop":
            self._record(checks.stop(self._header, message["ends"]))
        elif step == "smoke":
            self._answers.append(message)
        elif step == "repeat":
            self._record(checks.smoke(self._settings["smoke"], self._answers, ToolSet(self._tools)))
            self._record(checks.repeat(message["runs"]))

    def _load(self, seconds: float | None, failure: str) -> Check:
        return checks.load(seconds, failure, self._settings["timeout_seconds"], self._settings["memory_mb"])

    def _stopped(self, failure: str) -> None:
        """The verdicts on the check in which the probe failed and on those after it."""
        failed = checks.NAMES[len(self._verdicts)]
        if failed == "load":
            self._record(self._load(None, failure))
        elif failed == "smoke":
            smoke = self._settings["smoke"]
            value = checks.smoke(smoke, self._answers, ToolSet(self._tools))
            reason = f"{failure}, after {len(self._answers)} of {len(smoke)} prompts"
            self._record(Check("smoke", False, value.value, value.expected, reason))
        else:
            self._record(Check(failed, False, None, "", failure))
        for name in checks.NAMES[len(self._verdicts) :]:
            self._record(checks.not_reached(name, failed))


if __name__ == "__main__":
    main(work)
