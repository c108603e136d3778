from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_sample import MANIFEST, PROJECT, line_of, make_project

from fgbuild.errors import ManifestError
from fgbuild.manifest import resolve_project
from fgbuild.manifest.validate import ProjectErrors, inspect_sources

TIMERS = Path("manifests/timers.toml")


def problems(root: Path, **choice: str) -> list[tuple[int | None, str, str]]:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(ManifestError) as caught:
        resolve_project(root, **choice)
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert before == after
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_a_good_manifest_resolves(tmp_path: Path) -> None:
    project = resolve_project(make_project(tmp_path))
    assert list(project.domains) == ["timers"]
    assert project.base == {"name": "tiny", "kind": "tiny", "seed": 1}


@pytest.mark.parametrize(
    ("section", "line", "field", "words"),
    [
        ("[lora]\nrank = 8\n", "rank", "lora.rank", "unknown key"),
        ("[lora]\ndropuot = 0.1\n", "dropuot", "lora.dropuot", 'did you mean "dropout"?'),
        ("[lora]\nr = 0\n", "r = 0", "lora.r", "at least 1, not 0"),
        ("[lora]\nr = 8.0\n", "r = 8", "lora.r", "whole number, not 8.0"),
        ("[lora]\nr = true\n", "r = true", "lora.r", "whole number, not true"),
        ('[lora]\nr = "8"\n', "r = ", "lora.r", 'whole number, not "8"'),
        ("[lora]\nr = 1979-05-27\n", "r = ", "lora.r", "dates"),
        ("[lora]\ndropout = 1\n", "dropout", "lora.dropout", "less than 1"),
        ("[lora]\ndropout = nan\n", "dropout", "lora.dropout", "finite"),
        ('[lora]\ntarget_modules = ["q_proj",\n "qproj"]\n', ' "qproj"', "lora.target_modules[1]", '"q_proj"'),
        ("[lora]\ntarget_modules = []\n", "target_modules", "lora.target_modules", "empty"),
        ('[lora]\ntarget_modules = "q_proj"\n', "target_modules", "lora.target_modules", "a list"),
        (
            '[lora]\ntarget_modules = ["q_proj", "q_proj"]\n',
            "target_modules",
            "lora.target_modules[1]",
            "twice",
        ),
        ("[lora]\ntrainable_tokens = [262144]\n", "trainable", "lora.trainable_tokens[0]", "less than 262144"),
        ("[trainer]\nlearning_rate = 0\n", "learning_rate", "trainer.learning_rate", "greater than 0"),
        ("[trainer]\nlearning_rate = true\n", "learning_rate", "trainer.learning_rate", "a number, not true"),
        ("[trainer]\nmax_steps = 0\n", "max_steps", "trainer.max_steps", "at least 1, or -1"),
        ('[trainer]\nprecision = "fp16"\n', "precision", "trainer.precision", "exceed fp16's range"),
        ('[trainer]\nprecision = "int8"\n', "precision", "trainer.precision", '"auto", "fp32" or "bf16"'),
        ('[trainer]\nbackend = "axolotl"\n', "backend", "trainer.backend", '"auto", "trl" or "unsloth"'),
        ("[trainer]\nbatch_size = 0\n", "batch_size", "trainer.batch_size", 'at least 1, or "auto", not 0'),
        ("[trainer]\nbatch_size = true\n", "batch_size", "trainer.batch_size", 'or "auto", not true'),
        ("[trainer]\nbatch_size = 4.0\n", "batch_size", "trainer.batch_size", 'or "auto", not 4.0'),
        ('[trainer]\nbatch_size = "Auto"\n', "batch_size", "trainer.batch_size", 'or "auto", not "Auto"'),
        ("[trainer]\neffective_batch = 0\n", "effective_batch", "trainer.effective_batch", "at least 1"),
        ("[trainer]\nearly_stopping = 2\n", "early", "trainer.early_stopping", "set trainer.eval_every"),
        ('[trainer]\nkeep = "best"\n', "keep", "trainer.keep", "set trainer.eval_every"),
        ('[trainer]\nmethod = "qlora"\n', "method", "trainer.method", '"lora" or "full"'),
        ('[trainer]\nmethod = "full"\nbackend = "unsloth"\n', "backend", "trainer.backend", 'use "trl"'),
        (
            '[trainer]\nbackend = "unsloth"\n[lora]\ninit_lora_weights = "pissa"\n',
            "init",
            "lora.init_lora_weights",
            'set trainer.backend = "trl"',
        ),
        ('[lora]\ninit_lora_weights = "loftq"\n', "init", "lora.init_lora_weights", '"pissa" or "olora"'),
        ('[lora]\nr = 5\ninit_lora_weights = "orthogonal"\n', "r = 5", "lora.r", "5 is odd"),
        ('[quant]\ntype = "q4_0"\n', 'type = "q4', "quant.type", '"q5_k_m" or "q6_k", not "q4_0"'),
        ("[quant]\nmin_mb = 320\n", "min_mb", "quant.min_mb", "less than max_mb = 320 (default)"),
        ("[quant]\nmax_mb = 250\n", "max_mb", "quant.max_mb", "greater than min_mb = 250 (default)"),
        ('[quant]\nconverter = "llama.cpp"\n', "[quant]", "quant.converter_path", "convert_hf_to_gguf.py"),
        (
            '[quant]\nconverter = "llama.cpp"\nconverter_path = "no.py"\n',
            "converter_path",
            "quant.converter_path",
            "is not a file",
        ),
        ("[verify]\ntimeout_seconds = 0\n", "timeout", "verify.timeout_seconds", "at least 1"),
        ("[eval.thresholds]\ncall_validity = 98\n", "call_v", "eval.thresholds.call_validity", "at most 1"),
        ("[surprise]\nx = 1\n", "[surprise]", "surprise", "unknown key; known here: dataset, lora"),
    ],
)
def test_a_bad_value_is_placed(tmp_path: Path, section: str, line: str, field: str, words: str) -> None:
    text = f"{MANIFEST}\n{section}"
    found = problems(make_project(tmp_path, text))
    assert [(number, name) for number, name, _ in found] == [(line_of(text, line), field)]
    assert words in found[0][2]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [
        ("schema = 1", "schema = 2", "schema", "schema", "must be 1, not 2"),
        ("schema = 1", "schema = 1\nlora = 3", "lora", "lora", "must be a table, not 3"),
        ("schema = 1", "schema = true", "schema", "schema", "whole number"),
        ("schema = 1\n", "", None, "schema", "is missing"),
        ('name = "timers"\n', "", None, "name", "is missing"),
        ('name = "timers"', 'name = "Timers"', "name", "name", "lower-case"),
        ('name = "timers"', 'name = "../x"', "name", "name", "lower-case"),
        ('name = "timers"', 'name = "base"', "name", "name", "choose another"),
        ('files = ["rows.jsonl"]', "files = []", "files", "dataset.files", "dataset would be empty"),
        ('files = ["rows.jsonl"]', "", "[dataset]", "dataset.files", "dataset would be empty"),
        ('[dataset]\nfiles = ["rows.jsonl"]\n', "", "name", "dataset.files", "dataset would be empty"),
        (
            'files = ["rows.jsonl"]',
            'generator = "none"',
            "generator",
            "dataset.generator",
            "dataset would be empty",
        ),
        ('files = ["rows.jsonl"]', 'generator = "lnt"', "generator", "dataset.generator", 'did you mean "lint"?'),
        ('files = ["rows.jsonl"]', 'generator = "scenario"', "generator", "dataset.generator", "not a built-in"),
        ('files = ["rows.jsonl"]', "files = [\n'rows.jsonl',\n'rows.jsonl']", "'rows.jsonl']", "dataset.files[1]", ""),
        ('files = ["rows.jsonl"]', 'files = ["no.jsonl"]', "files", "dataset.files[0]", "does not exist"),
        ('files = ["rows.jsonl"]', 'files = ["manifests"]', "files", "dataset.files[0]", "is a directory"),
        ('files = ["rows.jsonl"]', 'files = ["../rows.jsonl"]', "files", "dataset.files[0]", "outside the project"),
        ('files = ["rows.jsonl"]', 'files = ["/etc/hostname"]', "files", "dataset.files[0]", "outside the project"),
        ('files = ["rows.jsonl"]', 'files = ["a\\u0000b"]', "files", "dataset.files[0]", "not a path"),
        ('files = ["rows.jsonl"]', "eval_fraction = 1.0", "eval_fraction", "dataset.eval_fraction", "less than 1"),
        ('files = ["rows.jsonl"]', "eval_fraction = 0", "eval_fraction", "dataset.eval_fraction", "greater than 0"),
        ("minutes = {", "type = {", "type = { type", "tool[0].parameters.properties.type", "drops a parameter"),
        (
            'type = "integer", d',
            'type = "integer", enum = [1], d',
            "minutes",
            "tool[0].parameters.properties.minutes.enum",
            "only for type",
        ),
        ('description = "Start a timer"\n', "", "[[tool]]", "tool[0].description", "is missing"),
        ('required = ["minutes"]', 'required = ["hours"]', "required", "tool[0].parameters.required[0]", "hours"),
    ],
)
def test_a_bad_edit_is_placed(tmp_path: Path, old: str, new: str, line: str | None, field: str, words: str) -> None:
    text = MANIFEST.replace(old, new, 1)
    assert text != MANIFEST
    found = problems(make_project(tmp_path, text))
    placed = [(number, name) for number, name, _ in found]
    assert (line_of(text, line) if line else None, field) in placed, found
    assert any(words in message for _, name, message in found if name == field)


