"""What the dashboard's editor is told about a manifest that is not saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from bell_project import MANIFEST, PROJECT
from instant import InstantExecutor

from fgbuild.cli import building, main
from fgbuild.cli.desk import ProjectDesk
from fgbuild.errors import FgbuildError
from fgbuild.views.tui.app import DashboardApp
from fgbuild.views.tui.desk import Variant
from fgbuild.views.tui.manifest_text import effect_words

HERE = Variant()
LORA = "\n[lora]\nr = 16\n"


@pytest.fixture
def desk(project: Path) -> ProjectDesk:
    return ProjectDesk(project)


@pytest.fixture
def bell(project: Path) -> Path:
    path = project / "manifests" / "bell.toml"
    path.write_text(MANIFEST + LORA)
    return path


@pytest.fixture
def built(bell: Path) -> Iterator[None]:
    with mock.patch.object(building, "_executor", InstantExecutor):
        assert main(["build", "bell", "--until", "export", "--json"]) == 0
        yield


def listing(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith("index.sqlite")
    }


def test_the_manifest_of_a_domain_is_the_one_that_names_it(desk: ProjectDesk, bell: Path) -> None:
    assert desk.manifest("bell") == bell
    bell.rename(bell.with_name("other.toml"))
    assert desk.manifest("bell") == bell.with_name("other.toml")
    with pytest.raises(FgbuildError, match="fgbuild new whistle"):
        desk.manifest("whistle")


def test_a_manifest_that_is_no_toml_goes_by_its_files_name(desk: ProjectDesk, bell: Path) -> None:
    bell.write_text("name = \n")
    assert desk.manifest("bell") == bell


def test_problems_are_those_of_the_text_and_not_of_the_disk(desk: ProjectDesk, bell: Path) -> None:
    good = bell.read_text()
    assert desk.problems(bell, good, HERE) == []
    (problem,) = desk.problems(bell, good.replace("r = 16", "r = 0"), HERE)
    assert (problem.line, problem.field, problem.path) == (good[: good.index("r = 16")].count("\n") + 1, "lora.r", "")
    assert "at least 1" in problem.message
    bell.write_text("[")
    assert desk.problems(bell, good, HERE) == []


@pytest.mark.parametrize("text", ["", "[", "name = \ud800", "\x00", "a = " + "[" * 500 + "]" * 500, "é" * 1000])
def test_whatever_is_typed_has_problems_and_no_traceback(desk: ProjectDesk, bell: Path, text: str) -> None:
    assert desk.problems(bell, text, HERE)[0].path == ""
    with pytest.raises(FgbuildError):
        desk.effect(bell, text, HERE)


def test_its_own_problems_come_before_those_of_other_files(desk: ProjectDesk, bell: Path) -> None:
    (bell.parent / "ape.toml").write_text("schema = 1\n")
    found = desk.problems(bell, MANIFEST + "\n[lora]\nr = 0\n", HERE)
    assert [problem.path for problem in found][:2] == ["", "manifests/ape.toml"]
    assert {problem.path for problem in desk.problems(bell, MANIFEST, HERE)} == {"manifests/ape.toml"}


def test_a_name_that_is_taken_is_told_in_the_edited_file(desk: ProjectDesk, bell: Path) -> None:
    (bell.parent / "cat.toml").write_text(MANIFEST.replace('"bell"', '"cat"'))
    (problem,) = desk.problems(bell, MANIFEST.replace('"bell"', '"cat"'), HERE)
    assert (problem.path, problem.field) == ("", "name")


def test_fgbuild_toml_can_be_asked_about_too(desk: ProjectDesk, bell: Path) -> None:
    path = desk.root / "fgbuild.toml"
    assert desk.problems(path, PROJECT, HERE) == []
    (problem,) = desk.problems(path, PROJECT.replace('default_base = "tiny"', 'default_base = "huge"'), HERE)
    assert (problem.line, problem.field, problem.path) == (3, "default_base", "")
    assert {entry["id"] for entry in desk.effect(path, PROJECT, HERE).entries} >= {"base", "bell:train"}


def test_own_rows_are_not_read_at_each_key(desk: ProjectDesk, bell: Path) -> None:
    (desk.root / "data" / "bell.jsonl").write_text("no JSON\n")
    assert desk.problems(bell, MANIFEST, HERE) == []


@pytest.mark.usefixtures("built")
def test_a_changed_rank_trains_again(desk: ProjectDesk, bell: Path) -> None:
    text = bell.read_text()
    before = listing(desk.root)
    effect = desk.effect(bell, text.replace("r = 16", "r = 32"), HERE)
    assert (effect.changed, effect.domain) == (True, "bell")
    assert [entry["id"] for entry in effect.entries][:2] == ["bell:train", "bell:export"]
    words = effect_words(effect)
    assert words.startswith("Saving reruns bell:train and ")
    assert "(lora.r: 16 → 32)" in words
    assert listing(desk.root) == before


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("edit", ["# a comment\n", "\n\n"])
def test_comments_and_blank_lines_change_nothing(desk: ProjectDesk, bell: Path, edit: str) -> None:
    effect = desk.effect(bell, edit + bell.read_text().replace("r = 16", "r   = 16"), HERE)
    assert not effect.changed
    assert "bell:train" not in {entry["id"] for entry in effect.entries}


@pytest.mark.usefixtures("built")
def test_what_was_built_before_comes_from_the_store(desk: ProjectDesk, bell: Path) -> None:
    text = bell.read_text()
    bell.write_text(text.replace("r = 16", "r = 8"))
    assert main(["build", "bell", "--until", "export", "--json"]) == 0
    effect = desk.effect(bell, text, HERE)
    assert effect.entries[0]["action"] == "cached"
    assert "restores bell:train" in effect_words(effect)


@pytest.mark.usefixtures("built")
def test_another_domains_bad_manifest_does_not_hide_the_effect(desk: ProjectDesk, bell: Path) -> None:
    (bell.parent / "ape.toml").write_text("schema = 1\n")
    assert desk.effect(bell, bell.read_text().replace("r = 16", "r = 32"), HERE).changed


def test_a_base_that_is_gone_is_said(desk: ProjectDesk, bell: Path) -> None:
    with pytest.raises(FgbuildError, match='no base is named "huge"'):
        desk.effect(bell, MANIFEST, Variant(base="huge"))


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_editor_on_a_project_that_was_built(desk: ProjectDesk, bell: Path, size: tuple[int, int]) -> None:
    app = DashboardApp(desk)
    app.selected = "bell:train"
    async with app.run_test(size=size) as pilot:

        async def until(done: Callable[[], object]) -> None:
            deadline = time.monotonic() + 60
            while not done():
                assert time.monotonic() < deadline, screen_of(app)
                await pilot.pause(0.02)

        async def shows(*words: str) -> None:
            await until(lambda: all(word in screen_of(app) for word in words))

        await until(lambda: app.stage)
        await pilot.press("m")
        await shows("manifests/bell.toml", "✓ Saving reruns nothing more: a build runs")
        row = bell.read_text().split("\n").index("r = 16")
        app.screen.editor.replace("0", (row, 4), (row, 6))
        app.screen.editor.go_to(row)
        await shows("lora.r: must be at least 1", "✗ r = 0", "lora.r: whole number 1–1024, default 16.")
        app.screen.editor.replace("8", (row, 4), (row, 5))
        await shows("✓ Saving reruns bell:train and ", "(lora.r: 16 → 8)")
        await pilot.press("ctrl+s")
        await shows("✓ Saving reruns nothing more: a build runs bell:train and ")
    assert "r = 8" in bell.read_text()


def screen_of(app: DashboardApp) -> str:
    return "\n".join("".join(part.text for part in strip) for strip in app.screen._compositor.render_strips())


def test_every_field_of_the_schema_has_words(desk: ProjectDesk, bell: Path) -> None:
    fields = desk.fields(bell)
    assert (fields["lora.r"].kind, fields["lora.r"].default) == ("whole number 1–1024", "16")
    assert "Rank" in fields["lora.r"].description
    assert fields["schema"].kind == "1"  # a range of one value
    assert fields["tool"].kind == "list of tables"
    assert fields["workspace.setup"].kind == "list of lists of texts"
    assert fields["tool[].command"].kind == "list of text or list of texts"
    assert {"tool[].name", "slots.*.values", "verify.smoke[].prompt", "trainer.schedule"} <= set(fields)
    assert all(field.kind for field in fields.values())
    project = desk.fields(desk.root / "fgbuild.toml")
    assert {"default_base", "base.*.overrides.lora.r", "profile.*.trainer.max_steps"} <= set(project)


def test_a_project_that_was_never_built(desk: ProjectDesk, bell: Path) -> None:
    effect = desk.effect(bell, bell.read_text().replace("r = 16", "r = 32"), HERE)
    assert effect.entries[0]["id"] == "base"
    assert effect_words(effect).startswith("Saving reruns nothing more: a build runs base")
