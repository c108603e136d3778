"""`fgbuild data import`: what it writes, what it says, and that it leaves nothing behind where it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fgbuild.cli import main
from fgbuild.cli.data_import import _reason

SAMPLES = Path(__file__).parent.parent / "domains" / "importing" / "samples"
XLAM = str(SAMPLES / "xlam.json")


def data_files(project: Path) -> list[str]:
    return sorted(path.name for path in (project / "data").iterdir())


def test_import_writes_rows_that_pass_the_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", XLAM, "--domain", "bell", "--output", "data/more.jsonl", "--max-bad", "2"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "read     4 rows as xlam",
        "kept     2",
        "refused  2",
        "tools    2: sum_of, tide_table",
        "wrote    data/more.jsonl",
    ]
    assert err.splitlines()[0].startswith(f"left out: {XLAM}:14: tool[0].parameters.properties.type: FunctionGemma's")
    line = 'files = ["data/bell.jsonl", "data/more.jsonl"]'
    assert err.splitlines()[-3:] == [
        "next: in manifests/bell.toml, under [dataset]:",
        f"  {line}",
        "then run `fgbuild check bell`",
    ]
    manifest = project / "manifests" / "bell.toml"
    manifest.write_text(manifest.read_text().replace('files = ["data/bell.jsonl"]', line))
    assert main(["check", "bell"]) == 0
    assert main(["data", "import", XLAM, "--domain", "bell", "--output", "data/more.jsonl", "--max-bad", "2"]) == 2
    capsys.readouterr()
    again = ["data", "import", XLAM, "--domain", "bell", "--output", "data/more.jsonl", "--max-bad", "2", "--force"]
    assert main(again) == 0
    assert "manifests/bell.toml names it already; run `fgbuild check bell`" in capsys.readouterr().err


def test_a_domain_without_a_manifest_is_told_how_to_get_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", str(SAMPLES / "toolace.json"), "--domain", "shares", "--max-bad", "2"]) == 0
    out, err = capsys.readouterr()
    assert "renamed  Market Price/v2 to Market_Price_v2, as the format cannot carry such a name" in out
    assert f"wrote    {project / 'data' / 'shares.jsonl'}" in out
    assert "`fgbuild new shares --from-data` makes its manifest" in err
    assert 'files = ["data/shares.jsonl"]' in err


def test_one_refused_row_too_many_and_nothing_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", XLAM, "--domain", "ports"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    *problems, verdict = err.splitlines()
    assert [problem.removeprefix(f"{XLAM}:").split(":")[0] for problem in problems] == ["14", "20", "20"]
    assert verdict == (
        "error: 2 of 4 rows refused and --max-bad is 0, so nothing was written; correct them, or leave them out "
        "by --max-bad 2"
    )
    assert data_files(project) == ["bell.jsonl"]


def test_json_says_all_of_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", XLAM, "--domain", "ports", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["read"], document["kept"], document["refused"], document["output"]) == (4, 2, 2, None)
    assert [problem["line"] for problem in document["problems"]] == [14, 20, 20]
    assert main(["data", "import", XLAM, "--domain", "ports", "--json", "--max-bad", "2"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["output"] == str(project / "data" / "ports.jsonl")
    assert document["tools"] == {"sum_of": 2, "tide_table": 1}


def test_only_some_rows_of_several_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = SAMPLES / "mobile_actions.jsonl"
    copy = project / "copy.jsonl"
    copy.write_text(sample.read_text().replace("Mail Bob", "Mail Eve"))
    assert main(["data", "import", str(sample), str(copy), "--output", "out.jsonl", "--only", "metadata=eval"]) == 0
    out, err = capsys.readouterr()
    assert "read     8 rows as mobile-actions, 6 passed over" in out
    assert err == ""
    assert len((project / "out.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([XLAM], "add --domain NAME or --output FILE"),
        ([XLAM, "--domain", "Ports"], '"Ports" cannot name a domain'),
        ([XLAM, "--output", "data/bell.jsonl"], "data/bell.jsonl is there already"),
        (["no.json", "--domain", "ports"], "no.json: cannot be read (No such file or directory)"),
        ([XLAM, "--domain", "ports", "--only", "split=none"], "none of 4 rows left"),
        (["cut.json", "--domain", "ports"], "cut.json:2: the file is cut off in the row that begins here"),
    ],
)
def test_what_cannot_be_imported_leaves_nothing_behind(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    (project / "cut.json").write_text(Path(XLAM).read_text()[:300])
    before = (project / "data" / "bell.jsonl").read_bytes()
    assert main(["data", "import", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert data_files(project) == ["bell.jsonl"]
    assert (project / "data" / "bell.jsonl").read_bytes() == before


def test_an_output_outside_the_project_must_be_copied(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = project.parent / f"{project.name}.jsonl"
    assert main(["data", "import", XLAM, "--domain", "bell", "--output", str(outside), "--max-bad", "2"]) == 0
    assert f"is outside the project; copy it into {project}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--max-bad", "-1"], ["--max-bad", "x"], ["--only", "metadata"], ["--format", "csv"], []]
)
def test_arguments_that_mean_nothing(project: Path, arguments: list[str]) -> None:
    files = [XLAM, "--domain", "ports"] if arguments else []
    with pytest.raises(SystemExit) as caught:
        main(["data", "import", *files, *arguments])
    assert caught.value.code == 2


def test_many_refusals_are_counted_by_reason(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused, kept = json.loads(Path(XLAM).read_text())[2], json.loads(Path(XLAM).read_text())[1]
    other = {**kept, "answers": '[{"name": "sum_off", "arguments": {}}]'}
    rows = [{**row, "id": index} for index, row in enumerate([kept, *[refused] * 8, *[other] * 5])]
    (project / "many.json").write_text(json.dumps(rows))
    assert main(["data", "import", "many.json", "--domain", "ports", "--max-bad", "13"]) == 0
    err = capsys.readouterr().err.splitlines()
    start = err.index("by reason:")
    assert start == 13
    assert err[start + 1] == "       8  FunctionGemma's template drops a parameter named …; rename it, e.g. …"
    assert err[start + 2].startswith("       5  no tool is named … (did you mean …?)")


def test_progress_is_shown_on_a_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("fgbuild.cli.data_import.time.monotonic", lambda: next(ticks))
    assert main(["data", "import", XLAM, "--output", "out.jsonl", "--max-bad", "2"]) == 0
    shown = capsys.readouterr().err.split("\r\033[K")
    assert any(line.endswith("rows · 0.0 s left") and "100 %" in line for line in shown)


def test_a_reason_has_no_place_and_nothing_quoted() -> None:
    message = "messages[1].tool_calls[0].arguments.n: '5' is not of type 'integer' (by the declaration of f)"
    assert _reason(message) == "… is not of type … (by the declaration of f)"
