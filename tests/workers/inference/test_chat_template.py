"""Templates must print here what transformers makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from transformers.utils.chat_template_utils import render_jinja_template

from fgbuild.workers.inference.chat_template import render_template

MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "<é> & 'x'"}, {"role": "assistant", "content": "Hi"}]
TOOLS: list[dict[str, Any]] = [{"name": "t", "description": "<D>"}]


@pytest.mark.parametrize(
    "source",
    [
        "{{ bos_token }}{{ tools | tojson }}{{ messages[0].content }}{{ add_generation_prompt }}{{ eos_token }}",
        "{{ tools[0] | tojson(indent=2, sort_keys=true) }}{{ messages | tojson(separators=(',', ':')) }}",
        "{{ messages | tojson(ensure_ascii=true) }}",
        "{% for m in messages %}{{ m.content }}{% break %}{% endfor %}",
        "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.content }}{% endfor %}",
        "  {% if tools %}\n    {% set x = 1 %}\n  a\n  {% endif %}\n{# note #}\nb\n",
        "{{ strftime_now('%Y') | length }}",
    ],
)
@pytest.mark.parametrize("prompt", [True, False])
def test_the_text_is_that_of_transformers(source: str, prompt: bool) -> None:
    (expected,), _ = render_jinja_template(
        [MESSAGES],
        tools=[{"type": "function", "function": tool} for tool in TOOLS],
        chat_template=source,
        add_generation_prompt=prompt,
        bos_token="<bos>",
        eos_token="<eos>",
    )
    assert render_template(source, MESSAGES, TOOLS, add_generation_prompt=prompt) == expected


def test_a_template_may_refuse() -> None:
    with pytest.raises(TemplateError, match="no tools, please"):
        render_template("{{ raise_exception('no tools, please') }}", MESSAGES, TOOLS)


@pytest.mark.parametrize("source", ["{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}"])
def test_a_template_gets_nothing_but_its_variables(source: str) -> None:
    with pytest.raises(SecurityError):
        render_template(source, MESSAGES, TOOLS)
