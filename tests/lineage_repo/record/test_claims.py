"""What the record proves of each trial, whoever wrote it."""

import pytest

from lineage_repo.model.comparison import Outcome
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.claims import Claims
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage.store import Store
from lineage_repo.verdict import rules
from tests.lineage_repo.verification.test_verify import rewrite_newest
from tests.support.trials import compare, prove, submit


def test_gains_add_up_along_the_heads_and_their_intervals_grow(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    first = submit(lineage, 0.4)
    second = submit(lineage, 0.3, parent=first)
    claims = Claims(lineage)
    steps = [lineage.trials[n].verdict.gain for n in (first, second)]
    gain = claims.of(second).gain
    assert gain
    assert steps[0]
    assert steps[1]
    assert gain.mean == pytest.approx(steps[0].mean + steps[1].mean)
    assert gain.low is not None
    assert steps[1].low is not None
    assert gain.mean - gain.low > steps[1].mean - steps[1].low
    assert claims.of(first).gain == steps[0]


def test_what_a_replication_passed_is_over_the_anchor_and_no_longer_a_sum(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.4)
    submit(lineage, 0.3, parent=1)
    proof = lineage.proofs[prove(lineage)]
    claim = Claims(lineage).of(2)
    assert (claim.level, claim.gain) == ("replicated", proof.gain)


def test_a_proof_against_another_trial_than_the_start_claims_nothing_and_makes_no_circle(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    first = submit(lineage, 0.4)
    second = submit(lineage, 0.3, parent=first)
    before = Claims(lineage).of(first).gain
    entry = lineage.register_proof("certified", first, second, lambda _: None)
    blocks = compare(lineage, rules.order_blocks(entry.blocks[-1]), 0.1, second)
    assert lineage.record_proof(entry.proof, [blocks], None, {"level": "bwrap"}).outcome is Outcome.PASSED
    claim = Claims(lineage).of(first)
    assert (claim.level, claim.gain) == ("observed", before), "it says nothing of the start"


def test_a_forged_circle_of_gains_ends(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.4)
    rewrite_newest(campaign.paths.repository, "verdict.against", 1)
    assert Claims(Lineage(Store(campaign.paths.repository)).refresh()).of(1).gain is None
