"""`espalier certify`: a gain is published only if it holds on fresh seeds."""

import json
from functools import partial
from pathlib import Path

import pytest
from scipy import stats  # pyright: ignore

from lineage_repo.model.ledger import Certification
from lineage_repo.model.measurement import Measurement, Spread, now
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict.certification import compare_recipes
from lineage_repo.verdict.statistics import student_p
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.host import Host
from mcp_server.trial import runner
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import digests, measurement, proposal, submit
from tests.lineage_repo.verification.test_verify import rewrite_newest

NOISE = {"error": Spread(n=4, mean=0.5, sd=0.01)}


def of(*errors: float, drawn: int = 100) -> Measurement:
    """Make a measurement with one draw for each error; `drawn` is the first draw."""
    base = measurement(0.0)
    runs = [run.model_copy(update={"seed_index": i}) for i in range(len(errors)) for run in base.phases[:2]]
    metrics = {"error": errors, "worst": (0.1,) * len(errors)}
    seeds, draws = tuple(range(len(errors))), tuple(range(drawn, drawn + len(errors)))
    return base.model_copy(update={"trial_seeds": draws, "box_seeds": seeds, "metrics": metrics, "phases": tuple(runs)})


def measured_again(
    lineage: Lineage, ours: Measurement | None = None, theirs: Measurement | None = None
) -> Certification:
    """Compare trial 1 with the start, both measured again, as `certify` would record it."""
    start = lineage.trials[0].measurement
    assert start
    start_again = of(0.5, 0.6, 0.5, drawn=200).model_copy(update={"source_bytes": start.source_bytes})
    pair = (ours or of(0.4, 0.5, 0.4), theirs or start_again)
    earlier, noise = len(lineage.certifications), lineage.noise(lineage.task)
    return compare_recipes(lineage.task, (1, 0), pair, noise, {"level": "bwrap"}, now(), earlier=earlier)


def test_the_tail_of_students_t_is_scipys() -> None:
    for freedom in (1, 2, 3, 7, 30, 201):
        for t in (-2.5, 0.0, 0.4, 3.1, 12.0):
            assert student_p(t, freedom) == pytest.approx(stats.t.sf(t, freedom), abs=1e-9)  # pyright: ignore


def test_a_gain_is_certified_if_welchs_test_puts_it_above_the_rule(campaign: Campaign) -> None:
    task = campaign.task
    ours, theirs = (0.40, 0.42, 0.41, 0.43), (0.50, 0.52, 0.49, 0.53)
    entry = compare_recipes(task, (1, 0), (of(*ours), of(*theirs)), NOISE, {"level": "bwrap"}, now())
    assert entry.certified
    assert entry.gain == pytest.approx(0.095)
    scipys: float = stats.ttest_ind(theirs, ours, equal_var=False, alternative="greater")[1]  # pyright: ignore
    assert scipys <= entry.p <= 2 * scipys, "whole degrees of freedom make it harder, never easier"
    assert not compare_recipes(task, (0, 1), (of(*theirs), of(*ours)), NOISE, {"level": "bwrap"}, now()).certified
    strict = task.model_copy(update={"certification": task.certification.model_copy(update={"gain": 0.09})})
    assert not compare_recipes(strict, (1, 0), (of(*ours), of(*theirs)), NOISE, {"level": "bwrap"}, now()).certified


def test_a_recipe_that_misses_a_gate_on_fresh_seeds_is_not_certified(campaign: Campaign) -> None:
    missed = of(0.1, 0.1).model_copy(update={"metrics": {"error": (0.1, 0.1), "worst": (9.0, 9.0)}})
    entry = compare_recipes(campaign.task, (1, 0), (missed, of(0.5, 0.51)), NOISE, {"level": "bwrap"}, now())
    assert not entry.certified
    assert entry.failure
    assert entry.failure.startswith("0001: worst 9 misses the gate")


def test_a_gate_on_fresh_seeds_uses_the_calibrated_noise_for_its_bound(campaign: Campaign) -> None:
    bound = campaign.task.gates[0].model_copy(update={"at_most": 1.0, "rule": "bound", "confidence": 0.99})
    task = campaign.task.model_copy(update={"gates": (bound,)})
    pair = (of(0.40, 0.42, 0.41), of(0.50, 0.52, 0.49))
    close = [m.model_copy(update={"metrics": {**m.metrics, "worst": (0.90, 0.95, 0.92)}}) for m in pair]
    noise = {**NOISE, "worst": Spread(n=30, mean=0.9, sd=0.03)}
    assert compare_recipes(task, (1, 0), (close[0], close[1]), noise, {"level": "bwrap"}, now()).certified


