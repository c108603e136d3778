from __future__ import annotations

import json
from pathlib import Path

import pytest

from fgbuild.cli import data_stats, main


@pytest.fixture
def built(project: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    main(["build", "bell", "--until", "generate"])
    capsys.readouterr()
    return project


def test_stats_show_the_card_and_where_its_page_is(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "stats", "bell"]) == 0
    out = capsys.readouterr().out
    assert "bell: 12 rows" in out
    assert "scenario  train  eval" in out
    assert main(["data", "stats", "bell", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["train"]["rows"] + card["eval"]["rows"] == 12
    assert card["tokens"] is None
    assert (built / card["page"]).read_text("utf-8").startswith("<!doctype html>")
    assert card["page"] in out


def test_lengths_in_tokens_are_those_of_the_tokenized_rows(
    built: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tokenized = tmp_path / "tokenized"
    tokenized.mkdir()
    for split, lengths in (("train", (3, 9, 5)), ("eval", (4,))):
        lines = [json.dumps({"input_ids": [1] * length}) + "\n" for length in lengths]
        (tokenized / f"{split}.jsonl").write_text("".join(lines), "utf-8")
    found = data_stats.current_artifact
    monkeypatch.setattr(
        data_stats, "current_artifact", lambda *asked: tokenized if asked[1] == "bell:tokenize" else found(*asked)
    )
    assert main(["data", "stats", "bell", "--json"]) == 0
    tokens = json.loads(capsys.readouterr().out)["tokens"]
    assert tokens == {"train": {"min": 3, "median": 5, "max": 9}, "eval": {"min": 4, "median": 4, "max": 4}}
    assert main(["data", "stats", "bell"]) == 0
    assert "3 … 5 … 9" in capsys.readouterr().out


def test_a_data_set_that_is_not_there_is_an_error_with_a_next_step(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "stats", "bell"]) == 2
    assert "run `fgbuild build bell --until generate`" in capsys.readouterr().err
    assert main(["data", "stats", "ball"]) == 2
    assert "there is no domain 'ball'; choose from bell" in capsys.readouterr().err
