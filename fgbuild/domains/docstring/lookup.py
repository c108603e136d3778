"""Requests that look one symbol up: its signature, or the docstring it has now."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.docstring import values
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, calls, maybe_answered, result, results, say

SIGNATURE = (
    "Show me the signature of {symbol}.",
    "What arguments does {symbol} take?",
    "signature {symbol}",
    "Could you tell me which parameters {symbol} accepts?",
    "I need to call {symbol}, what do I have to pass?",
    "Get the signature for {symbol}",
    "{symbol} params?",
    "Before I write the docs I want to know the parameters of {symbol}.",
    "Please look up how {symbol} is called.",
    "Which parameters does {symbol} have?",
    "Print {symbol}'s signature",
    "How is {symbol} declared?",
    "I forgot what {symbol} takes as input.",
    "arguments of {symbol}",
    "Can you show the parameter list of {symbol}, please?",
    "Give me the argument list and return type of {symbol}.",
    "What does {symbol} return, and what goes in?",
    "Hey, what's the signature of `{symbol}`?",
    "{symbol}: show its arguments",
    "Look up the arguments of {symbol}.",
    "Tell me the inputs of {symbol}",
    "Would you mind fetching the signature of {symbol}?",
    "Does {symbol} have any default arguments? Show me its signature.",
    "I'm reviewing {symbol} and need its parameters and return type.",
    "sig of {symbol}",
    "Display the definition line of {symbol}.",
    "What's the return type of {symbol}?",
    "My editor does not show the parameters of {symbol}, can you?",
    "Retrieve the call signature for {symbol}.",
    "I'd like to see what {symbol} expects as arguments.",
    "What do I pass to {symbol}?",
    "Look up {symbol} and list its parameters.",
    "show args of {symbol}",
    "I'd like to see the signature of {symbol}.",
    "Could you check what arguments {symbol} needs?",
    "Fetch the parameter names of {symbol}.",
    "Which types do the arguments of {symbol} have?",
    "I need the signature of {symbol} for a code review.",
    "How do I call {symbol}?",
    "Please give me the parameters of {symbol}.",
)

SIGNATURE_IN_FILE = (
    "Show me the signature of {symbol} in {path}.",
    "What arguments does {symbol} from {path} take?",
    "signature {symbol} {path}",
    "In {path}, which parameters does {symbol} accept?",
    "I need to call {symbol} from {path}, what do I have to pass?",
    "Get the signature for {symbol} in {path}",
    "{path}: {symbol} params?",
    "There are two versions of {symbol}; I want the parameters of the one in {path}.",
    "Please look up how {symbol} in {path} is called.",
    "Which parameters does {symbol} have in {path}?",
    "Open {path} and print {symbol}'s signature",
    "How is {symbol} declared in {path}?",
    "I forgot what {symbol} takes as input, it lives in {path}.",
    "arguments of {symbol} ({path})",
    "Can you show the parameter list of {symbol} defined in {path}, please?",
    "From {path}, give me the argument list and return type of {symbol}.",
    "What does {symbol} in {path} return, and what goes in?",
    "Hey, what's the signature of `{symbol}` inside `{path}`?",
    "{symbol} in {path}: show its arguments",
    "Look up the arguments of {symbol} in the file {path}.",
    "Tell me the inputs of {symbol}, file {path}",
    "Would you mind fetching the signature of {symbol} out of {path}?",
    "Does {symbol} in {path} have any default arguments? Show me its signature.",
    "I'm reviewing {path} and need the parameters and return type of {symbol}.",
    "sig of {symbol} in {path}",
    "What do I pass to {symbol} in {path}?",
    "Look up {symbol} in {path} and list its parameters.",
    "show args of {symbol} in {path}",
    "I'd like to see the signature of {symbol} in {path}.",
    "Could you check what arguments {symbol} in {path} needs?",
    "Fetch the parameter names of {symbol} in {path}.",
    "Which types do the arguments of {symbol} from {path} have?",
    "I need the signature of {symbol} out of {path} for a code review.",
    "How do I call {symbol} from {path}?",
    "In {path}, what are the parameters of {symbol}?",
)

READ = (
    "Show me the docstring of {symbol}.",
    "What does the docstring of {symbol} say?",
    "docstring {symbol}",
    "Could you read me the documentation of {symbol}?",
    "I want to see the docs that {symbol} has right now.",
    "Read the docstring of {symbol}",
    "Does {symbol} have a docstring?",
    "Please print {symbol}'s docstring.",
    "{symbol} docs?",
    "What is the current docstring for {symbol}?",
    "Get {symbol}'s docstring",
    "I wonder how {symbol} is documented.",
    "Display the existing documentation of `{symbol}`.",
    "How is {symbol} documented at the moment?",
    "Can you pull up the docstring of {symbol}, please?",
    "current docstring of {symbol}",
    "Let me see the doc text of {symbol}.",
    "Someone documented {symbol} last week, what did they write?",
    "Fetch the docstring for {symbol}.",
    "Is there already a docstring on {symbol}?",
    "Look at {symbol} and tell me what its docstring says.",
    "What's written in {symbol}'s docstring?",
    "I'd like to read the docstring of {symbol}",
    "{symbol}: show docstring",
    "Please show the documentation text for {symbol}.",
    "Would you open the docstring of {symbol} for me?",
    "Quote the docstring of {symbol}.",
    "Tell me what the docs of {symbol} say today.",
    "read docs of {symbol}",
    "Can I see what {symbol} has as its docstring?",
    "Is {symbol} documented already? Show me its docstring.",
    "Give me the docstring of {symbol}.",
    "show docs for {symbol}",
    "I need to read what is documented for {symbol}.",
    "What documentation does {symbol} have?",
    "Look up the docstring of {symbol}.",
    "Please read {symbol}'s docs to me.",
    "How does the docstring of {symbol} start?",
    "I want to know what its author wrote in the docstring of {symbol}.",
    "Print the documentation of {symbol}.",
)

READ_IN_FILE = (
    "Show me the docstring of {symbol} in {path}.",
    "What does the docstring of {symbol} in {path} say?",
    "docstring {symbol} {path}",
    "Could you read me the documentation of {symbol} from {path}?",
    "I want to see the docs that {symbol} in {path} has right now.",
    "In {path}, read the docstring of {symbol}",
    "Does {symbol} in {path} have a docstring?",
    "Please print {symbol}'s docstring, it is in {path}.",
    "{path}: {symbol} docs?",
    "What is the current docstring for {symbol} in {path}?",
    "Get {symbol}'s docstring out of {path}",
    "I wonder how {symbol} is documented in {path}.",
    "Display the existing documentation of `{symbol}` from `{path}`.",
    "How is {symbol} in the file {path} documented at the moment?",
    "Can you pull up the docstring of {symbol} in {path}, please?",
    "current docstring of {symbol} ({path})",
    "Open {path} and let me see the doc text of {symbol}.",
    "Someone documented {symbol} in {path} last week, what did they write?",
    "Fetch the docstring for {symbol}, file {path}.",
    "Is there already a docstring on {symbol} in {path}?",
    "Look at {symbol} in {path} and tell me what its docstring says.",
    "What's written in {symbol}'s docstring inside {path}?",
    "I'd like to read the docstring of {symbol} that lives in {path}",
    "{symbol} in {path}: show docstring",
    "From {path}, please show the documentation text for {symbol}.",
    "Is {symbol} in {path} documented already? Show me its docstring.",
    "Give me the docstring of {symbol} in {path}.",
    "show docs for {symbol} in {path}",
    "I need to read what is documented for {symbol} in {path}.",
    "What documentation does {symbol} in {path} have?",
    "Look up the docstring of {symbol} in {path}.",
    "Please read {symbol}'s docs from {path} to me.",
    "How does the docstring of {symbol} in {path} start?",
    "I want to know what its author wrote in the docstring of {symbol} in {path}.",
    "Print the documentation of {symbol} from {path}.",
)

TWO_SIGNATURES = (
    "Show me the signatures of {symbol} and {other}.",
    "What arguments do {symbol} and {other} take?",
    "signatures {symbol}, {other}",
    "Could you tell me which parameters {symbol} and {other} accept?",
    "I need the parameters of {symbol} and also of {other}.",
    "Get the signature for {symbol} and for {other}",
    "{symbol} and {other} params?",
    "Please look up how {symbol} and {other} are called.",
    "Compare the parameters of {symbol} with those of {other}.",
    "Which parameters do {symbol} and {other} have?",
    "Print the signatures of both {symbol} and {other}",
    "How are {symbol} and {other} declared?",
    "I forgot what {symbol} takes as input, and {other} too.",
    "arguments of {symbol} and {other}",
    "Can you show the parameter lists of {symbol} and {other}, please?",
    "Give me the argument lists of {symbol} and {other}.",
    "What do {symbol} and {other} return, and what goes in?",
    "Hey, what are the signatures of `{symbol}` and `{other}`?",
    "{symbol}, {other}: show their arguments",
    "Look up the arguments of {symbol} and those of {other}.",
    "I want to see two signatures: {symbol} and {other}.",
    "Would you mind fetching the signatures of {symbol} and {other}?",
    "Tell me the inputs of {symbol} as well as {other}",
    "I'm reviewing {symbol} and {other} and need their parameters.",
    "Show both signatures, {symbol} and {other}.",
)


def _signature(d: Draw, in_file: bool) -> Episode:
    symbol, path = d.pick(values.SYMBOLS), d.pick(values.FILES) if in_file else None
    slots = {"symbol": symbol, **({"path": path} if path else {})}
    signature = d.pick(values.SIGNATURES)
    return maybe_answered(
        d,
        slots,
        call("get_signature", symbol=symbol, path=path),
        result("get_signature", signature=signature),
        f"{symbol}{signature}",
    )


def _read(d: Draw, in_file: bool) -> Episode:
    symbol, path = d.pick(values.SYMBOLS), d.pick(values.FILES) if in_file else None
    slots = {"symbol": symbol, **({"path": path} if path else {})}
    text = "" if d.chance(0.2) else d.pick(values.SUMMARIES)
    return maybe_answered(
        d,
        slots,
        call("read_docstring", symbol=symbol, path=path),
        result("read_docstring", docstring=text),
        f"It says: {text}" if text else "It has no docstring.",
    )


def _two_signatures(d: Draw) -> Episode:
    names = d.sample(values.SYMBOLS, 2)
    found = d.sample(values.SIGNATURES, 2)
    turns = [calls(*(("get_signature", {"symbol": name}) for name in names))]
    if d.chance(0.5):
        turns.append(results(*(("get_signature", {"signature": signature}) for signature in found)))
        turns.append(say(f"{names[0]}{found[0]} and {names[1]}{found[1]}"))
    return Episode({"symbol": names[0], "other": names[1]}, turns)


SCENARIOS = (
    Scenario("signature", "single", partial(_signature, in_file=False), SIGNATURE),
    Scenario("signature_in_file", "single", partial(_signature, in_file=True), SIGNATURE_IN_FILE, weight=0.9),
    Scenario("read", "single", partial(_read, in_file=False), READ),
    Scenario("read_in_file", "single", partial(_read, in_file=True), READ_IN_FILE, weight=0.9),
    Scenario("two_signatures", "parallel", _two_signatures, TWO_SIGNATURES, weight=1.3),
)
