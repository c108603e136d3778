"""The chat template for models whose base brings none."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_GENERATION_TAGS = ("{%- generation -%}", "{%- endgeneration -%}")


@cache
def chat_template(generation_markers: bool = True) -> str:
    """Our Jinja template, which prints what `render_text` returns for the same messages and tools.

    generation_markers: keep `{% generation %}` around supervised text, which transformers and TRL
    read. They are no tags of Jinja itself: a GGUF carries the template without them.

    llama.cpp's own Jinja engine prints the same text but for three things: its `dictsort` puts
    capitals before small letters, it writes floats of 16 digits and more without an exponent,
    and its `trim` leaves whitespace outside ASCII.
    """
    text = Path(__file__).with_name("chat_template.jinja").read_text("utf-8")
    if generation_markers:
        return text
    # Each tag has a line to itself and its neighbours trim their whitespace: the line can go.
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.strip() not in _GENERATION_TAGS)
