from __future__ import annotations

import pytest

from fgbuild.views.tui.desk import Variant, variant_of


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("fgbuild build --all", Variant()),  # then fgbuild.toml decides, also after an edit
        ("fgbuild build lint --base tiny --headless", Variant("tiny")),
        ("fgbuild build --base=tiny --profile quick", Variant("tiny", "quick")),
        ("fgbuild build --base", Variant()),
        ("fgbuild build 'unclosed --base tiny", Variant()),
        ("", Variant()),
    ],
)
def test_what_a_command_chose(command: str, expected: Variant) -> None:
    assert variant_of(command) == expected
