"""The pages in a real browser: no error, no request, no missing letter, nothing wider than a telephone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .pages import PAGES

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# A letter is missing where it looks as one that no font has: U+0378 belongs to no script.
MISSING = """
() => {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", {willReadFrequently: true});
  canvas.width = canvas.height = 48;
  const drawn = (letter, font) => {
    context.clearRect(0, 0, 48, 48);
    context.font = font;
    context.fillText(letter, 4, 36);
    return context.getImageData(0, 0, 48, 48).data.join();
  };
  const tofu = new Map(), seen = new Set(), missing = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const style = getComputedStyle(walker.currentNode.parentElement);
    const font = `${style.fontStyle} ${style.fontWeight} 28px ${style.fontFamily}`;
    for (const letter of walker.currentNode.data) {
      if (/[\\s\\u2061\\u2062]/.test(letter) || seen.has(letter + font)) continue;
      seen.add(letter + font);
      if (!tofu.has(font)) tofu.set(font, drawn("\\u0378", font));
      if (drawn(letter, font) === tofu.get(font)) missing.push(letter);
    }
  }
  return missing;
}
"""
# What sticks out to the right, but for what scrolls by itself.
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LEGIBLE = """
() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = getComputedStyle(document.body);
  const worst = [ground, ...[...document.querySelectorAll("p, dt, dd, .badge, code")].map(
    (e) => getComputedStyle(e))].map((style) => {
      const back = style.backgroundColor;
      const pair = [luminance(style.color),
                    luminance(back === "rgba(0, 0, 0, 0)" ? ground.backgroundColor : back)];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    });
  return Math.min(...worst);
}
"""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    named = os.environ.get("GEOFLOW_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    with playwright.sync_playwright() as driver:
        path = named or driver.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("no browser is found: neither chromium nor playwright's own")
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module", params=PAGES)
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    path.write_text(PAGES[request.param](), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1200])
def test_page_in_a_browser(browser, file: Path, scheme: str, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
    )
    page, complaints, requests = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate(WIDE) <= 0
    assert page.evaluate(MISSING) == []
    assert page.evaluate(LEGIBLE) >= 4.5
    assert [url for url in requests if not url.startswith("data:")] == [file.as_uri()]
    assert complaints == []
    context.close()


def test_page_can_be_printed(browser, file: Path) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()


@pytest.mark.parametrize(
    ("body", "measure", "expected"),
    [
        ("<p>a\u0378b</p>", MISSING, ["\u0378"]),
        ("<p>é ∂ ⊤</p>", MISSING, []),
        ('<p style="width: 3000px">a</p>', f"() => ({WIDE})() > 0", True),
        ('<p style="color: #aaa">a</p>', f"() => ({LEGIBLE})() < 4.5", True),
    ],
)
def test_the_measures_themselves(browser, body: str, measure: str, expected: object) -> None:
    page = browser.new_page()
    page.set_content(f'<body style="background: #fff; color: #000">{body}</body>')
    assert page.evaluate(measure) == expected
    page.close()
