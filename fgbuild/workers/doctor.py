"""What only the heavy libraries can say about a machine: do they load, what do they find, is the base there.

`python -m fgbuild.workers.doctor JOB.json`; `job.manifest` is the base's entry of fgbuild.toml.
Output: findings.json, {"findings": [{name, status ("ok" | "warning" | "problem"), text, step}]}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fgbuild.errors import FgbuildError
from fgbuild.workers.bases import hub, lock
from fgbuild.workers.protocol import Job, Reporter, main

Finding = dict[str, str]
OK, WARNING, PROBLEM = "ok", "warning", "problem"


def run(job: Job, reporter: Reporter) -> None:
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("training", torch_works),
        ("llama.cpp", llama_works),
        ("base model", lambda: base_is_there(job)),
    )
    found = []
    for done, (name, check) in enumerate(checks, 1):
        try:
            found.append(check())
        except Exception as error:  # a library may fail to load in any way, and the others are still to be asked
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            found.append(finding(name, PROBLEM, reason, "install the project again: make clean-venv build"))
        reporter.progress(done, len(checks), "checks")
    (job.output / "findings.json").write_text(json.dumps({"findings": found}, ensure_ascii=False), "utf-8")


def finding(name: str, status: str, text: str, step: str = "") -> Finding:
    return {"name": name, "status": status, "text": text, "step": step}


def torch_works() -> Finding:
    """torch, the device it would train on, and in which precision."""
    import torch

    from fgbuild.workers.training.precision import FASTER, bf16_speedup

    if torch.cuda.is_available():
        device = torch.cuda.get_device_properties(0)
        precision = "bf16" if torch.cuda.is_bf16_supported() else "fp32"
        where = f"{device.name}, {device.total_memory / 1e9:.0f} GB"
        return finding("training", OK, f"torch {torch.__version__} on {where}, in {precision}")
    speedup = bf16_speedup()
    precision = "bf16" if speedup >= FASTER else "fp32"
    text = f"torch {torch.__version__} on the CPU, in {precision} (bf16 is {speedup:.1f} times as fast at products)"
    return finding("training", OK, text)


def llama_works() -> Finding:
    """llama-cpp-python, by loading its library."""
    import llama_cpp

    llama_cpp.llama_backend_init()
    return finding("llama.cpp", OK, f"llama-cpp-python {llama_cpp.__version__}")


def base_is_there(job: Job) -> Finding:
    """Whether the base could be made now, without a download where that can be told."""
    entry = job.manifest
    name = f"{entry['name']} ({entry['kind']})"
    try:
        pins = lock.read(job.root / lock.FILE)
        if entry["kind"] == "hub":
            return _of_hub(entry, name)
        from fgbuild.workers import base

        pinned = lock.check(job.root / lock.FILE, entry["name"], base.sources(base.load(job, pins.get(entry["name"]))))
    except FgbuildError as error:
        return finding("base model", PROBLEM, f"{name}: {error}", "put that right and ask again")
    if not pinned and entry["kind"] != "tiny":
        step = f"fgbuild lock --base {entry['name']}, and commit {lock.FILE}"
        return finding("base model", WARNING, f"{name} is there, but not pinned in {lock.FILE}", step)
    return finding("base model", OK, f"{name} is there{', as pinned' if pinned else ''}")


def _of_hub(entry: dict[str, Any], name: str) -> Finding:
    import huggingface_hub

    found = huggingface_hub.try_to_load_from_cache(entry["repo"], "config.json", revision=entry.get("revision", "main"))
    if isinstance(found, str):
        return finding("base model", OK, f"{name} is in the Hub's cache")
    if huggingface_hub.get_token():
        return finding("base model", OK, f"{name} will be downloaded with your token")
    step = f"accept the licence at https://huggingface.co/{entry['repo']} and run hf auth login, {hub.OFFLINE_BASE}"
    return finding("base model", PROBLEM, f"{name} is not in the Hub's cache and there is no token", step)


if __name__ == "__main__":
    main(run)
