from __future__ import annotations

from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.views.tui import crash


def test_an_error_that_a_user_can_act_on_is_said_as_it_is(tmp_path: Path) -> None:
    assert crash.told(tmp_path, FgbuildError("lint has no GGUF; build it")) == "error: lint has no GGUF; build it"
    assert not crash.crash_path(tmp_path).exists()


def test_where_no_traceback_can_be_kept_the_sentence_is_said_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert crash.told(tmp_path, KeyError("train")) == (
        "error: the dashboard failed unexpectedly (KeyError: 'train'); `fgbuild` opens it again"
    )
