from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_sample import MANIFEST, PROJECT, line_of, make_project

from fgbuild.errors import ManifestError
from fgbuild.manifest import resolve_project
from fgbuild.manifest.load import parse
from fgbuild.manifest.resolve import read_settings, resolve_one

SETTINGS_FILE = Path("fgbuild.toml")


def resolved(
    root: Path, manifest: str, *, base: str | None = None, profile: str | None = None, project: str = PROJECT
) -> tuple[dict[str, Any], dict[str, str]]:
    (root / "rows.jsonl").touch()
    settings = read_settings(parse(SETTINGS_FILE, project.encode()), base, profile)
    document = parse(Path("manifests/timers.toml"), manifest.encode())
    domain, problems = resolve_one(root, document, settings)
    assert problems == []
    return domain.resolved, domain.origins


def test_precedence_default_base_manifest_profile(tmp_path: Path) -> None:
    manifest = MANIFEST + "\n[trainer]\nbatch_size = 3\n"
    plain, origins = resolved(tmp_path, MANIFEST, base="hub")
    assert (plain["trainer"]["batch_size"], origins["trainer.batch_size"]) == (4, "default")
    base, origins = resolved(tmp_path, MANIFEST)
    line = line_of(PROJECT, "batch_size = 8")
    assert (base["trainer"]["batch_size"], origins["trainer.batch_size"]) == (8, f"fgbuild.toml:{line}, base tiny")
    own, origins = resolved(tmp_path, manifest)
    line = line_of(manifest, "batch_size")
    assert (own["trainer"]["batch_size"], origins["trainer.batch_size"]) == (3, f"manifests/timers.toml:{line}")
    quick, origins = resolved(tmp_path, manifest, profile="quick")
    line = line_of(PROJECT, "batch_size = 2")
    assert quick["trainer"]["batch_size"] == 2
    assert origins["trainer.batch_size"] == f"fgbuild.toml:{line}, profile quick"
    assert quick["trainer"]["learning_rate"] == 0.01


def test_the_defaults_are_those_of_a_base_that_knows_the_format(tmp_path: Path) -> None:
    found, _ = resolved(tmp_path, MANIFEST, base="hub")
    assert found["dataset"] == {
        "generator": "none",
        "count": 200,
        "seed": 7,
        "eval_fraction": 0.2,
        "files": ["rows.jsonl"],
        "max_leakage": 0.05,
        "templates": [],
        "max_length": 1024,
        "max_bad": 0,
        "tool_variants": 0.15,
    }
    assert found["lora"] == {
        "r": 16,
        "alpha": 32,
        "dropout": 0.05,
        "target_modules": ["q_proj", "v_proj"],
        "bias": "none",
        "trainable_tokens": [],
        "use_rslora": False,
        "use_dora": False,
        "init_lora_weights": "default",
    }
    assert found["trainer"] == {
        "epochs": 3,
        "max_steps": -1,
        "method": "lora",
        "batch_size": 4,
        "gradient_accumulation": 4,
        "effective_batch": 16,
        "learning_rate": 2e-4,
        "schedule": "cosine",
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "precision": "auto",
        "seed": 42,
        "backend": "trl",
        "sharing": "auto",
        "eval_every": 0,
        "early_stopping": 0,
        "keep": "last",
    }
    assert found["quant"] == {
        "type": "q8_0",
        "min_mb": 250,
        "max_mb": 320,
        "converter": "builtin",
        "converter_path": "",
        "imatrix": "",
    }
    assert found["verify"] == {"smoke": [], "timeout_seconds": 120, "memory_mb": 4096}
    assert found["eval"] == {
        "examples": 60,
        "max_tokens": 160,
        "prompts": "",
        "thresholds": {
            "call_validity": 0.98,
            "tool_accuracy": 0.85,
            "argument_match": 0.65,
            "abstention_precision": 0.8,
            "abstention_recall": 0.8,
            "prompt_tool_accuracy": 0.8,
            "prompt_argument_match": 0.65,
            "ast_match": 0.0,
            "turn_accuracy": 0.0,
            "sequence_accuracy": 0.0,
            "closed_loop_accuracy": 0.0,
            "stop_accuracy": 0.0,
        },
    }


def test_a_built_in_domain_is_its_own_generator(tmp_path: Path) -> None:
    found, origins = resolved(tmp_path, MANIFEST.replace('"timers"', '"lint"'))
    assert (found["dataset"]["generator"], origins["dataset.generator"]) == ("lint", "default")


def test_the_base_is_named_with_its_origin(tmp_path: Path) -> None:
    found, origins = resolved(tmp_path, MANIFEST)
    assert (found["base"], origins["base"]) == ("tiny", "fgbuild.toml:2, default_base")
    found, origins = resolved(tmp_path, MANIFEST, base="hub")
    assert (found["base"], origins["base"]) == ("hub", "command line")


