"""Requests to write one symbol's docstring: with and without a file, with and without a style."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.turns import style_slots, written
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, maybe_answered

WRITE = (
    "Write a docstring for {symbol}.",
    "Can you document {symbol}?",
    "document {symbol}",
    "Please add a docstring to {symbol}.",
    "{symbol} has no docs yet, write some.",
    "Add documentation to {symbol}",
    "Could you write the docs for {symbol}, please?",
    "docstring for {symbol} please, it is missing",
    "I need {symbol} documented.",
    "Create a docstring for {symbol}.",
    "Give {symbol} a docstring",
    "Would you put a docstring on {symbol}?",
    "The reviewer asked me to document {symbol}, do it for me.",
    "{symbol}: write docstring",
    "Go ahead and document `{symbol}`.",
    "Replace the docstring of {symbol} with a new one.",
    "Can {symbol} get a docstring?",
    "I'd like you to write documentation for {symbol}.",
    "add docstring {symbol}",
    "Please document {symbol} for me.",
    "Draft a docstring for {symbol}",
    "Nobody documented {symbol}, please write a docstring.",
    "Fill in the missing docstring of {symbol}.",
    "Could you generate a docstring for {symbol}?",
    "{symbol} needs a docstring.",
    "Insert a docstring into {symbol}.",
    "write docs for {symbol}",
    "Make a new docstring for {symbol}, please.",
    "I just finished {symbol}; add its docstring.",
    "Generate documentation for {symbol}.",
    "Document the code of {symbol}.",
    "{symbol} is not documented, please add a docstring.",
    "new docstring for {symbol}",
    "Could you add a docstring to {symbol}?",
    "I want a docstring on {symbol}.",
    "Put some documentation on {symbol}.",
    "Can you write what {symbol} does in a docstring?",
    "Time to document {symbol}.",
    "{symbol} needs docs, please write them.",
    "Please create documentation for {symbol}.",
)

WRITE_IN_FILE = (
    "Write a docstring for {symbol} in {path}.",
    "Can you document {symbol} from {path}?",
    "document {symbol} {path}",
    "In {path}, please add a docstring to {symbol}.",
    "{symbol} in {path} has no docs yet, write some.",
    "Add documentation to {symbol} in {path}",
    "Could you write the docs for {symbol} in the file {path}, please?",
    "docstring for {symbol} in {path} please, it is missing",
    "I need {symbol} documented, it is in {path}.",
    "Create a docstring for {symbol} in {path}.",
    "Open {path} and give {symbol} a docstring",
    "Would you put a docstring on {symbol} inside {path}?",
    "The reviewer of {path} asked me to document {symbol}, do it for me.",
    "{path}: write docstring for {symbol}",
    "Go ahead and document `{symbol}` in `{path}`.",
    "Replace the docstring of {symbol} in {path} with a new one.",
    "Can {symbol} in {path} get a docstring?",
    "I'd like you to write documentation for {symbol}, which lives in {path}.",
    "add docstring {symbol} ({path})",
    "Please document {symbol} in {path} for me.",
    "Draft a docstring for {symbol}, file {path}",
    "Nobody documented {symbol} in {path}, please write a docstring.",
    "Fill in the missing docstring of {symbol} in {path}.",
    "Could you generate a docstring for {symbol} out of {path}?",
    "{symbol} from {path} needs a docstring.",
    "Document the code of {symbol} in {path}.",
    "{symbol} in {path} is not documented, please add a docstring.",
    "new docstring for {symbol} in {path}",
    "Could you add a docstring to {symbol} in {path}?",
    "I want a docstring on {symbol} in {path}.",
)

WRITE_STYLED = (
    "Write a {style} docstring for {symbol}.",
    "Can you document {symbol} in {Style} style?",
    "document {symbol} {style}",
    "Please add a {Style} style docstring to {symbol}.",
    "{symbol} has no docs yet, write some in {style} style.",
    "Using {style} style, add documentation to {symbol}",
    "Could you write {Style} docs for {symbol}, please?",
    "{style} docstring for {symbol} please, it is missing",
    "I need {symbol} documented the {Style} way.",
    "Create a docstring in {style} style for {symbol}.",
    "Give {symbol} a {Style} docstring",
    "Would you put a {style}-style docstring on {symbol}?",
    "We use {style} docstrings here; document {symbol} for me.",
    "{symbol}: write {style} docstring",
    "Go ahead and document `{symbol}` in {style} format.",
    "Replace the docstring of {symbol} with a new {style} one.",
    "Can {symbol} get a docstring in {Style} format?",
    "I'd like you to write {style} style documentation for {symbol}.",
    "add docstring {symbol}, style {style}",
    "Please document {symbol} for me, {style} style.",
    "Draft a docstring for {symbol} following the {Style} convention",
    "Nobody documented {symbol}, please write a {style} docstring.",
    "Fill in the missing docstring of {symbol} with {Style} style.",
    "Could you generate a {style} docstring for {symbol}?",
    "{symbol} needs a {Style} docstring.",
    "Insert a {style} docstring into {symbol}.",
    "In {Style} style, write docs for {symbol}",
    "Make a new docstring for {symbol}, style should be {style}, please.",
    "I just finished {symbol}; add its docstring in {style} style.",
    "Generate {style} documentation for {symbol}.",
    "Document the code of {symbol} in {style} style.",
    "{symbol} is not documented, please add a {style} docstring.",
    "new {style} docstring for {symbol}",
    "Could you add a {style} docstring to {symbol}?",
    "I want a {style} docstring on {symbol}.",
    "Put some {Style} documentation on {symbol}.",
    "Can you write what {symbol} does in a {style} docstring?",
    "Time to document {symbol}, in {Style} style of course.",
    "{symbol} needs {style} docs, please write them.",
    "Please create {style} style documentation for {symbol}.",
)

WRITE_STYLED_IN_FILE = (
    "Write a {style} docstring for {symbol} in {path}.",
    "Can you document {symbol} from {path} in {Style} style?",
    "document {symbol} {path} {style}",
    "In {path}, please add a {Style} style docstring to {symbol}.",
    "{symbol} in {path} has no docs yet, write some in {style} style.",
    "Using {style} style, add documentation to {symbol} in {path}",
    "Could you write {Style} docs for {symbol} in the file {path}, please?",
    "{style} docstring for {symbol} in {path} please, it is missing",
    "I need {symbol} from {path} documented the {Style} way.",
    "Create a docstring in {style} style for {symbol} in {path}.",
    "Open {path} and give {symbol} a {Style} docstring",
    "Would you put a {style}-style docstring on {symbol} inside {path}?",
    "We use {style} docstrings in {path}; document {symbol} for me.",
    "{path}: write {style} docstring for {symbol}",
    "Go ahead and document `{symbol}` in `{path}`, {style} format.",
    "Replace the docstring of {symbol} in {path} with a new {style} one.",
    "Can {symbol} in {path} get a docstring in {Style} format?",
    "I'd like you to write {style} style documentation for {symbol}, which lives in {path}.",
    "add docstring {symbol} ({path}), style {style}",
    "Please document {symbol} in {path} for me, {style} style.",
    "Draft a docstring for {symbol}, file {path}, following the {Style} convention",
    "Nobody documented {symbol} in {path}, please write a {style} docstring.",
    "Fill in the missing docstring of {symbol} in {path} with {Style} style.",
    "Could you generate a {style} docstring for {symbol} out of {path}?",
    "{symbol} from {path} needs a {Style} docstring.",
    "Document the code of {symbol} in {path} in {style} style.",
    "{symbol} in {path} is not documented, please add a {style} docstring.",
    "new {style} docstring for {symbol} in {path}",
    "Could you add a {style} docstring to {symbol} in {path}?",
    "I want a {style} docstring on {symbol} in {path}.",
)


def _write(d: Draw, in_file: bool, styled: bool) -> Episode:
    symbol = d.pick(values.SYMBOLS)
    path = d.pick(values.FILES) if in_file else None
    style = d.choice(values.STYLES) if styled else None
    slots = {"symbol": symbol}
    if path:
        slots["path"] = path
    if style:
        slots.update(style_slots(style))
    return maybe_answered(
        d,
        slots,
        call("write_docstring", symbol=symbol, path=path, style=style),
        written(symbol),
        f"Documented {symbol}.",
    )


SCENARIOS = (
    Scenario("write", "single", partial(_write, in_file=False, styled=False), WRITE),
    Scenario("write_in_file", "single", partial(_write, in_file=True, styled=False), WRITE_IN_FILE, weight=0.9),
    Scenario("write_styled", "single", partial(_write, in_file=False, styled=True), WRITE_STYLED),
    Scenario(
        "write_styled_in_file", "single", partial(_write, in_file=True, styled=True), WRITE_STYLED_IN_FILE, weight=0.9
    ),
)
