"""Requests without a call: an argument is missing (one short question), or no tool fits."""

from __future__ import annotations

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.turns import NO_TOOL, WHICH_FILE, WHICH_STYLE, WHICH_SYMBOL, style_slots
from fgbuild.domains.scenario import Draw, Episode, Scenario, say

FILE_MISSING = (
    "List everything that has no docstring.",
    "Which functions are undocumented?",
    "undocumented functions",
    "Could you check the docstrings for me?",
    "Convert my docstrings to {style} style.",
    "Find functions without docstrings",
    "Are my docstrings up to date?",
    "Please check the docstrings.",
    "I want my docstrings in {Style} style.",
    "What still lacks documentation?",
    "Check the docstrings in my file.",
    "Can you find wrong docstrings?",
    "convert docstrings {style}",
    "There is a module full of undocumented functions, list them please.",
    "Show me what is undocumented in this file.",
    "Rewrite the docstrings in that file in {style} format.",
    "Is anything undocumented?",
    "stale docstrings",
    "I refactored a module, can you see whether the docstrings are still right?",
    "Verify that the docstrings match the code.",
    "Search for missing docstrings.",
    "Would you switch the docstrings to {Style}, please?",
    "check docstrings",
    "We want full coverage; tell me what has no docstring.",
    "Convert all the docstrings of one of my modules to {style} style.",
    "Document everything that has no docstring yet.",
    "Do any docstrings have errors?",
    "missing docstrings",
    "I'd like a list of undocumented classes.",
    "Which docstrings are out of date?",
    "Look for outdated docstrings in the module I sent you.",
    "How many functions have no docstring?",
    "Change the docstring style to {style}.",
    "Please list the undocumented symbols of my package.",
    "Can you report incorrect docstrings in my code?",
)

SYMBOL_MISSING = (
    "Show me the signature.",
    "What arguments does it take?",
    "write docstring",
    "Could you document a function for me?",
    "I need a docstring written in {style} style.",
    "Read the docstring of that function.",
    "Can you tell me the parameters of my function?",
    "Please add a docstring.",
    "There is a class without docs, please write a docstring for it.",
    "Write a {style} docstring.",
    "What does the docstring say?",
    "signature please",
    "Show me the docstring of the method we talked about.",
    "Which parameters does this function accept?",
    "Document it for me, please.",
    "Look up the arguments of one of my functions.",
    "Would you write a docstring in {Style} format?",
    "One of my functions in {path} needs a docstring.",
    "Get the return type of the function.",
    "Show me the signature of a function in {path}.",
    "add a docstring",
    "Does this class have a docstring?",
    "I forgot the parameters of a function, can you look?",
    "Print a docstring from {path}.",
    "Please write a docstring for a method in {path}.",
    "Give the function a {Style} docstring.",
    "How is it declared?",
    "read docstring",
    "I want to know what a function in {path} takes as input.",
    "Can you generate a docstring for my class?",
)

STYLE_MISSING = (
    "Convert the docstrings in {path} to another style.",
    "Can you change the docstring style of {path}?",
    "convert docstrings {path}",
    "Could you rewrite the docstrings in {path} in a different format, please?",
    "I don't like the docstring style of {path}, convert it.",
    "Switch {path} to another docstring style",
    "Would you convert the docstrings in {path}?",
    "Please migrate the docstrings of {path} to our new style.",
    "{path}: change the docstring style",
    "Reformat every docstring in {path} to the other convention.",
    "Convert {path}'s docstrings.",
    "Can the docstrings in {path} be converted to a new format?",
    "Our team chose a new docstring style, please convert {path}.",
    "new docstring style for {path}",
    "Please change the style of the docstrings in {path}.",
    "Use a different style for all existing docstrings in {path}.",
    "How about rewriting the docstrings of {path} in a nicer style?",
    "The docstrings in {path} are in the wrong style, fix that.",
    "Translate the docstring format of {path} into a different one.",
    "I'd like the docstrings in {path} converted.",
    "In {path}, convert all docstrings to the right style.",
    "Restyle the docstrings of {path}",
    "Can you move {path} over to another docstring convention?",
    "Transform the existing docstrings in {path} into another format.",
    "Rewrite the docstrings in {path} using another style.",
)

