"""Prompts by a model's own chat template, as transformers' `apply_chat_template` prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any


def render_template(
    source: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    *,
    add_generation_prompt: bool = False,
) -> str:
    """One conversation by a chat template, in a sandbox with the settings and names of transformers 5.

    tools: bare; the template gets them in the OpenAI wrapper. Tags that only transformers has
    (`{% generation %}`) are not known here. Raises whatever the template does wrong, as jinja2's
    or Python's exceptions: a template is a program from somebody else's file.
    """
    text: str = _compiled(source).render(
        messages=messages,
        tools=[{"type": "function", "function": tool} for tool in tools],
        add_generation_prompt=add_generation_prompt,
        bos_token="<bos>",
        eos_token="<eos>",
    )
    return text


@lru_cache(maxsize=4)
def _compiled(source: str) -> Any:
    """The template ready to render; many conversations go through the same one."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment.from_string(source)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Jinja's own filter would escape HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise_exception(message: str) -> None:
    from jinja2 import TemplateError

    raise TemplateError(message)


def _strftime_now(pattern: str) -> str:
    return datetime.now().strftime(pattern)
