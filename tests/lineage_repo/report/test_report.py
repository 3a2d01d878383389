"""What a report says about a campaign; no text of an agent runs in it."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import Gate
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.report.data import build_report_data, find_pauses
from lineage_repo.report.limit_charts import draw_margins
from lineage_repo.report.page import draw_figures, render_report
from lineage_repo.report.progress_chart import draw_progress
from lineage_repo.report.proof_table import build_leaderboard, build_proof_rows
from lineage_repo.report.remarks import collect_remarks, write_headline
from lineage_repo.report.role_table import build_role_rows
from tests.lineage_repo.cli.test_cli import espalier
from tests.support.traces import START, line, small
from tests.support.trials import prove, submit

EVIL = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>{{7*7}}<!--"


class Markup(HTMLParser):
    """Tags with their attributes, and all texts between them."""

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
    match = re.search(r'<script type="text/plain" id="data">(.*?)</script>', page)
    assert match
    return json.loads(gzip.decompress(base64.b64decode(match[1])))


@pytest.fixture(scope="module")
def evil_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A campaign in which every free text attacks its reader; Vega, which it does not need, is left out."""
    folder = tmp_path_factory.mktemp("evil") / EVIL.replace("/", "\u2044")
    trials = [line(0, 2.0), line(1, 1.0, Status.KEEP, hypothesis=EVIL), line(2, hypothesis=EVIL, failure=EVIL)]
    lineage = small(folder, *trials, limits=(Gate(metric="loss", at_most=1.5),))
    return render_report(build_report_data(lineage, 0.5), "/* Vega */")


@pytest.fixture
def demoted(campaign: Campaign) -> Lineage:
    """A head that was proven, one that was demoted, and a trial after them."""
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    prove(lineage)
    submit(lineage, 0.25, parent=1)
    prove(lineage, error=0.35)
    submit(lineage, 0.31, parent=1)
    return lineage


def test_no_text_of_an_agent_becomes_markup(evil_page: str) -> None:
    markup = Markup(evil_page)
    assert [tag for tag, _ in markup.tags].count("script") == 3
    assert not [tag for tag, _ in markup.tags if tag in {"img", "iframe", "object", "embed", "link", "base", "form"}]
    assert not [name for _, attributes in markup.tags for name in attributes if name.startswith("on")]
    assert not [a for tag, a in markup.tags if tag == "a" and not (a["href"] or "").startswith("#")]
    assert EVIL in "".join(markup.texts)
    assert "49" not in re.findall(r"\{\{7|49<!--", evil_page)


def test_the_pages_policy_allows_only_its_own_scripts_and_no_network(evil_page: str) -> None:
    policy = next(a["content"] or "" for _, a in Markup(evil_page).tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(re.findall("'sha256-", policy)) == 3
    links = [a.get(name) or "#" for _, a in Markup(evil_page).tags for name in ("src", "href")]
    assert {link[0] for link in links} == {"#"}


def test_the_packed_rows_hold_every_trial_and_its_unchanged_texts(evil_page: str) -> None:
    rows = unpacked(evil_page)["rows"]
    assert rows["t"] == [0, 1, 2]
    assert rows["status"] == ["baseline", "keep", "crash"]
    assert rows["hypothesis"][1] == EVIL
    assert rows["failure"][2] == EVIL


def test_a_campaign_without_a_trial_has_a_page_that_says_so(campaign: Campaign, tmp_path: Path) -> None:
    data = build_report_data(campaign.lineage.refresh())
    assert write_headline(data) == "No trial is recorded yet."
    assert collect_remarks(data) == []
    assert [figure.name for figure in draw_figures(data)] == ["progress"]


def test_an_uncalibrated_campaign_has_no_figure(tmp_path: Path, campaign: Campaign) -> None:
    empty = Campaign.create(tmp_path / "new", campaign.task_folder)
    data = build_report_data(empty.lineage.refresh())
    assert (draw_figures(data), collect_remarks(data), build_role_rows(data)) == ([], [], [])
    assert write_headline(data) == "0 trials, and no baseline with a score yet."
    assert "<script" not in render_report(data, "/* Vega */")


def test_a_diff_shows_characters_that_reorder_or_hide_code_as_escapes(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), -0.9, body="x = '\u202e</pre>\x1b[2J'\n".encode())
    page = render_report(build_report_data(campaign.lineage), "/* Vega */")
    assert "x = &#39;\\u202e&lt;/pre&gt;\\x1b[2J&#39;" in page


def test_one_trial_is_enough_for_figures(tmp_path: Path) -> None:
    data = build_report_data(small(tmp_path / "one", line(0, 2.0), line(1, 1.0, Status.KEEP)))
    assert [f.name for f in draw_figures(data)] == ["progress", "lineage", "mix", "price", "slots"]
    assert write_headline(data) == "1 trial in 20 minutes gained +1.0000 nats in loss over the start (noise unknown)."


def test_a_report_of_failures_names_their_status(tmp_path: Path) -> None:
    data = build_report_data(small(tmp_path / "bad", line(0, 2.0), *(line(i, parent="t0") for i in range(1, 6))))
    assert "5 of 5 trials ended as crash." in [f.text for f in collect_remarks(data)]
    assert write_headline(data).endswith("left loss at 2.0000: nothing is gained.")
    assert {"progress", "lineage", "mix"} <= {f.name for f in draw_figures(data)}