SMOKE = '\n[[verify.smoke]]\nprompt = "Set one"\ntool = "set_timer"\narguments = { minutes = 5 }\n'


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [
        ('"set_timer"', '"set_timr"', "tool = ", "verify.smoke[0].tool", 'did you mean "set_timer"?'),
        ('"Set one"', '" "', "prompt", "verify.smoke[0].prompt", "is blank"),
        ('"Set one"', '"Set <end_of_turn>"', "prompt", "verify.smoke[0].prompt", "special token"),
        ("minutes =", "hours =", "arguments", "verify.smoke[0].arguments.hours", 'no parameter "hours"'),
        ("= 5", '= "5"', "arguments", "verify.smoke[0].arguments.minutes", "not of type 'integer'"),
        ('"Set one"', '""', "prompt", "verify.smoke[0].prompt", "empty"),
    ],
)
def test_smoke_checks_are_held_against_the_tools(
    tmp_path: Path, old: str, new: str, line: str, field: str, words: str
) -> None:
    text = MANIFEST + SMOKE.replace(old, new)
    ((number, name, message),) = problems(make_project(tmp_path, text))
    assert (number, name) == (line_of(text, line), field)
    assert words in message


def test_smoke_arguments_may_leave_out_required_ones(tmp_path: Path) -> None:
    text = MANIFEST + SMOKE.replace("minutes = 5", 'label = "tea"')
    assert resolve_project(make_project(tmp_path, text)).domains["timers"].resolved["verify"]["smoke"] == [
        {"prompt": "Set one", "tool": "set_timer", "arguments": {"label": "tea"}}
    ]


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = MANIFEST.replace("minutes = {", "nullable = {").replace('"rows.jsonl"', '"no.jsonl"')
    text += '\n[lora]\nr = 0\nrnk = 3\n[[verify.smoke]]\nprompt = "x"\ntool = "no_tool"\n'
    found = problems(make_project(tmp_path, text))
    assert [field for _, field, _ in found] == [
        "dataset.files[0]",
        "tool[0].parameters.required[0]",
        "tool[0].parameters.properties.nullable",
        "lora.r",
        "lora.rnk",
    ]
    fixed_tool = text.replace("nullable = {", "minutes = {")
    (tmp_path / TIMERS).write_text(fixed_tool, "utf-8")
    assert "verify.smoke[0].tool" in [field for _, field, _ in problems(tmp_path)]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"schema = 1\nname = \n", 2, "not valid TOML"),
        (b'schema = 1\nname = "x\n', 2, "not valid TOML"),
        (b"a = 1\na = 2\n", 2, "not valid TOML"),
        (b"schema = 1\nfiles = [\n1,\n", 3, "not valid TOML"),
        (b"schema = 1\n# caf\xe9\n", 2, "not UTF-8"),
        (b"x = " + b"[" * 200 + b"]" * 200, None, "nested deeper"),
        (b"x = " + b"[" * 100_000, None, "nested deeper"),
        (b"d = 2024-13-45\n", None, "not valid TOML"),
    ],
)
def test_broken_toml(tmp_path: Path, content: bytes, line: int | None, words: str) -> None:
    make_project(tmp_path)
    (tmp_path / TIMERS).write_bytes(content)
    ((where, field, message),) = problems(tmp_path)
    assert (field, words in message) == ("", True)
    assert where == line or line is None


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(MANIFEST)), st.integers(0, 12), st.text(st.sampled_from("[]{}=\"'.,#\\n0x_a \0é"), max_size=8)
)
def test_any_edit_is_refused_with_a_line_or_resolves(
    tmp_path_factory: pytest.TempPathFactory, at: int, removed: int, added: str
) -> None:
    text = MANIFEST[:at] + added + MANIFEST[at + removed :]
    sources = {Path("fgbuild.toml"): PROJECT.encode(), TIMERS: text.encode()}
    project, errors = inspect_sources(tmp_path_factory.getbasetemp(), sources)
    assert project is not None
    assert len(project.domains) + len(errors) == 1
    for error in errors:
        for line, _, message in error.problems:
            assert message
            assert line is None or 1 <= line <= text.count("\n") + 1


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    make_project(tmp_path)
    plain = resolve_project(tmp_path).domains["timers"].resolved
    (tmp_path / TIMERS).write_bytes(b"\xef\xbb\xbf" + MANIFEST.replace("\n", "\r\n").encode())
    assert resolve_project(tmp_path).domains["timers"].resolved == plain


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    make_project(root, MANIFEST.replace("rows.jsonl", "link.jsonl"))
    (tmp_path / "secret.jsonl").write_text("{}\n")
    os.symlink(tmp_path / "secret.jsonl", root / "link.jsonl")
    assert "outside the project" in problems(root)[0][2]
    (root / "link.jsonl").unlink()
    os.symlink("link.jsonl", root / "link.jsonl")
    assert problems(root)[0][1] == "dataset.files[0]"


