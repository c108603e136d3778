from __future__ import annotations

from pathlib import Path

import pytest
from manifest_sample import MANIFEST, PROJECT, make_project

from fgbuild.errors import ManifestError
from fgbuild.manifest import resolve_project
from fgbuild.manifest.messages import shown


def message(root: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        resolve_project(root)
    return str(caught.value)


@pytest.mark.parametrize("name", ["my-bell", "my.bell", "Bell"])
def test_advice_on_a_domains_name_names_what_it_may_hold(tmp_path: Path, name: str) -> None:
    said = message(make_project(tmp_path, MANIFEST.replace('"timers"', f'"{name}"', 1)))
    assert f'"{name}" does not fit; use lower-case letters, digits and _, a letter first' in said


def test_advice_on_a_bases_name_allows_more(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / "fgbuild.toml").write_text(f'{PROJECT}\n[base."Not Good"]\nkind = "tiny"\n', "utf-8")
    assert "use lower-case letters, digits, _, - and ., a letter first" in message(root)


def test_a_value_is_shown_as_toml_writes_it() -> None:
    assert shown('a "b"\n\x1b[2J') == r'"a \"b\"\n\u001b[2J"'
    assert shown("x" * 100) == '"' + "x" * 38 + "…"
    assert shown(True) == "true"
    assert shown(8.0) == "8.0"
