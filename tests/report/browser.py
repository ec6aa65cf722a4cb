"""One headless Chromium for the tests of pages: opened from disk, with everything that it would have told or asked."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


PATIENCE_MS = 120_000
# A little longer than the page waits after a key, frames for what it draws in the next one, and every picture in place.
SETTLED = """async () => {
  await new Promise(done => setTimeout(done, 200));
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  await Promise.all([...document.querySelectorAll(".strip img")].map(picture => picture.complete || new Promise(done => {
    for (const end of ["load", "error"]) picture.addEventListener(end, done);
  })));
}"""


@dataclass
class Opened:
    """A page in a tab, and what should never come: dialogs, errors, requests to anywhere but itself."""

    tab: Any
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        return self.tab.locator(selector).all_text_contents()

    def settle(self) -> None:
        """Until what was asked stands on the screen, by the page's own clock: it may be slow."""
        self.tab.evaluate(SETTLED)


@contextlib.contextmanager
def chromium() -> Generator[Any]:
    """A browser, or a skipped test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("wants a Chromium")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        yield browser
        browser.close()


def open_page(browser: Any, page: Path, **settings: Any) -> Opened:
    """The page as a reader opens it, once its first strip stands."""
    tab = browser.new_page(viewport={"width": 1360, "height": 860}, **settings)
    tab.set_default_timeout(PATIENCE_MS)
    opened = Opened(tab)
    tab.on("dialog", lambda dialog: (opened.dialogs.append(dialog.message), dialog.dismiss()))
    tab.on("pageerror", lambda error: opened.errors.append(str(error)))
    tab.on("console", lambda said: opened.errors.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda request: opened.requests.append(request.url))
    tab.goto(page.resolve().as_uri())
    tab.wait_for_selector(".strip .card")
    return opened
