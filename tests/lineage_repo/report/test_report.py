"""The report: what it says of a campaign, and that nothing an agent wrote runs in it."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lineage_repo.model.manifest import Gate
from lineage_repo.model.measurement import Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.opening import open_lineage
from lineage_repo.report.data import pauses, report_data
from lineage_repo.report.findings import findings, headline, tiles
from lineage_repo.report.limit_charts import margins
from lineage_repo.report.page import figures, report_page
from lineage_repo.report.role_table import role_rows
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import submit
from tests.support.traces import START, line, small

EVIL = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>{{7*7}}<!--"


class Markup(HTMLParser):
    """Tags with their attributes, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def unpacked(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="text/plain" id="data">(.*?)</script>', page)
    assert found
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


@pytest.fixture(scope="module")
def evil_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A campaign in which every free text attacks its reader; Vega, which it does not need, is left out."""
    folder = tmp_path_factory.mktemp("evil") / EVIL.replace("/", "\u2044")
    trials = [line(0, 2.0), line(1, 1.0, Status.KEEP, hypothesis=EVIL), line(2, hypothesis=EVIL, failure=EVIL)]
    lineage = small(folder, *trials, limits=(Gate(metric="loss", at_most=1.5),))
    return report_page(report_data(lineage, 0.5), "/* Vega */", lambda _: None)


def test_no_text_of_an_agent_becomes_markup(evil_page: str) -> None:
    markup = Markup(evil_page)
    assert [tag for tag, _ in markup.tags].count("script") == 3
    assert not [tag for tag, _ in markup.tags if tag in {"img", "iframe", "object", "embed", "link", "base", "form"}]
    assert not [name for _, attributes in markup.tags for name in attributes if name.startswith("on")]
    assert not [a for tag, a in markup.tags if tag == "a" and not (a["href"] or "").startswith("#")]
    assert EVIL in "".join(markup.texts)
    assert "49" not in re.findall(r"\{\{7|49<!--", evil_page)


def test_the_pages_policy_lets_only_its_own_scripts_run_and_asks_no_network(evil_page: str) -> None:
    policy = next(a["content"] or "" for _, a in Markup(evil_page).tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(re.findall("'sha256-", policy)) == 3
    links = [a.get(name) or "#" for _, a in Markup(evil_page).tags for name in ("src", "href")]
    assert {link[0] for link in links} == {"#"}


def test_the_packed_rows_hold_every_trial_and_its_texts_as_they_are(evil_page: str) -> None:
    rows = unpacked(evil_page)["rows"]
    assert rows["t"] == [0, 1, 2]
    assert rows["status"] == ["baseline", "keep", "crash"]
    assert rows["hypothesis"][1] == EVIL
    assert rows["failure"][2] == EVIL


def test_a_campaign_without_a_trial_has_a_page_that_says_so(campaign: Campaign, tmp_path: Path) -> None:
    found = report_data(campaign.lineage.refresh())
    assert headline(found) == "No trial is recorded yet."
    assert findings(found) == []
    assert [figure.name for figure in figures(found)] == ["progress"]


def test_a_campaign_that_was_never_calibrated_has_no_figure(tmp_path: Path, campaign: Campaign) -> None:
    empty = Campaign.create(tmp_path / "new", campaign.task_folder)
    found = report_data(empty.lineage.refresh())
    assert (figures(found), findings(found), role_rows(found)) == ([], [], [])
    assert headline(found) == "0 trials, and no baseline with a score yet."
    assert "<script" not in report_page(found, "/* Vega */", lambda _: None)


def test_a_diff_shows_what_reorders_or_hides_code_as_what_it_is(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), -0.9, body="x = '\u202e</pre>\x1b[2J'\n".encode())
    page = report_page(report_data(campaign.lineage), "/* Vega */", lambda _: None)
    assert "x = &#39;\\u202e&lt;/pre&gt;\\x1b[2J&#39;" in page


def test_one_trial_is_enough_for_figures(tmp_path: Path) -> None:
    found = report_data(small(tmp_path / "one", line(0, 2.0), line(1, 1.0, Status.KEEP)))
    assert [f.name for f in figures(found)] == ["progress", "lineage", "mix", "price", "slots"]
    assert headline(found) == "1 trial in 20 minutes took loss from 2.0000 to 1.0000 nats."


def test_a_campaign_of_failures_alone_says_what_they_were(tmp_path: Path) -> None:
    found = report_data(small(tmp_path / "bad", line(0, 2.0), *(line(i, parent="t0") for i in range(1, 6))))
    assert "5 of 5 trials ended as crash." in [f.text for f in findings(found)]
    assert headline(found).endswith("left loss at 2.0000: nothing was kept.")
    assert {"progress", "lineage", "mix"} <= {f.name for f in figures(found)}


def test_findings_name_noise_superseded_keeps_gaps_and_misses(tmp_path: Path) -> None:
    limit = (Gate(metric="bytes", at_most=100.0),)
    over = [
        line(
            i, None, Status.SIZE_BLOCKED, parent="t0", values={"loss": 0.1, "bytes": 103.0}, at=START.replace(day=3 + i)
        )
        for i in (3, 4, 5)
    ]
    keeps = [line(1, 1.9, Status.KEEP), line(2, 1.0, Status.KEEP, parent="t0")]
    found = report_data(small(tmp_path / "c", line(0, 2.0), *keeps, *over, limits=limit), noise=0.5)
    texts = [finding.text for finding in findings(found)]
    assert "1 of 2 keeps gained less than one trial's noise, ±0.5000." in texts
    assert "1 of 2 keeps are not in the best recipe; the largest is #1." in texts
    assert "3 trials missed bytes, half of them by less than 3; 3 of them measured better than the best." in texts
    assert any("Nothing was recorded for" in text for text in texts)
    assert len(pauses(found.rows)) == 3


def test_every_finding_leads_to_something_on_the_page(tmp_path: Path) -> None:
    trials = [line(i, 2.0 - i / 100, Status.KEEP, parent="t0") for i in range(1, 30)]
    found = report_data(small(tmp_path / "c", line(0, 2.0), *trials), noise=1.0)
    assert {f.figure for f in findings(found)} <= {f.name for f in figures(found)} | {"trials"}


def test_the_noise_is_the_calibrated_spread_of_one_trials_mean(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.01)
    lineage = open_lineage(campaign.folder)
    spread = lineage.noise(lineage.task)[lineage.task.objective.metric]
    found = report_data(lineage)
    assert found.noise == pytest.approx(spread.sd / lineage.task.n_seeds**0.5)
    assert dict(tiles(found))


def test_the_table_of_roles_counts_each_family_once(tmp_path: Path) -> None:
    trials = [line(1, 1.0, Status.KEEP), line(2, 1.5), line(3), line(4, parent="t0")]
    rows = {row.role: row for row in role_rows(report_data(small(tmp_path / "c", line(0, 2.0), *trials)))}
    assert {role: [(p.family, p.n) for p in row.pieces] for role, row in rows.items()} == {
        "role1": [("kept", 1), ("crashed", 1)],
        "role0": [("measured, not better", 1), ("crashed", 1)],
    }
    assert (rows["role1"].in_best, rows["role1"].gain_text) == (1, "\u22121.0000")


@pytest.mark.slow
def test_a_report_of_nine_hundred_trials_is_one_file_under_a_megabyte_and_a_half(tmp_path: Path) -> None:
    words = [f"word{i}" for i in range(400)]
    trials = [
        line(
            i,
            2.0 - i / 1000 if i % 25 == 0 else 2.1 if i % 2 else None,
            Status.KEEP if i % 25 == 0 else None,
            hypothesis=" ".join(words[(i * k) % 400] for k in range(1, 60)),
            failure=f"RuntimeError: trial {i}",
            values={"bytes": 100.0 + i} | ({"loss": 2.0 - i / 1000} if i % 25 == 0 else {"loss": 2.1} if i % 2 else {}),
        )
        for i in range(1, 901)
    ]
    start = line(0, 2.0, values={"loss": 2.0, "bytes": 90.0})
    small(tmp_path / "c", start, *trials, limits=(Gate(metric="bytes", at_most=500.0),))
    done = espalier("report", tmp_path / "c", "-o", tmp_path / "r.html", "--noise", "0.01")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "r.html").stat().st_size < 1_500_000


@pytest.mark.slow
def test_figures_are_written_as_svg_png_and_csv(tmp_path: Path) -> None:
    small(tmp_path / "c", line(0, 2.0), line(1, 1.0, Status.KEEP, hypothesis=EVIL))
    done = espalier("report", tmp_path / "c", "--figures", tmp_path / "out")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {f"progress.{suffix}" for suffix in ("svg", "png", "csv")} <= names
    picture = (tmp_path / "out" / "progress.svg").read_text("utf-8")
    assert ("&lt;/script" in picture, "<script" in picture) == (True, False)
    assert (tmp_path / "out" / "progress.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "progress.csv").read_text("utf-8").startswith('"t","role","family"')


def test_a_report_needs_somewhere_to_go(campaign: Campaign, tmp_path: Path) -> None:
    assert "name the page by -o" in espalier("report", campaign.folder).output
    assert "is not a folder" in espalier("report", campaign.folder, "-o", tmp_path / "none" / "r.html").output


def test_a_limit_counts_misses_that_have_no_score(tmp_path: Path) -> None:
    gate = Gate(metric="accuracy", at_least=0.9, rule="mean")
    missed = [line(i, status=Status.DISQUALIFIED, values={"accuracy": 0.8}) for i in (3, 4)]
    passed = [line(i, 1.0 - i / 10, values={"loss": 1.0 - i / 10, "accuracy": 0.91}) for i in (1, 2)]
    start = line(0, 2.0, values={"loss": 2.0, "accuracy": 0.95})
    (figure,) = margins(report_data(small(tmp_path / "c", start, *passed, *missed, limits=(gate,))))
    assert figure.text.startswith("2 of 4 trials missed it")
    assert figure.text.endswith("2 have no loss and are not drawn.")
