"""xLAM / APIGen (`Salesforce/xlam-function-calling-60k` and what copies its shape).

A row has `query`, `tools` and `answers`, the last two as JSON text: a map of parameters or a JSON
Schema in each tool, and `[{"name": …, "arguments": {…}}, …]`. All calls of a row are made at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbuild.domains.importing.draft import Draft, Refused, calling, list_of, text_of


def read(row: Mapping[str, Any]) -> Draft:
    answers = list_of(row, "answers")
    if not answers:
        raise Refused("answers is empty, so there is nothing to learn")
    for index, answer in enumerate(answers):
        if not isinstance(answer, Mapping):
            raise Refused(f'answers[{index}] must be {{"name": …, "arguments": {{…}}}}')
    calls = [(answer.get("name"), answer.get("arguments", {})) for answer in answers]
    return Draft(list_of(row, "tools"), [{"role": "user", "content": text_of(row, "query")}, calling(calls)])
