"""`fgbuild check`, `schema` and `new`, which have to do with each other: what `new` writes, `check` accepts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import ModuleType

import pytest

from fgbuild.cli import check, new, schema
from fgbuild.errors import FgbuildError

PROJECT = 'schema = 1\ndefault_base = "tiny"\n\n[base.tiny]\nkind = "tiny"\n\n[base.tiny.overrides.lora]\nr = 8\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "fgbuild.toml").write_text(PROJECT, "utf-8")
    return tmp_path


def run(command: ModuleType, root: Path | None, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args(arguments)
    args.root = root
    return command.run(args)


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", [check, new, schema])
def test_the_help_of_a_command_is_one_line(command: ModuleType) -> None:
    assert command.__doc__ is not None
    assert command.__doc__.splitlines()[0].endswith(".") or ";" in command.__doc__


@pytest.mark.parametrize(
    ("option", "files"), [([], set()), (["--from-data"], {"manifests/data/timers.jsonl"})], ids=["templates", "data"]
)
def test_what_new_writes_passes_check(
    root: Path, capsys: pytest.CaptureFixture[str], option: list[str], files: set[str]
) -> None:
    assert run(new, root, "timers", *option) == 0
    written = {path.relative_to(root).as_posix() for path in snapshot(root)}
    assert written == {"fgbuild.toml", "manifests/timers.toml"} | files
    before = snapshot(root)
    capsys.readouterr()
    assert run(check, root, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "passed": True,
        "problems": [],
        "left_out": [],
        "domains": {"timers": {"path": "manifests/timers.toml"}},
    }
    assert snapshot(root) == before


@pytest.mark.parametrize("name", ["lint", "a", "x_9"])
def test_new_with_other_names(root: Path, name: str) -> None:
    assert run(new, root, name) == 0
    assert run(check, root) == 0


@pytest.mark.parametrize("name", ["Timers", "9x", "../x", "a b", "", "base", "x" * 65, "a\n"])
def test_new_refuses_a_name_that_cannot_be_used(root: Path, name: str) -> None:
    before = snapshot(root)
    with pytest.raises(FgbuildError):
        run(new, root, "--", name)
    assert snapshot(root) == before


def test_new_never_overwrites(root: Path) -> None:
    run(new, root, "timers", "--from-data")
    before = snapshot(root)
    with pytest.raises(FgbuildError, match="already"):
        run(new, root, "timers", "--from-data")
    (root / "manifests" / "timers.toml").rename(root / "manifests" / "renamed.toml")
    with pytest.raises(FgbuildError, match=r"manifests/renamed\.toml"):
        run(new, root, "timers", "--from-data")
    (root / "manifests" / "renamed.toml").unlink()
    with pytest.raises(FgbuildError, match=r"data/timers\.jsonl is there already"):
        run(new, root, "timers", "--from-data")
    assert set(snapshot(root)) == set(before) - {root / "manifests" / "timers.toml"}


def test_check_prints_every_value_with_its_origin(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(new, root, "timers")
    capsys.readouterr()
    assert run(check, root, "--resolved", "timers") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# timers"
    assert "lora.alpha = 32   (default)" in lines
    assert "lora.r = 8   (fgbuild.toml:8, base tiny)" in lines
    assert 'name = "timers"   (manifests/timers.toml:4)' in lines
    assert 'base = "tiny"   (fgbuild.toml:2, default_base)' in lines
    assert any(line.startswith("tool[0].parameters.properties.minutes.type = ") for line in lines)
    (slot,) = (line for line in lines if line.startswith("slots.minutes.range = "))
    assert slot.startswith("slots.minutes.range = [2, 180]   (manifests/timers.toml:")
    assert "slots.minutes.step = 1   (default)" in lines


def test_check_resolved_json_has_values_and_origins(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(new, root, "timers")
    capsys.readouterr()
    run(check, root, "--resolved", "--json")
    domain = json.loads(capsys.readouterr().out)["domains"]["timers"]
    assert domain["resolved"]["lora"]["r"] == 8
    assert domain["origins"]["lora.r"] == "fgbuild.toml:8, base tiny"


def test_check_tells_problems_with_file_line_and_field(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(new, root, "timers")
    path = root / "manifests" / "timers.toml"
    path.write_text(path.read_text("utf-8") + "\n[lora]\nrank = 3\n", "utf-8")
    line = len(path.read_text("utf-8").splitlines())
    capsys.readouterr()
    assert run(check, root) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"manifests/timers.toml:{line}: lora.rank: unknown key" in err
    assert run(check, root, "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is False
    assert [(p["path"], p["line"], p["field"]) for p in document["problems"]] == [
        ("manifests/timers.toml", line, "lora.rank")
    ]


def test_check_reads_the_data_files_too(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(new, root, "timers", "--from-data")
    data = root / "manifests" / "data" / "timers.jsonl"
    data.write_text(data.read_text("utf-8") + '{"messages": [\n', "utf-8")
    capsys.readouterr()
    assert run(check, root) == 2
    assert "manifests/data/timers.jsonl:9: is not JSON" in capsys.readouterr().err


def test_check_leaves_out_as_many_bad_lines_as_it_may(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(new, root, "timers", "--from-data")
    data = root / "manifests" / "data" / "timers.jsonl"
    data.write_text(data.read_text("utf-8") + "{}\nx\n", "utf-8")
    manifest = root / "manifests" / "timers.toml"
    assert run(check, root, "--max-bad", "1") == 2
    assert run(check, root, "--max-bad", "2") == 0
    manifest.write_text(manifest.read_text("utf-8").replace("[dataset]", "[dataset]\nmax_bad = 2"), "utf-8")
    capsys.readouterr()
    assert run(check, root) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("left out: manifests/data/timers.jsonl:9: messages must be a list")
    assert lines[1].startswith("left out: manifests/data/timers.jsonl:10: is not JSON")
    assert lines[2] == "checked: timers; no problems but in the lines left out"
    assert run(check, root, "--max-bad", "0", "--json") == 2
    assert [problem["line"] for problem in json.loads(capsys.readouterr().out)["problems"]] == [9, 10]
    assert run(check, root, "--json") == 0
    assert [problem["line"] for problem in json.loads(capsys.readouterr().out)["left_out"]] == [9, 10]


def test_an_empty_file_is_a_problem_however_many_lines_may_be_bad(root: Path) -> None:
    run(new, root, "timers", "--from-data")
    (root / "manifests" / "data" / "timers.jsonl").write_text("\n", "utf-8")
    assert run(check, root, "--max-bad", "9") == 2


def test_check_of_one_domain_leaves_the_others_problems_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(new, root, "good")
    run(new, root, "bad")
    (root / "manifests" / "bad.toml").write_text("schema = ", "utf-8")
    capsys.readouterr()
    assert run(check, root, "bad") == 2
    assert run(check, root) == 2
    assert "manifests/bad.toml:1" in capsys.readouterr().err
    assert run(check, root, "good", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)["domains"]) == ["good"]


def test_check_of_an_unknown_domain_says_how_to_make_it(root: Path) -> None:
    with pytest.raises(FgbuildError, match="fgbuild new nope"):
        run(check, root, "nope")


def test_check_with_an_unknown_base_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(check, root, "--base", "nope") == 2
    assert "known: tiny" in capsys.readouterr().err


def test_a_project_without_manifests_is_no_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(check, root) == 0
    assert "fgbuild new" in capsys.readouterr().err


@pytest.mark.parametrize("option", [[], ["--project"], ["--templates"]])
def test_schema_prints_one_document(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(schema, None, *option) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["type"] == "object"
    assert ("tool" in document["properties"]) is not bool(option)


def test_a_file_that_is_named_unlike_its_domain_says_which_it_holds(root: Path) -> None:
    run(new, root, "timers")
    (root / "manifests" / "timers.toml").rename(root / "manifests" / "clock.toml")
    with pytest.raises(FgbuildError, match=r'manifests/clock.toml holds the domain "timers"'):
        run(check, root, "clock")


def test_a_manifest_that_is_no_file_is_a_problem_and_not_passed_over(root: Path) -> None:
    (root / "manifests" / "gone.toml").parent.mkdir()
    (root / "manifests" / "gone.toml").symlink_to("nowhere")
    with pytest.raises(FgbuildError, match=r"manifests/gone.toml: cannot be read .*; make it a readable file"):
        run(check, root)
