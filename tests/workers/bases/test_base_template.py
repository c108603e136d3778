from __future__ import annotations

import pytest

from fgbuild.errors import BaseModelError
from fgbuild.functiongemma import render_text, template
from fgbuild.workers.bases.template import CONVERSATIONS, TOOLS, check, without_generation

OURS = template.chat_template(generation_markers=False)


def test_our_own_template_agrees() -> None:
    check(OURS, "x")


def test_the_conversations_hold_every_kind_of_value_and_turn() -> None:
    text = "".join(render_text(messages, TOOLS, add_generation_prompt=opened) for messages, opened in CONVERSATIONS)
    for kind in ("STRING", "INTEGER", "NUMBER", "BOOLEAN", "ARRAY", "OBJECT"):
        assert f"type:<escape>{kind}<escape>" in text
    assert text.count("<start_function_declaration>") >= 3 * len(CONVERSATIONS)
    for piece in (
        ",enum:[",
        ",items:{",
        "days:2",
        "exact:true",
        "near:{",
        "tags:[<escape>",
        "<end_function_call><start_function_call>",
        "<end_function_response><start_function_call>",
        "<end_function_response><start_function_response>",
        "<end_function_response>It is",
    ):
        assert piece in text, piece


def test_a_template_that_relies_on_the_developer_message_agrees() -> None:
    default = "{%- elif tools -%}\n    {%- set developer = sentence -%}\n"
    assert default in OURS
    check(OURS.replace(default, ""), "x")


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
        (("{{- ',' if not loop.first else '' -}}\n            {{- format_value(item) -}}", "{{- item -}}"), "prints "),
        (("{{- format_call(call['function']", "{{- '\\n' -}}{{- format_call(call['function']"), "prints "),
        (("state.last != 'tool'", "true"), "prints "),
    ],
)
def test_the_first_difference_is_named(change: tuple[str, str], words: str) -> None:
    assert change[0] in OURS
    with pytest.raises(BaseModelError, match=words) as caught:
        check(OURS.replace(*change), "model/chat_template.jinja")
    assert str(caught.value).startswith("model/chat_template.jinja: its chat template prints ")


@pytest.mark.parametrize("text", ["{{ messages[", "{{ raise_exception('no tools') }}", "{{ 1 + 'a' }}", "{{ 1 // 0 }}"])
def test_a_template_that_fails_is_a_clear_error(text: str) -> None:
    with pytest.raises(BaseModelError, match="x: its chat template fails"):
        check(text, "x")
