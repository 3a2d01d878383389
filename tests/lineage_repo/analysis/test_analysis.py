"""Analyses of small campaigns, with results computed by hand."""

import json
import sys
from pathlib import Path

import pytest

from lineage_repo.analysis.diversity import compute_diversity
from lineage_repo.analysis.economy import compute_rate, compute_slots
from lineage_repo.analysis.limits import compute_margins
from lineage_repo.analysis.predictions import compute_predictions
from lineage_repo.analysis.roles import compute_architecture, compute_edges, compute_roles
from lineage_repo.analysis.standings import trace_standings
from lineage_repo.analysis.summary import analyze_lineage
from lineage_repo.analysis.support import Absent
from lineage_repo.analysis.trajectory import compute_status_counts, compute_trajectory
from lineage_repo.interchange.importing import import_trace, read_trace
from lineage_repo.interchange.jsonl import format_lines
from lineage_repo.model.measurement import Margin, Status
from lineage_repo.model.objective import Gate
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.report.comparison import trace_head
from lineage_repo.report.data import build_report_data
from lineage_repo.report.progress_chart import draw_progress
from lineage_repo.storage.store import Row
from lineage_repo.task.find import find_task
from tests.lineage_repo.cli.test_cli import espalier
from tests.support.traces import line, small
from tests.support.trials import finish, proposal, prove, submit


def list_absent(lineage: Lineage) -> dict[str, str]:
    return {name: part.absent for name, part in analyze_lineage(lineage).sections.items() if isinstance(part, Absent)}


def test_progress_counts_keeps_against_the_best_before_them(tmp_path: Path) -> None:
    lineage = small(
        tmp_path / "c", line(0, 2.0), line(1, 1.0, Status.KEEP), line(2, 1.5), line(3, 0.5, Status.KEEP), line(4)
    )
    found = compute_trajectory(lineage)
    assert (found.start, found.best, found.best_trial, found.relative_change) == (2.0, 0.5, 3, -0.75)
    assert [(step.trial, step.gain.mean) for step in found.steps if step.gain] == [(1, 1.0), (3, 0.5)]
    assert (found.trials, found.keeps, found.after_last_keep, found.keeps_per_hundred) == (4, 2, 1, (2,))
    assert compute_status_counts(lineage).counts == {"keep": 2, "discard": 1, "crash": 1}


def test_keeps_count_in_the_order_of_recording_and_not_of_their_numbers(campaign: Campaign, tmp_path: Path) -> None:
    lineage = campaign.lineage.refresh()
    for _ in range(2):
        lineage.register(proposal(lineage), lineage.campaign.digests, lambda _: None)
    for number, error in ((2, 0.3), (1, 0.2)):
        finish(lineage, number, error)
    found = compute_trajectory(lineage)
    assert [(step.trial, step.level) for step in found.steps] == [(2, "observed"), (1, "observed")]
    assert (found.best_trial, found.after_last_keep) == (1, 0)
    gains = [gain for *_, gain in trace_head(build_report_data(lineage))]
    assert gains == [0.0, pytest.approx(0.19, abs=0.03), pytest.approx(0.29, abs=0.03), gains[2]]
    figure = draw_progress(build_report_data(lineage))
    assert figure
    assert [row["t"] for row in figure.data["standing"] if row["which"] == "head"] == [0, 2, 2, 2]
    (tmp_path / "t.jsonl").write_text(format_lines(lineage), "utf-8")
    imported = import_trace(read_trace(tmp_path / "t.jsonl"), tmp_path / "again")
    assert imported.head
    assert imported.head.score == lineage.trials[1].score