def test_tables_merge_and_lists_replace(tmp_path: Path) -> None:
    project = PROJECT + (
        "\n[profile.p]\neval.thresholds.tool_accuracy = 0.5\n"
        'lora.target_modules = ["o_proj"]\n'
        '[[profile.p.verify.smoke]]\nprompt = "a"\ntool = "set_timer"\n'
    )
    manifest = MANIFEST + (
        "\n[eval.thresholds]\ncall_validity = 0.9\n"
        '[[verify.smoke]]\nprompt = "b"\ntool = "set_timer"\narguments.minutes = 1\n'
    )
    found, origins = resolved(tmp_path, manifest, profile="p", project=project)
    assert found["eval"]["thresholds"] | {"tool_accuracy": 0.5, "call_validity": 0.9} == found["eval"]["thresholds"]
    assert found["lora"]["target_modules"] == ["o_proj"]
    assert [check["prompt"] for check in found["verify"]["smoke"]] == ["a"]
    assert origins["verify.smoke[0].prompt"].startswith("fgbuild.toml:")
    assert origins["verify.smoke[0].arguments"] == "default"


def test_every_value_has_an_origin(tmp_path: Path) -> None:
    found, origins = resolved(tmp_path, MANIFEST)
    assert set(origins) >= {f"trainer.{key}" for key in found["trainer"]}
    assert origins["tool[0].parameters.properties.label.type"] == (
        f"manifests/timers.toml:{line_of(MANIFEST, 'label')}"
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["", "   ", "# note", "\t# [x]"])), max_size=10))
def test_blank_lines_and_comments_change_nothing_resolved(
    tmp_path_factory: pytest.TempPathFactory, insertions: list[tuple[int, str]]
) -> None:
    root = tmp_path_factory.getbasetemp()
    lines = MANIFEST.split("\n")
    for position, text in insertions:
        lines.insert(min(position, len(lines)), text)
    assert resolved(root, "\n".join(lines))[0] == resolved(root, MANIFEST)[0]


def test_a_sample_project_of_the_repository_is_sound(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "fgbuild.toml").read_text("utf-8")
    found, _ = resolved(tmp_path, MANIFEST, project=text)
    assert found["base"] == "embedded"
    assert found["lora"]["trainable_tokens"] == list(range(46, 53))
    assert len(found["lora"]["target_modules"]) == 7
    for base in ("functiongemma", "tiny"):
        for profile in ("quick", "full"):
            resolved(tmp_path, MANIFEST, base=base, profile=profile, project=text)
    hub, _ = resolved(tmp_path, MANIFEST, base="functiongemma", project=text)
    assert (hub["lora"]["target_modules"], hub["trainer"]["learning_rate"]) == (["q_proj", "v_proj"], 2e-4)


def test_make_project_is_resolved_as_a_whole(tmp_path: Path) -> None:
    project = resolve_project(make_project(tmp_path), profile="quick")
    assert (project.base_name, project.profile) == ("tiny", "quick")
    assert project.domains["timers"].path == Path("manifests/timers.toml")
    assert "overrides" not in project.base


def test_environments_of_training_libraries_are_part_of_the_project(tmp_path: Path) -> None:
    assert resolve_project(make_project(tmp_path)).backends == {}
    (tmp_path / "python").touch()
    for path in ("python", str(tmp_path / "python")):
        (tmp_path / "fgbuild.toml").write_text(f'{PROJECT}\n[backends.unsloth]\npython = "{path}"\n', "utf-8")
        assert resolve_project(tmp_path).backends == {"unsloth": {"python": path}}


def test_a_training_library_has_to_be_installed_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_project(tmp_path, MANIFEST + '\n[trainer]\nbackend = "unsloth"\n')
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ManifestError, match=r'trainer\.backend: "unsloth" is not installed here; run pip install'):
        resolve_project(root)
    (root / "python").touch()
    (root / "fgbuild.toml").write_text(f'{PROJECT}\n[backends.unsloth]\npython = "python"\n', "utf-8")
    assert resolve_project(root).domains["timers"].resolved["trainer"]["backend"] == "unsloth"
    (root / "fgbuild.toml").write_text(PROJECT, "utf-8")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    resolve_project(root)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ManifestError, match="unsloth"):  # though it was remembered as sound
        resolve_project(root)


def test_pieces_of_resolved_are_plain_data(tmp_path: Path) -> None:
    found, _ = resolved(tmp_path, MANIFEST)
    assert json.loads(json.dumps(found)) == found
    assert list(found)[:4] == ["schema", "name", "summary", "base"]