def test_asking_again_until_the_answer_is_yes_does_not_pay(campaign: Campaign) -> None:
    pair, asked = (of(0.40, 0.44, 0.41, 0.43), of(0.47, 0.52, 0.48, 0.51)), campaign.task.certification.p
    entries = [
        compare_recipes(campaign.task, (1, 0), pair, NOISE, {"level": "bwrap"}, now(), earlier=earlier)
        for earlier in range(16)
    ]
    assert [entry.certified for entry in entries] == [entry.p < asked / 2**n for n, entry in enumerate(entries)]
    assert (entries[0].certified, entries[-1].certified) == (True, False)


@pytest.mark.slow
def test_certify_measures_both_again_and_the_record_can_be_replayed(campaign: Campaign, host: Host) -> None:
    lineage = campaign.lineage.refresh()
    start = lineage.read_recipe(0)
    better = start["fit.py"].replace(b"STEPS = 12", b"STEPS = 40")
    claim = proposal(lineage).model_copy(update={"recipe_tree": lineage.store.write_tree({**start, "fit.py": better})})
    number = lineage.register(claim, digests(lineage), lambda _: None)
    assert runner.run(campaign, number, host).status == "keep"
    done = espalier("certify", campaign.folder, "--seeds", "4", "--json")
    printed = json.loads(done.stdout)
    assert (printed["number"], printed["against"], printed["n_seeds"]) == (1, 0, 4)
    assert done.exit_code == (0 if printed["certified"] else 1)
    assert "again      0001 against 0000" in espalier("show", campaign.folder, "1").output
    assert verify(campaign.lineage.store).problems == ()
    drawn = campaign.lineage.refresh().certifications[0].measurements[0].trial_seeds
    assert len(set(drawn)) == 4, "every seed is a fresh draw"


def test_a_comparison_that_does_not_follow_from_its_measurements_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.6)
    lineage.certify(lambda: measured_again(lineage))
    assert verify(lineage.store).problems == ()
    rewrite_newest(Path(lineage.store.path), "certified", True)
    assert any("comparison of 0001 with 0000 is not what" in line for line in verify(lineage.store).problems)


def test_a_certification_that_proves_nothing_is_named(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.6)
    entry = measured_again(lineage)
    for changes in ({"against": 1}, {"at": entry.at.replace(year=1999)}):
        lineage.certify(partial(entry.model_copy, update=changes))
    wrong: list[tuple[dict[str, object], str]] = [
        ({"trial_seeds": (1, 2)}, "2 distinct draws: at least 3"),
        ({"trial_seeds": (1, 1, 2)}, "2 distinct draws: at least 3"),
        ({"trial_seeds": (1, 2, 3, 4)}, "3 seeds of 4 draws"),
        ({"trial_seeds": (7, 8, 9)}, "the seed 7, which an earlier measurement drew"),
        ({"box_seeds": (5, 5, 5)}, "3 seeds of 3 draws: one of each is asked for, none twice"),
        ({"source_bytes": 9}, "has a source of 9 bytes, and 12 in its own measurement: another recipe"),
        ({"metrics": {"error": (0.4, 0.5, 0.4), "worst": (0.1, 0.1, 0.1), "more": (1.0,)}}, "lacks values"),
        ({"phases": ()}, "lacks a run of a phase"),
    ]
    for changes, _ in wrong:
        lineage.certify(partial(measured_again, lineage, of(0.4, 0.5, 0.4).model_copy(update=changes)))
    rows = [row.commit[:12] for row in lineage.store.rows()[-len(wrong) - 2 :]]
    problems = verify(lineage.store).problems
    named = ["is of a trial with itself", "is older than trial 0001", *(text for _, text in wrong)]
    for commit, text in zip(rows, named, strict=True):
        assert any(commit in line and text in line for line in problems), text


def test_a_trial_is_not_compared_with_itself(campaign: Campaign) -> None:
    done = espalier("certify", campaign.folder, "--trial", "0")
    assert "trial 0000 can't beat itself: name another" in done.output


def test_values_that_are_equal_by_luck_get_the_calibrated_spread(campaign: Campaign) -> None:
    entry = compare_recipes(campaign.task, (1, 0), (of(0.49, 0.49), of(0.5, 0.5)), NOISE, {"level": "bwrap"}, now())
    assert 0.1 < entry.p < 0.3
    assert not entry.certified
