"""Standing: how moves, replications and demotions change head and anchor."""

from lineage_repo.model.objective import JudgeRule
from lineage_repo.verdict.rules import Outcome
from lineage_repo.verdict.standing import Standing

RULE = JudgeRule(replicate_after=3)


def moved(*numbers: int) -> Standing:
    """The start, then these heads."""
    standing = Standing(anchor=0)
    for number in numbers:
        standing = standing.move(number)
    return standing


def test_the_start_is_head_and_anchor() -> None:
    assert moved().head == 0
    assert moved().is_proven
    assert not moved().is_due(RULE, at_end=True)


def test_a_move_changes_the_head_and_leaves_the_anchor() -> None:
    standing = moved(4)
    assert (standing.head, standing.anchor) == (4, 0)
    assert not standing.is_proven


def test_a_replication_is_due_after_some_moves_or_any_at_the_end() -> None:
    assert not moved(4, 7).is_due(RULE)
    assert moved(4, 7, 9).is_due(RULE)
    assert moved(4).is_due(RULE, at_end=True)


def test_where_any_gain_counts_only_the_end_is_replicated() -> None:
    rule = JudgeRule(rule="any", replicate_after=1)
    assert not moved(4, 7).is_due(rule)
    assert moved(4, 7).is_due(rule, at_end=True)


def test_a_passed_replication_proves_the_head() -> None:
    standing = moved(4, 7, 9).replicate(9, Outcome.PASSED)
    assert standing == Standing(anchor=9, earlier=(0,))


def test_a_head_that_moved_on_meanwhile_keeps_its_later_moves() -> None:
    standing = moved(4, 7, 9, 12).replicate(9, Outcome.PASSED)
    assert (standing.anchor, standing.head, standing.moves) == (9, 12, 1)


def test_an_open_replication_is_due_again_after_as_many_moves() -> None:
    standing = moved(4, 7, 9).replicate(9, Outcome.OPEN)
    assert (standing.anchor, standing.head, standing.moves) == (0, 9, 0)
    assert not standing.is_due(RULE, at_end=True)
    assert not standing.move(12).move(13).is_due(RULE)
    assert standing.move(12).move(13).move(14).is_due(RULE)


def test_a_pass_proves_what_an_earlier_replication_left_open() -> None:
    standing = moved(4, 7, 9).replicate(9, Outcome.OPEN).move(12).replicate(12, Outcome.PASSED)
    assert standing == Standing(anchor=12, earlier=(0,))


def test_an_aborted_replication_stays_due() -> None:
    assert moved(4, 7, 9).replicate(9, Outcome.ABORTED).is_due(RULE)


def test_a_demotion_drops_every_head_since_the_anchor() -> None:
    standing = moved(4, 7, 9).replicate(9, Outcome.PASSED).move(12).move(15)
    assert standing.find_fall(15, failed=False) == 9
    assert standing.list_fallen(9) == (12, 15)
    assert standing.demote(9) == Standing(anchor=9, earlier=(0,))


def test_a_head_that_fails_takes_only_what_was_built_on_it() -> None:
    standing = moved(4, 7, 9)
    assert [standing.find_fall(number, failed=True) for number in (9, 7, 4)] == [7, 4, 0]
    assert standing.demote(7) == moved(4, 7)


def test_an_anchor_that_fails_falls_to_the_one_before() -> None:
    standing = moved(4, 7).replicate(7, Outcome.PASSED)
    assert (standing.rival, standing.find_fall(7, failed=True)) == (0, 0)
    assert standing.list_fallen(0) == (7,)
    assert standing.demote(0) == Standing(anchor=0)
    assert Standing(anchor=0).rival is None, "there is nothing below the start"


def test_a_replication_of_a_head_that_is_gone_changes_nothing() -> None:
    standing = moved(4, 7, 9).demote(0)
    assert standing.replicate(9, Outcome.PASSED) == standing