def test_two_manifests_with_one_name(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "manifests" / "zz.toml").write_text("# moved down\n" + MANIFEST, "utf-8")
    with pytest.raises(ManifestError) as caught:
        resolve_project(tmp_path)
    assert str(caught.value).startswith(
        'manifests/zz.toml:3: name: "timers" is the name of manifests/timers.toml:2 too'
    )


def test_problems_of_several_files_come_together(tmp_path: Path) -> None:
    make_project(tmp_path, MANIFEST + "\n[lora]\nr = 0\n")
    (tmp_path / "manifests" / "other.toml").write_text("schema = 1\n", "utf-8")
    (tmp_path / "manifests" / ".hidden.toml").write_text("no toml", "utf-8")
    with pytest.raises(ProjectErrors) as caught:
        resolve_project(tmp_path)
    assert [error.path.name for error in caught.value.errors] == ["other.toml", "timers.toml"]
    assert "manifests/other.toml: name: is missing" in str(caught.value)
    assert "lora.r: must be at least 1" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [
        ('default_base = "tiny"', 'default_base = "tine"', "default_base", "default_base", 'did you mean "tiny"?'),
        ('kind = "tiny"', 'kind = "small"', "[base.tiny]", "base.tiny", '"embedded", "hub", "path" or "tiny"'),
        ('kind = "tiny"', "", "[base.tiny]", "base.tiny", "add kind"),
        ('repo = "owner/model"', "", "[base.hub]", "base.hub.repo", "is missing"),
        ('repo = "owner/model"', 'repo = "model"', "repo", "base.hub.repo", "owner/name"),
        ('repo = "owner/model"', 'repo = "o/m"\nrevison = "x"', "revison", "base.hub.revison", '"revision"'),
        ("batch_size = 8", "batch_size = 0", "batch_size", "base.tiny.overrides.trainer.batch_size", "at least 1"),
        ("[profile.quick.trainer]", "[profile.quick.trainr]", "[profile", "profile.quick.trainr", '"trainer"'),
        ("[profile.quick.trainer]", '[profile."no name".trainer]', "[profile", "profile.no name", "lower-case"),
        ("batch_size = 2", 'precision = "fp16"', "precision", "profile.quick.trainer.precision", "fp16"),
        ("[profile", '[backends.unsloth]\npython = "no"\n[profile', "python", "backends.unsloth.python", "not a file"),
        ("[profile", '[backends.unsloth]\npython = ""\n[profile', "python", "backends.unsloth.python", "not be empty"),
        ("[profile", "[backends.unsloth]\n[profile", "[backends", "backends.unsloth.python", "is missing"),
        (
            "[profile",
            '[backends.unsloth]\npython = "rows.jsonl"\npyton = 1\n[profile',
            "pyton",
            "backends.unsloth.pyton",
            '"python"',
        ),
        ("[profile", "[backends.vllm]\n[profile", "[backends", "backends.vllm", "known here: unsloth"),
    ],
)
def test_a_bad_project_file(tmp_path: Path, old: str, new: str, line: str, field: str, words: str) -> None:
    text = PROJECT.replace(old, new, 1)
    ((number, name, message),) = problems(make_project(tmp_path, project=text))
    assert (number, name) == (line_of(text, line), field)
    assert words in message


