"""Reports in a real Chromium: no foreign script runs, no request is made, and a reader can use them."""

import importlib
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import Gate
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.report.test_report import EVIL
from tests.support.traces import line, small

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NARROW = {"width": 414, "height": 800}
WIDE = {"width": 1288, "height": 900}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on sixty trials of three roles; some texts attack the reader."""
    folder = tmp_path_factory.mktemp("browser")
    trials = [line(0, 2.0, values={"loss": 2.0, "bytes": 90.0})]
    for i in range(1, 61):
        role, parent = f"role{i % 3}", f"t{i // 10 * 10 if i % 10 else i - 10}"
        if i % 10 == 0:
            score, status = 2.0 - i / 100, Status.KEEP
        elif i % 7 == 0:
            score, status = None, Status.SIZE_BLOCKED
        else:
            score, status = (2.0, Status.DISCARD) if i % 2 else (None, Status.CRASH)
        values = {"bytes": 80.0 + i / 2} | ({} if score is None else {"loss": score + i / 1000 * (i % 10 > 0)})
        text = {"hypothesis": f"Attack {i} {EVIL}", "failure": EVIL} if i % 5 == 0 else {}
        trials.append(line(i, score, status, role=role, parent=parent, values=values, **text))
    small(folder / "c", *trials, limits=(Gate(metric="bytes", at_most=100.0),))
    done = espalier("report", folder / "c", "-o", folder / "report.html", "--noise", "0.05")
    assert done.exit_code == 0, done.output
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    playwright: Any = importlib.import_module("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        # The sandbox of Chromium needs rights that a container lacks; the page is our own.
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Opened:
    """A page in a browser, with its console messages and requests."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.page: Any = browser.new_context(viewport=options.pop("viewport", WIDE), **options).new_page()
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._add_message)
        self.page.on("pageerror", self._add_message)
        self.page.on("request", self._add_request)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector(":root[data-ready=yes]", timeout=120_000)

    def _add_message(self, message: Any) -> None:
        self.messages.append(str(message))

    def _add_request(self, request: Any) -> None:
        self.requests.append(request.url)

    def count_rings(self) -> dict[str, int]:
        """Count the rings in each figure."""
        script = (
            "all => Object.fromEntries(all.map(b => [b.dataset.figure, b.querySelectorAll('.ring circle').length]))"
        )
        return self.page.eval_on_selector_all("[data-figure]", script)


@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": NARROW}], ids=["light", "dark", "phone"]
)
def test_a_report_opens_without_an_error_a_request_or_a_foreign_script(
    browser: Any, page_file: Path, options: dict[str, Any], tmp_path: Path
) -> None:
    opened = Opened(browser, page_file, **options)
    assert opened.messages == []
    assert opened.requests == [page_file.as_uri()]
    assert opened.page.evaluate("window.owned") is None
    assert opened.page.locator("img").count() == 0
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    opened.page.screenshot(path=tmp_path / "report.png", full_page=True)
    assert (tmp_path / "report.png").stat().st_size > 50_000


def test_hovering_a_trial_rings_it_in_every_figure_and_escape_clears(browser: Any, page_file: Path) -> None:
    opened = Opened(browser, page_file)
    opened.page.keyboard.press("ArrowLeft")  # the newest trial, a keep
    ringed = [name for name, n in opened.count_rings().items() if n == 1]
    assert {"progress", "lineage", "margin0", "novelty", "price", "slots"} <= set(ringed)
    circle = opened.page.locator("[data-figure=progress] .ring circle").bounding_box()
    opened.page.keyboard.press("Escape")
    assert set(opened.count_rings().values()) == {0}
    opened.page.mouse.move(circle["x"] + circle["width"] / 2, circle["y"] + circle["height"] / 2)
    assert {name for name, n in opened.count_rings().items() if n == 1} == set(ringed)
    assert "#60" in opened.page.locator("#card").inner_text()
    assert EVIL in opened.page.locator("#card").inner_text()
    assert opened.messages == []


def test_the_filter_and_a_role_button_select_trials(browser: Any, page_file: Path) -> None:
    opened = Opened(browser, page_file)
    assert opened.page.locator("#found").inner_text() == "61 of 61"
    opened.page.fill("#filter", "status:keep")
    assert opened.page.locator("#table tbody tr").count() == 6
    opened.page.fill("#filter", "status:keep attack 30")
    assert opened.page.locator("#table tbody tr").count() == 1
    opened.page.locator("button.role", has_text="role1").click()
    assert opened.page.locator("#found").inner_text() == "20 of 61"
    assert opened.count_rings()["progress"] == 20


def test_the_progress_axis_and_the_theme_switch(browser: Any, page_file: Path) -> None:
    opened = Opened(browser, page_file)
    opened.page.locator("[data-by=time]").click()
    opened.page.wait_for_selector("[data-by=time][aria-pressed=true]")
    opened.page.locator("#theme").click()
    assert "dark" in opened.page.evaluate("document.documentElement.className")
    assert opened.messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(browser: Any, page_file: Path, scheme: str) -> None:
    axe: Any = importlib.import_module("axe_playwright_python.sync_playwright")
    opened = Opened(browser, page_file, color_scheme=scheme)
    report = axe.Axe().run(opened.page)
    assert len(report.response["passes"]) > 10
    assert report.violations_count == 0, report.generate_report()


def test_a_comparison_opens_without_an_error_or_a_request(browser: Any, page_file: Path, tmp_path: Path) -> None:
    campaign = page_file.parent / "c"
    done = espalier("compare", f"a={campaign}", f"{EVIL.replace('=', '')}={campaign}", "-o", tmp_path / "compare.html")
    assert done.exit_code == 0, done.output
    opened = Opened(browser, tmp_path / "compare.html")
    assert opened.messages == []
    assert opened.requests == [(tmp_path / "compare.html").as_uri()]
    assert opened.page.locator("img").count() == 0


def test_without_javascript_the_remarks_and_tables_are_there(browser: Any, page_file: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(page_file.as_uri())
    assert page.locator("#remarks li").count() > 2
    assert page.locator("#roles tbody tr").count() == 3
    assert page.locator("#kept details").count() == 6
