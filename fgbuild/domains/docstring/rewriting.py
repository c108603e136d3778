"""New docstrings in source code, of which everything else keeps its bytes."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

_Definition = cst.FunctionDef | cst.ClassDef


def with_docstrings(source: bytes, docstrings: Mapping[int, str]) -> bytes:
    """The source with these docstrings, by the number of their function or class in the order of the source."""
    module = cst.parse_module(source)
    return module.visit(_Rewriter(docstrings, module.default_indent, module.default_newline)).bytes


class _Rewriter(cst.CSTTransformer):
    def __init__(self, docstrings: Mapping[int, str], indent: str, newline: str) -> None:
        super().__init__()
        self._docstrings, self._indent, self._newline = docstrings, indent, newline
        self._count = 0
        self._around: list[int] = []
        self._margins = [""]

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._enter()

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._enter()

    def _enter(self) -> None:
        self._around.append(self._count)
        self._count += 1

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> None:
        self._margins.append(self._margins[-1] + (self._indent if node.indent is None else node.indent))

    def leave_IndentedBlock(self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock) -> cst.BaseSuite:
        self._margins.pop()
        return updated_node

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        return updated_node.with_changes(body=self._body(updated_node))

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        return updated_node.with_changes(body=self._body(updated_node))

    def _body(self, node: _Definition) -> cst.BaseSuite:
        text = self._docstrings.get(self._around.pop())
        if text is None:
            return node.body
        block = node.body if isinstance(node.body, cst.IndentedBlock) else _block(node.body)
        margin = self._margins[-1] + (self._indent if block.indent is None else block.indent)
        literal = cst.SimpleString(_literal(text, margin, self._newline))
        first, *rest = block.body
        old = _docstring(first)
        if old is not None:
            return block.with_changes(body=[first.with_deep_changes(old, value=literal), *rest])
        new = cst.SimpleStatementLine([cst.Expr(literal)])
        return block.with_changes(body=[new, _set_off(first) if isinstance(node, cst.ClassDef) else first, *rest])


def _block(suite: cst.BaseSuite) -> cst.IndentedBlock:
    """`def f(): return 1` in two lines."""
    assert isinstance(suite, cst.SimpleStatementSuite)
    return cst.IndentedBlock([cst.SimpleStatementLine(suite.body, trailing_whitespace=suite.trailing_whitespace)])


def _docstring(statement: cst.BaseStatement) -> cst.Expr | None:
    """The expression that is a docstring, if the statement starts with one."""
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Expr):
        return None
    value = statement.body[0].value
    is_text = isinstance(value, cst.SimpleString | cst.ConcatenatedString) and isinstance(value.evaluated_value, str)
    return statement.body[0] if is_text else None


def _set_off(statement: cst.BaseStatement) -> cst.BaseStatement:
    """A blank line between a class's docstring and what follows."""
    assert isinstance(statement, cst.SimpleStatementLine | cst.BaseCompoundStatement)
    lines = statement.leading_lines
    blank = bool(lines) and lines[0].comment is None
    return statement if blank else statement.with_changes(leading_lines=[cst.EmptyLine(indent=False), *lines])


def _literal(text: str, margin: str, newline: str) -> str:
    """A string literal in triple quotes; more than one line are indented by the margin."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    first, *rest = escaped.split("\n")
    if not rest:
        return f'"""{first[:-1]}\\""""' if first.endswith('"') else f'"""{first}"""'
    lines = [first, *(f"{margin}{line}" if line else "" for line in rest), margin]
    return f'"""{newline.join(lines)}"""'