def test_remarks_name_ties_superseded_keeps_pauses_and_misses(tmp_path: Path) -> None:
    limit = (Gate(metric="bytes", at_most=100.0),)
    over = [
        line(
            i, None, Status.SIZE_BLOCKED, parent="t0", values={"loss": 0.1, "bytes": 103.0}, at=START.replace(day=3 + i)
        )
        for i in (3, 4, 5)
    ]
    keeps = [line(1, 1.9, Status.KEEP), line(2, 1.0, Status.KEEP, parent="t0")]
    data = build_report_data(small(tmp_path / "c", line(0, 2.0), *keeps, *over, limits=limit), noise=0.3)
    texts = [remark.text for remark in collect_remarks(data)]
    assert "1 of 2 keeps are ties with the head before them: their 95 % intervals hold 0." in texts
    assert "1 of 2 keeps do not lead to the head; the largest is #1." in texts
    assert "3 trials missed bytes, half of them by less than 3; 3 of them measured better than the head." in texts
    assert any("Nothing was recorded for" in text for text in texts)
    assert len(find_pauses(data.rows)) == 3


def test_every_remark_leads_to_something_on_the_page(tmp_path: Path) -> None:
    trials = [line(i, 2.0 - i / 100, Status.KEEP, parent="t0") for i in range(1, 30)]
    data = build_report_data(small(tmp_path / "c", line(0, 2.0), *trials), noise=1.0)
    assert {f.figure for f in collect_remarks(data)} <= {f.name for f in draw_figures(data)} | {"trials"}


def test_the_progress_figure_has_intervals_two_lines_and_demotions(demoted: Lineage) -> None:
    figure = draw_progress(build_report_data(demoted))
    assert figure
    assert all(row["y_low"] < row["y"] < row["y_high"] for row in figure.data["progress"] if row["t"] in {1, 2})  # type: ignore[operator]
    lines = [(row["which"], row["t"], row["y"] != 0) for row in figure.data["standing"]]
    assert lines[:4] == [("head", 0, False), ("anchor", 0, False), ("head", 1, True), ("anchor", 1, False)]
    assert lines[-2:] == [("head", 3, True), ("anchor", 3, True)]
    assert [row["label"] for row in figure.data["demotions"]] == ["#2 demoted"]


def test_the_page_shows_every_proof_with_its_price_and_ranks_what_is_proven(demoted: Lineage) -> None:
    data = build_report_data(demoted)
    first, second = build_proof_rows(data)
    assert (first.level, first.pair, first.outcome) == ("replicated", "#1 against #0", "passed")
    assert (first.blocks, first.seeds) == ("4 of 16", "8")
    assert first.interval.startswith("+")
    assert (second.pair, second.outcome) == ("#2 against #1", "refuted; #2 is demoted")
    leaders = build_leaderboard(data)
    assert [(leader.rank, leader.trial, leader.proven) for leader in leaders[:1]] == [(1, 1, "replicated")]
    assert next(leader for leader in leaders if leader.trial == 2).proven == "demoted by proof 2"
    assert {"1 of 2 replications passed", "Proof 2 found no gain in #2"} <= {
        text for remark in collect_remarks(data) for text in (remark.text[:26], remark.text[:27])
    }
    assert write_headline(data).endswith("over the start (replicated).")


def test_remarks_say_what_is_not_proven(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.2)
    texts = [remark.text for remark in collect_remarks(build_report_data(campaign.lineage))]
    assert texts[0].startswith("Not proven: the head #1 was observed to gain +0.")
    assert texts[0].endswith("`espalier replicate` tests it against the start.")


def test_the_table_of_roles_counts_each_family_once(tmp_path: Path) -> None:
    trials = [line(1, 1.0, Status.KEEP), line(2, 1.5), line(3), line(4, parent="t0")]
    rows = {row.role: row for row in build_role_rows(build_report_data(small(tmp_path / "c", line(0, 2.0), *trials)))}
    assert {role: [(p.family, p.n) for p in row.pieces] for role, row in rows.items()} == {
        "role1": [("kept", 1), ("crashed", 1)],
        "role0": [("measured, not better", 1), ("crashed", 1)],
    }
    assert (rows["role1"].in_head, rows["role1"].gain_text) == (1, "+1.0000")


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


def test_a_report_needs_an_output_in_a_folder_that_exists(campaign: Campaign, tmp_path: Path) -> None:
    assert "name the page by -o" in espalier("report", campaign.folder).output
    assert "is not a folder" in espalier("report", campaign.folder, "-o", tmp_path / "none" / "r.html").output


def test_a_limit_counts_misses_without_a_score(tmp_path: Path) -> None:
    gate = Gate(metric="accuracy", at_least=0.9, rule="mean")
    missed = [line(i, status=Status.DISQUALIFIED, values={"accuracy": 0.8}) for i in (3, 4)]
    passed = [line(i, 1.0 - i / 10, values={"loss": 1.0 - i / 10, "accuracy": 0.91}) for i in (1, 2)]
    start = line(0, 2.0, values={"loss": 2.0, "accuracy": 0.95})
    (figure,) = draw_margins(build_report_data(small(tmp_path / "c", start, *passed, *missed, limits=(gate,))))
    assert figure.text.startswith("2 of 4 trials missed it")
    assert figure.text.endswith("2 have no loss and are not drawn.")
