from __future__ import annotations

import pytest

from fgbuild.errors import BaseModelError
from fgbuild.functiongemma import template
from fgbuild.workers.bases.template import check, without_generation

OURS = template.chat_template(generation_markers=False)


def test_our_own_template_agrees() -> None:
    check(OURS, "x")


def test_generation_tags_are_read_over() -> None:
    marked = template.chat_template(generation_markers=True)
    assert "{%- generation -%}" in marked
    check(marked, "x")
    plain = without_generation(marked + "a {%generation%} b")
    assert "{%- generation" not in plain
    assert plain.endswith("a {# generation #} b")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("<start_of_turn>user\\n", "<start_of_turn>human\\n"), r"prints 'human.*' after '.*<start_of_turn>'"),
        (("| upper", "| lower"), "prints 'integer"),
        (("'true' if value else 'false'", "'True' if value else 'False'"), "'True"),
    ],
)
def test_the_first_difference_is_named(change: tuple[str, str], words: str) -> None:
    assert change[0] in OURS
    with pytest.raises(BaseModelError, match=words) as caught:
        check(OURS.replace(*change), "model/chat_template.jinja")
    assert str(caught.value).startswith("model/chat_template.jinja: its chat template prints ")


@pytest.mark.parametrize("text", ["{{ messages[", "{{ raise_exception('no tools') }}", "{{ 1 + 'a' }}"])
def test_a_template_that_fails_is_a_clear_error(text: str) -> None:
    with pytest.raises(BaseModelError, match="x: the chat template fails"):
        check(text, "x")