def test_the_traced_standings_end_where_the_record_stands(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    assert [step[1:] for step in trace_standings(lineage)] == [(0, 0, None)]
    submit(lineage, 0.3)
    prove(lineage)
    submit(lineage, 0.25, parent=1)
    prove(lineage, error=0.35)
    steps = trace_standings(lineage)
    assert [tuple(step) for step in steps] == [
        (0, 0, 0, None),
        (1, 1, 0, None),
        (1, 1, 1, None),
        (2, 2, 1, None),
        (2, 1, 1, 2),
    ]
    found = compute_trajectory(lineage)
    assert (found.head_claim.level, found.demotions, found.keeps) == ("replicated", 1, 2)
    assert [(step.trial, step.level, step.demoted_by) for step in found.steps] == [
        (1, "replicated", None),
        (2, None, 2),
    ]
    assert "0001: +0." in analyze_lineage(lineage).sections["trajectory"].lines()[0]


def test_a_miss_is_near_by_the_spread_of_the_quantity_and_by_the_papers_share_of_the_limit(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.3)
    sd = lineage.noise(lineage.task)["worst"].sd
    trial = lineage.trials[1]
    for room in (-1.0, -3.0, 1.0, 3.0):  # in standard deviations of the mean over its seeds
        margin = room * sd / trial.n_seeds**0.5
        gate = Margin(name="worst", value=1.5 - margin, limit=1.5, margin=margin)
        number = len(lineage.trials)
        verdict = trial.verdict.model_copy(update={"margins": (gate,), "status": Status.DISCARD})
        copy = trial.model_copy(update={"number": number, "verdict": verdict})
        lineage.fold(Row(str(number), None, b""), copy)
    row = next(row for row in compute_margins(lineage).rows if row.name == "worst")
    assert (row.trials, row.missed, row.near_misses, row.near_passes) == (5, 2, 1, 1)


def test_clusters_of_two_campaigns_compare_by_one_corpus_and_as_many_trials(tmp_path: Path) -> None:
    texts = ["raise weight decay", "raise weight decay", "lower batch size", "rotary embedding base"]
    lineage = small(tmp_path / "c", line(0, 1.0), *(line(n, 1.0, hypothesis=t) for n, t in enumerate(texts, 1)))
    corpus = [*texts, "a wholly different thing", "warm restarts"]
    whole, part = compute_diversity(lineage, corpus), compute_diversity(lineage, corpus, 2)
    assert (whole.corpus, whole.trials, part.trials, part.effective) == (6, 4, 2, 1.0)


def test_edges_leave_out_the_start_and_cross_where_the_roles_differ(tmp_path: Path) -> None:
    lineage = small(
        tmp_path / "c",
        line(0, 1.0),
        line(1, 0.9, Status.KEEP, role="arch"),
        line(2, 0.95, role="arch", parent="t1"),
        line(3, 0.8, Status.KEEP, role="opt", parent="t1"),
        line(4, 0.9, role="opt", parent="t0", domain="arch"),
    )
    found = compute_edges(lineage)
    assert (found.parent, found.parent_cross, found.keep, found.keep_cross, found.heads) == (2, 1, 1, 1, (1,))
    assert compute_architecture(lineage).trials == 3
    assert [(r.role, r.trials, r.keeps) for r in compute_roles(lineage).rows] == [("arch", 2, 1), ("opt", 2, 1)]
    assert (compute_roles(lineage).cv, compute_roles(lineage).with_keep) == (0.0, 2)


def test_hypotheses_cluster_by_shared_words(tmp_path: Path) -> None:
    texts = ["raise weight decay", "raise weight decay", "lower batch size", "rotary embedding base", "raise decay"]
    trials = [line(n, 1.0, hypothesis=text) for n, text in enumerate(texts, 1)]
    found = compute_diversity(small(tmp_path / "c", line(0, 1.0), *trials))
    assert (found.clusters, found.plural, found.shared, found.shared_trials) == (3, 1, 1, 3)
    assert (found.top_share, found.near_duplicates) == (0.6, 0.5)
    assert found.effective == pytest.approx(2.586, abs=0.001)


def test_slot_hours_are_summed_and_idle_hours_found(tmp_path: Path) -> None:
    # Half-hourly records of twenty-minute trials: ten minutes between two of them are idle.
    lineage = small(tmp_path / "c", line(0, 1.0), line(1, 0.9, Status.KEEP), line(2, 0.95), line(3), line(4, 0.9))
    assert (compute_rate(lineage).hours, compute_rate(lineage).submitters) == (1.5, 2)
    assert compute_rate(lineage).per_hour == pytest.approx(4 / 1.5)
    assert compute_rate(lineage, lineage).efficiency == 0.5
    found = compute_slots(lineage)
    assert (found.hours, found.useful) == (pytest.approx(4 / 3), 1.0)
    assert (found.hours_per_keep, found.idle, found.unknown) == (pytest.approx(4 / 3), pytest.approx(0.5), 0)


def test_margins_show_how_close_the_misses_were(tmp_path: Path) -> None:
    limits = (Gate(metric="bytes", at_most=1000),)
    sizes = (900, 999, 1001, 2000)
    trials = [line(n, values={"loss": 1.0, "bytes": b}, status=Status.DISCARD) for n, b in enumerate(sizes, 1)]
    row = compute_margins(small(tmp_path / "c", line(0, 1.0), *trials, limits=limits)).rows[0]
    assert (row.trials, row.missed, row.near_misses_1_percent, row.closest_pass, row.closest_miss) == (
        4,
        2,
        1,
        1.0,
        -1.0,
    )
    assert row.near_misses is None


def test_predictions_are_compared_with_measured_changes_against_the_parent(tmp_path: Path) -> None:
    expected = (-0.1, 0.2, -0.3, None)
    trials = [
        line(n, score, expected_delta=e)
        for (n, score), e in zip(enumerate((0.9, 0.8, 1.1, 1.0), 1), expected, strict=True)
    ]
    found = compute_predictions(small(tmp_path / "c", line(0, 1.0), *trials))
    assert (found.trials, found.expected_gain, found.gained, found.kept, found.right_side) == (3, 2, 2, 0, 1)


def test_every_analysis_of_an_empty_campaign_says_that_it_is_empty(tmp_path: Path) -> None:
    empty = Campaign.create(tmp_path / "c", find_task("toy")).lineage.refresh()
    assert set(list_absent(empty).values()) == {"no trial is recorded yet"}
    assert len(list_absent(empty)) == len(analyze_lineage(empty).sections)
    assert espalier("analyze", tmp_path / "c").exit_code == 0
    assert espalier("export", tmp_path / "c", "-o", tmp_path / "t.csv").exit_code == 0


def test_one_trial_has_no_rate_and_no_near_duplicates(tmp_path: Path) -> None:
    lineage = small(tmp_path / "c", line(0, 1.0), line(1, 0.9, Status.KEEP))
    assert list_absent(lineage) == {
        "rate": "a rate needs two trials, recorded at different times",
        "margins": "no trial has a margin: no limit is known, or nothing was measured",
    }
    assert compute_diversity(lineage).near_duplicates is None


def test_a_campaign_of_failures_has_no_price_and_no_prediction(tmp_path: Path) -> None:
    lineage = small(tmp_path / "c", line(0, 1.0), *(line(n, hypothesis="the") for n in range(1, 4)))
    assert set(list_absent(lineage)) == {"diversity", "margins", "predictions"}
    assert (compute_trajectory(lineage).best_trial, compute_trajectory(lineage).keeps) == (0, 0)
    assert compute_slots(lineage).hours_per_keep is None


def test_an_analysis_names_what_the_source_left_out(tmp_path: Path) -> None:
    bare = [line(n, 1.1, at=None, slot_s=None, expected_delta=None) for n in range(1, 4)]
    found = list_absent(small(tmp_path / "c", line(0, 1.0), *bare))
    assert found["rate"] == "3 of 3 trials came without a time"
    assert found["slots"] == "no trial has a recorded duration"
    assert found["predictions"] == "no trial has a prediction and was compared with its parent"


def test_our_own_campaign_has_every_analysis(campaign: Campaign) -> None:
    for error in (0.6, 0.5, None):
        submit(campaign.lineage.refresh(), error)
    assert "rate" in analyze_lineage(campaign.lineage).sections
    assert set(list_absent(campaign.lineage)) <= {"rate"}
    assert compute_slots(campaign.lineage).unknown == 1
    result = espalier("analyze", campaign.folder, "--json")
    assert json.loads(result.output)["sections"]["statuses"]["trials"] == 3


def ten_thousand(folder: Path) -> Lineage:
    lineage = small(
        folder, line(0, 1.0), *(line(n, 1.0 + n % 7, hypothesis=f"word{n % 900} {n}x") for n in range(1, 101))
    )
    for number in range(101, 10_001):
        like = lineage.trials[1 + number % 100]
        parent = like.proposal.model_copy(update={"parent": number - 1})
        lineage.fold(Row("", None, b""), like.model_copy(update={"number": number, "proposal": parent}))
    return lineage


def test_ten_thousand_trials_fold_without_recursion(tmp_path: Path) -> None:
    lineage = ten_thousand(tmp_path / "c")
    assert compute_trajectory(lineage).trials == 10_000
    assert compute_edges(lineage).parent == 9_999
    assert compute_slots(lineage).unknown == 0
    assert compute_rate(lineage).pauses == 0


@pytest.mark.slow
def test_ten_thousand_hypotheses_cluster_within_a_minute(tmp_path: Path) -> None:
    assert compute_diversity(ten_thousand(tmp_path / "c")).trials == 10_000


def test_without_the_extra_the_rest_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lineage = small(tmp_path / "c", line(0, 1.0), line(1, 0.9), line(2, 0.8))
    for name in ("sklearn", "sklearn.feature_extraction.text", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    assert list_absent(lineage)["diversity"] == "scikit-learn is missing: pip install -e '.[analysis]' in a checkout"
    result = espalier("export", tmp_path / "c", "-o", tmp_path / "t.parquet")
    assert "pip install -e '.[analysis]' in a checkout" in result.output
    assert espalier("export", tmp_path / "c", "-o", tmp_path / "t.tsv").exit_code == 0
