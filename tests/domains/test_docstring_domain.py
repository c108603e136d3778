"""The docstring domain: its scenarios agree with its manifest and with each other."""

from __future__ import annotations

from typing import ClassVar

from domain_contract import DomainContract

from fgbuild.domains.docstring.values import STYLES


class TestDocstringDomain(DomainContract):
    domain = "docstring"
    missing: ClassVar = {"file_missing": "path", "symbol_missing": "symbol", "style_missing": "style"}
    pools: ClassVar = {"PATHS": 200, "FILES": 200, "SYMBOLS": 200}
    any_case = frozenset(STYLES)