def test_unknown_base_and_profile_name_the_known_ones(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert problems(tmp_path, base="tony")[0][1:] == (
        "--base",
        'no base is named "tony" (did you mean "tiny"?); known: tiny, hub',
    )
    assert "known: quick" in problems(tmp_path, profile="nope")[0][2]


def test_a_value_at_fault_in_the_project_file_says_so(tmp_path: Path) -> None:
    project = PROJECT + '\n[profile.bad.dataset]\nfiles = ["no.jsonl"]\n'
    found = problems(make_project(tmp_path, project=project), profile="bad")
    where = line_of(project, "files")
    assert found[0][2].endswith(f"; set at fgbuild.toml:{where}, profile bad")


def test_the_recipes_fit_together(tmp_path: Path) -> None:
    recipe = 'method = "full"\nbatch_size = "auto"\neval_every = 5\nearly_stopping = 2\nkeep = "best"\n'
    adapter = '\n[lora]\ndropout = 0.1\nuse_dora = true\nuse_rslora = true\ninit_lora_weights = "pissa"\n'
    text = f"{MANIFEST}\n[trainer]\n{recipe}{adapter}"
    assert resolve_project(make_project(tmp_path, text)).domains["timers"].resolved["trainer"]["batch_size"] == "auto"


def test_whole_numbers_are_fine_where_any_number_is(tmp_path: Path) -> None:
    project = resolve_project(make_project(tmp_path, MANIFEST + "\n[trainer]\nlearning_rate = 1\nweight_decay = 0\n"))
    trainer = project.domains["timers"].resolved["trainer"]
    assert (trainer["learning_rate"], type(trainer["learning_rate"])) == (1.0, float)


def test_a_tool_may_leave_out_its_parameters(tmp_path: Path) -> None:
    text = MANIFEST + '\n[[tool]]\nname = "stop_all"\ndescription = "Stop every timer"\n'
    tools = resolve_project(make_project(tmp_path, text)).domains["timers"].resolved["tool"]
    assert tools[1]["parameters"] == {"type": "object", "properties": {}, "required": []}
