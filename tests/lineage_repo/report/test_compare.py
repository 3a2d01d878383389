"""Campaigns side by side."""

import json
from pathlib import Path

import pytest

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.measurement import Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.report.compare_page import render_comparison
from lineage_repo.report.comparison import bootstrap, compare_arms, trace_best
from lineage_repo.report.data import build_report_data
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import git
from tests.lineage_repo.report.test_report import EVIL, Markup
from tests.support.traces import line, small


def run(folder: Path, *scores: float) -> Path:
    """A campaign whose every trial is a keep with these scores."""
    small(folder, line(0, 2.0), *(line(i, score, Status.KEEP) for i, score in enumerate(scores, 1)))
    return folder


def test_runs_are_compared_after_as_many_trials_as_the_shortest_has(tmp_path: Path) -> None:
    one, two = run(tmp_path / "one", 1.5, 1.0, 0.5), run(tmp_path / "two", 1.2)
    result = json.loads(espalier("compare", one, two, "--json").stdout)
    assert result["schema"] == "espalier.compare/1"
    assert result["common_trials"] == 1
    assert [(r["arm"], r["best_at"], r["best"]) for r in result["runs"]] == [("one", 1.5, 0.5), ("two", 1.2, 1.2)]
    assert result["intervals"][0]["difference"] == pytest.approx(-0.3)
    assert result["intervals"][0]["basis"] == "no interval: it needs two or more runs in each arm"


def test_folders_of_the_same_name_are_two_arms_and_a_clone_is_not_a_second_run(tmp_path: Path) -> None:
    for place in ("x", "y"):
        (tmp_path / place).mkdir()
    one, two = run(tmp_path / "x" / "c", 1.5), run(tmp_path / "y" / "c", 1.2)
    result = json.loads(espalier("compare", one, two, "--json").stdout)
    assert [r["arm"] for r in result["runs"]] == [str(one), str(two)]
    git(tmp_path, "clone", "--quiet", str(one / "lineage.git"), "clone")
    assert "is in one arm twice" in espalier("compare", f"a={one}", f"a={tmp_path / 'clone'}", f"b={two}").output


def test_several_runs_of_an_arm_give_an_interval_over_runs(tmp_path: Path) -> None:
    runs = [f"a={run(tmp_path / f'a{i}', 1.0 + i / 100)}" for i in range(3)]
    runs += [f"b={run(tmp_path / f'b{i}', 0.5 + i / 100)}" for i in range(3)]
    best = json.loads(espalier("compare", *runs, "--json").stdout)["intervals"][0]
    assert best["difference"] == pytest.approx(-0.5)
    assert -0.52 <= best["low"] <= -0.5 <= best["high"] <= -0.48
    assert best["basis"] == "3 and 3 runs drawn again"


def test_a_bootstrap_interval_is_repeatable_and_needs_two_values_each() -> None:
    assert bootstrap([1.0, 2.0], [3.0, 4.0]) == bootstrap([1.0, 2.0], [3.0, 4.0]) == (1.0, 3.0)
    with pytest.raises(UnsupportedError, match="two or more runs"):
        bootstrap([1.0], [2.0, 3.0])


def test_the_best_so_far_begins_at_the_start_and_ends_with_the_run(tmp_path: Path) -> None:
    steps = trace_best(
        build_report_data(small(tmp_path / "d", line(0, 2.0), line(1, 1.0, Status.KEEP), line(2), line(3, 1.5)))
    )
    assert [(n, score) for n, _, score in steps] == [(0, 2.0), (1, 1.0), (3, 1.0)]


def test_campaigns_with_different_objectives_or_without_trials_are_refused(campaign: Campaign, tmp_path: Path) -> None:
    ours, theirs = (
        build_report_data(campaign.lineage.refresh()),
        build_report_data(small(tmp_path / "c", line(0, 2.0), line(1, 1.0))),
    )
    with pytest.raises(UnsupportedError, match="another objective"):
        compare_arms({"a": [("theirs", theirs)], "b": [("ours", ours)]})
    with pytest.raises(UnsupportedError, match="no trial yet"):
        compare_arms({"a": [("ours", ours)], "b": [("ours", ours)]})
    assert "two campaigns or more" in espalier("compare", campaign.folder).output


def test_a_page_of_a_comparison_shows_names_as_text(tmp_path: Path) -> None:
    data = build_report_data(small(tmp_path / "c", line(0, 2.0), line(1, 1.0, Status.KEEP)))
    arms = {EVIL: [(EVIL, data)], "b": [("b", data)]}
    page = render_comparison(arms, compare_arms(arms), "/* Vega */")
    markup = Markup(page)
    assert [tag for tag, _ in markup.tags].count("script") == 3
    assert not [tag for tag, _ in markup.tags if tag == "img"]
    assert EVIL in "".join(markup.texts)
