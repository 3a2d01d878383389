"""Campaigns side by side."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.measurement import Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.opening import open_lineage
from lineage_repo.report.compare_page import render_comparison
from lineage_repo.report.comparison import compare_arms, trace_head
from lineage_repo.report.data import build_report_data
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import git
from tests.lineage_repo.report.test_report import EVIL, Markup
from tests.support.traces import line, small
from tests.support.trials import prove, submit


def run(folder: Path, *scores: float) -> Path:
    """An imported campaign whose every trial is a keep with these scores."""
    small(folder, line(0, 2.0), *(line(i, score, Status.KEEP) for i, score in enumerate(scores, 1)))
    return folder


def ours(calibrated: Path, folder: Path, error: float, *, certify: bool = True) -> Path:
    """A campaign of ours whose one keep has this error; it is proven, and certified if asked."""
    shutil.copytree(calibrated, folder)
    lineage = Campaign.open(folder).lineage.refresh()
    submit(lineage, error)
    prove(lineage)
    if certify:
        prove(lineage, "certified")
    return folder


def compare(*arguments: object) -> dict[str, Any]:
    done = espalier("compare", *(str(a) for a in arguments), "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_endpoint_is_the_final_head_measured_again_and_never_the_best_recorded(
    calibrated_toy: Path, tmp_path: Path
) -> None:
    certified = ours(calibrated_toy, tmp_path / "one", 0.3)
    result = compare(certified, ours(calibrated_toy, tmp_path / "two", 0.2, certify=False))
    assert result["schema"] == "espalier.compare/1"
    proof = open_lineage(certified).proofs[2]
    assert proof.gain
    one, two = result["runs"]
    assert (one["endpoint"], one["endpoint_note"]) == (proof.gain.mean, "proof 2, passed")
    assert (two["endpoint"], two["head"], two["head_claim"]["level"]) == (None, 1, "replicated")
    assert two["endpoint_note"] == "none: `espalier certify DIR --trial 1` measures the head again"
    contrast = result["contrasts"][0]
    assert (contrast["difference"], contrast["low"]) == (None, None)
    assert contrast["basis"] == "no difference: an arm has no run whose final head was measured again"


def test_a_run_whose_head_is_the_start_gained_nothing(calibrated_toy: Path, tmp_path: Path) -> None:
    shutil.copytree(calibrated_toy, tmp_path / "idle")
    submit(Campaign.open(tmp_path / "idle").lineage.refresh(), 2.0)
    result = compare(f"a={ours(calibrated_toy, tmp_path / 'one', 0.3)}", f"b={tmp_path / 'idle'}")
    assert (result["runs"][1]["endpoint"], result["runs"][1]["head_claim"]["gain"]) == (0.0, None)
    contrast = result["contrasts"][0]
    assert (contrast["first_runs"], contrast["second_runs"]) == (1, 1)
    assert contrast["difference"] == pytest.approx(-0.18, abs=0.03)
    assert contrast["basis"].startswith("no interval: it needs two or more runs in each arm")


def test_an_imported_run_has_no_endpoint(tmp_path: Path) -> None:
    result = compare(run(tmp_path / "one", 1.5, 1.0), run(tmp_path / "two", 1.2))
    assert {r["endpoint"] for r in result["runs"]} == {None}
    assert "imported" in result["runs"][0]["endpoint_note"]
    assert result["common_trials"] == 1
    assert [r["clusters"] for r in result["runs"]] == [1.0, 1.0]


def test_each_arm_is_compared_with_the_first_over_runs(calibrated_toy: Path, tmp_path: Path) -> None:
    errors = {"a": (0.40, 0.39), "b": (0.20, 0.19), "c": (0.395, 0.385)}
    runs = [
        f"{arm}={ours(calibrated_toy, tmp_path / f'{arm}{i}', error)}"
        for arm, own in errors.items()
        for i, error in enumerate(own)
    ]
    contrasts = compare(*runs)["contrasts"]
    assert [(c["first"], c["second"]) for c in contrasts] == [("a", "b"), ("a", "c")]
    assert contrasts[0]["difference"] == pytest.approx(0.2, abs=0.02)
    assert contrasts[0]["low"] > 0 > contrasts[1]["low"]
    assert contrasts[0]["adjusted_p"] == pytest.approx(2 * contrasts[0]["p"])
    assert contrasts[0]["basis"].startswith("Welch's t over runs")
    blocked = compare("--blocked", *runs)["contrasts"][0]
    assert blocked["basis"] == "t of the differences of blocks, 1 degrees of freedom"
    assert blocked["difference"] == pytest.approx(contrasts[0]["difference"])
    text = espalier("compare", *runs).output
    assert "b minus a: +0." in text
    assert "80 % power for 0." in text
    assert "as many runs each" in espalier("compare", "--blocked", *runs[1:]).output


def test_folders_of_the_same_name_are_two_arms_and_a_clone_is_not_a_second_run(tmp_path: Path) -> None:
    for place in ("x", "y"):
        (tmp_path / place).mkdir()
    one, two = run(tmp_path / "x" / "c", 1.5), run(tmp_path / "y" / "c", 1.2)
    result = json.loads(espalier("compare", one, two, "--json").stdout)
    assert [r["arm"] for r in result["runs"]] == [str(one), str(two)]
    git(tmp_path, "clone", "--quiet", str(one / "lineage.git"), "clone")
    assert "is in one arm twice" in espalier("compare", f"a={one}", f"a={tmp_path / 'clone'}", f"b={two}").output


def test_the_heads_gain_begins_at_the_start_and_ends_with_the_run(tmp_path: Path) -> None:
    steps = trace_head(
        build_report_data(small(tmp_path / "d", line(0, 2.0), line(1, 1.0, Status.KEEP), line(2), line(3, 1.5)))
    )
    assert [(n, gain) for n, _, gain in steps] == [(0, 0.0), (1, 1.0), (3, 1.0)]


def test_campaigns_with_different_objectives_or_without_trials_are_refused(campaign: Campaign, tmp_path: Path) -> None:
    own, theirs = (
        build_report_data(campaign.lineage.refresh()),
        build_report_data(small(tmp_path / "c", line(0, 2.0), line(1, 1.0))),
    )
    with pytest.raises(UnsupportedError, match="another objective"):
        compare_arms({"a": [("theirs", theirs)], "b": [("ours", own)]})
    with pytest.raises(UnsupportedError, match="no trial yet"):
        compare_arms({"a": [("ours", own)], "b": [("ours", own)]})
    assert "two campaigns or more" in espalier("compare", campaign.folder).output


def test_a_page_of_a_comparison_shows_names_as_text(tmp_path: Path) -> None:
    data = build_report_data(small(tmp_path / "c", line(0, 2.0), line(1, 1.0, Status.KEEP)))
    arms = {EVIL: [(EVIL, data)], "b": [("b", data)]}
    page = render_comparison(arms, compare_arms(arms), "/* Vega */")
    markup = Markup(page)
    assert [tag for tag, _ in markup.tags].count("script") == 3
    assert not [tag for tag, _ in markup.tags if tag == "img"]
    assert EVIL in "".join(markup.texts)