UNRELATED = (
    "What's the weather in Berlin today?",
    "Write a poem about autumn.",
    "book me a table for two tonight",
    "Could you send an email to my manager?",
    "Who won the football match yesterday?",
    "Tell me a joke.",
    "What time is it in Tokyo?",
    "translate good morning into French",
    "I would like a recipe for pancakes.",
    "How tall is Mount Everest?",
    "Set an alarm for seven.",
    "Please order a pizza.",
    "Will it rain tomorrow?",
    "Plan a weekend in Rome for me.",
    "Play some jazz music.",
    "What is 15 percent of 240?",
    "remind me to call Anna at noon",
    "Can you recommend a good film?",
    "Who wrote Don Quixote?",
    "Add a meeting to my calendar for Friday.",
    "Find a cheap flight to Lisbon.",
    "Is the stock market up today?",
    "My back hurts, what should I do?",
    "capital of Australia",
    "Write a birthday card for my sister.",
    "Turn off the kitchen lights.",
    "How do I get to the train station?",
    "Post a message to the team channel.",
    "Give me the news of today.",
    "Sing me a song.",
    "Draw a picture of a cat.",
    "How many euros are 50 dollars?",
    "Which laptop should I buy?",
    "call my mother",
    "What should I cook for dinner?",
    "Write a short story about a dragon.",
    "Could you book a hotel in Vienna?",
    "When does the supermarket close?",
    "Explain photosynthesis to me.",
    "Send a text message to Tom.",
    "Summarize this newspaper article for me.",
    "Hello, how are you?",
    "Who is the president of France?",
    "Write a cover letter for my job application.",
    "What's the temperature outside?",
)

OTHER_CODING_WORK = (
    "Run the tests in {path}.",
    "Can you deploy the app to production?",
    "git commit and push",
    "Rename {symbol} to something shorter, please.",
    "Fix the bug in {symbol}.",
    "Format {path} with black.",
    "How many lines does {path} have?",
    "Delete the docstring of {symbol}.",
    "Add type hints to {symbol}.",
    "Find unused imports in {path}.",
    "Please delete {path}.",
    "Translate the docstring of {symbol} into German.",
    "Build the HTML documentation site.",
    "I want {symbol} to run faster, optimize it.",
    "Create a pull request for my branch.",
    "Start the web server on port 8080.",
    "Who last changed {path}?",
    "Write a unit test for {symbol}.",
    "install numpy",
    "Lint {path} for me.",
    "Remove all docstrings from {path}.",
    "What is a docstring good for?",
    "Show me the source code of {symbol}.",
    "Move {symbol} into {path}.",
    "Could you refactor {symbol} into smaller functions?",
    "Where is {symbol} called from?",
    "Sort the imports in {path}.",
    "Publish the package to PyPI.",
    "Translate the docstrings in {path} into Spanish.",
    "Is {symbol} covered by tests?",
    "open {path} in my editor",
    "Convert {path} to TypeScript.",
    "Write a README for the project.",
    "Run {path} with Python 3.12.",
    "Remove the comments from {path}.",
    "Write a function that sorts a list.",
    "Merge the feature branch into main.",
    "How long does {symbol} take to run?",
    "Why does {symbol} raise a KeyError?",
    "Rename {path} to something clearer.",
    "Set a breakpoint in {symbol}.",
    "Create a Dockerfile for this service.",
    "spell check the comments in {path}",
    "Generate a changelog from the last commits.",
    "Upload {path} to the server.",
    "Add logging to {symbol}.",
    "Which version of Python do we use?",
    "Make {path} executable.",
    "Undo my last commit.",
    "Please remove {symbol}'s docstring.",
    "Query the database for all users.",
    "Can you copy {path} to a backup folder?",
    "Print the file {path}.",
    "Debug {symbol} for me.",
    "Add an entry for {symbol} to the changelog.",
)


def _slots(d: Draw) -> dict[str, str]:
    """Values for phrasings that name something although no call follows."""
    style = d.choice(values.STYLES)
    return {"path": d.pick(values.FILES), "symbol": d.pick(values.SYMBOLS), **style_slots(style)}


def _file_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(WHICH_FILE)])


def _symbol_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(WHICH_SYMBOL)])


def _style_missing(d: Draw) -> Episode:
    return Episode({**_slots(d), "path": d.pick(values.PATHS)}, [say(WHICH_STYLE)])


def _no_tool(d: Draw) -> Episode:
    return Episode(_slots(d), [say(NO_TOOL)])


SCENARIOS = (
    Scenario("file_missing", "clarify", _file_missing, FILE_MISSING, weight=2.1),
    Scenario("symbol_missing", "clarify", _symbol_missing, SYMBOL_MISSING, weight=2.0),
    Scenario("style_missing", "clarify", _style_missing, STYLE_MISSING, weight=1.5),
    Scenario("unrelated", "decline", _no_tool, UNRELATED, weight=1.8),
    Scenario("other_coding_work", "decline", _no_tool, OTHER_CODING_WORK, weight=2.3),
)
