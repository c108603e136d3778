"""The report in a real browser: Chromium, headless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from test_views_report import Earlier, Files, hostile, page, report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path (Debian: apt-get install chromium)"),
]

LONG = "a_tool_with_a_name_that_is_longer_than_any_that_we_have_seen_so_far"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module", params=["whole", "hostile"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "hostile":
        text = page(*hostile())
    else:
        tools = {f"{LONG}_{number}": 9 - number for number in range(9)}
        split = {"rows": 9, "tools": tools, "characters": {"step": 100, "histogram": {"100": 3, "400": 6}}}
        metrics = "\n".join(json.dumps({"step": step, "loss": 2.0 / step}) for step in range(1, 40)).encode()
        files = {
            ("lint:eval", "report.json"): report(confusion={tool: {tool: 3, f"{LONG}_0": 1} for tool in tools}),
            ("lint:generate", "stats.json"): {"train": split, "eval": split},
        }
        text = page(made=Files(files, Earlier("20261101-000000-0001", True, metrics)))
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_fits_and_says_nothing_to_the_console(browser: Browser, written: Path, width: int, dark: bool) -> None:
    browser.complaints.clear()
    browser.open(written, width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(
        "[...document.querySelectorAll('.panel')].every(e => e.getBoundingClientRect().width > 150)"
    )
    assert _contrast(browser) > 7
    assert browser.complaints == []


def _contrast(browser: Browser) -> float:
    """Of the text and the ground, as WCAG 2 defines it."""
    colours = (
        "['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name].match(/\\d+/g).map(Number))"
    )
    light, dark = sorted((_luminance(colour) for colour in browser.evaluate(colours)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: list[int]) -> float:
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_pointer_is_told_the_values(browser: Browser, written: Path) -> None:
    browser.open(written, width=1400)
    browser.evaluate("document.querySelector('.plot').scrollIntoView({block: 'center', behavior: 'instant'})")
    box = browser.evaluate("JSON.parse(JSON.stringify(document.querySelector('.plot').getBoundingClientRect()))")
    x, y = box["x"] + box["width"] - 2, box["y"] + box["height"] / 2
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert "loss" in browser.evaluate("document.querySelector('.chart output').textContent")


def test_it_can_be_read_without_scripts(browser: Browser, written: Path) -> None:
    browser.open(written, width=1400, scripts=False)
    drawn = "[...document.querySelectorAll('.plot path')].every(e => e.getBoundingClientRect().width > 40)"
    assert browser.evaluate(drawn)
    assert browser.evaluate("document.querySelectorAll('.plot path').length") >= 2
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_the_browser_notices_what_a_page_complains_of(browser: Browser, tmp_path: Path) -> None:
    """Else the first test could not fail."""
    path = tmp_path / "bad.html"
    path.write_text("<body style='width:900px;margin:0'><script>undefined_function()</script>")
    browser.complaints.clear()
    browser.open(path, width=400)
    assert browser.evaluate("document.documentElement.scrollWidth") == 900
    assert "undefined_function" in "".join(browser.complaints)
