"""Check trials: registered, measured stage by stage as the rules say, and judged as their measurements replay."""

from collections.abc import Iterator

from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import LEVELS
from lineage_repo.record.lineage import Lineage
from lineage_repo.verdict import rules
from lineage_repo.verdict.judge import JUDGE_VERSION, find_hopeless_bound, judge, screen_values, wants_blocks
from lineage_repo.verdict.margins import values_per_seed
from lineage_repo.verification.comparisons import check_comparison


def check_trial(lineage: Lineage, where: str, trial: Trial) -> Iterator[str]:
    """Yield what is wrong with a trial at its place in the ledger; `where` begins each line."""
    what = f"{where}: trial {trial.number:04d}"
    registration = lineage.registered.get(trial.number)
    if registration is None:
        yield f"{what} has a verdict but was never registered"
        return
    if trial.number in lineage.trials:
        yield f"{what} has a second verdict"
    if (trial.proposal, trial.digests, trial.registered_at) != (
        registration.proposal,
        registration.digests,
        registration.at,
    ):
        yield f"{what} claims another proposal than was registered"
    task = lineage.task
    head = lineage.standing.head if lineage.standing else None
    if trial.head != head:
        yield f"{what} was judged against {_describe(trial.head)}, but the head was {_describe(head)}"
    yield from _check_measurement(lineage, what, trial)
    noise = lineage.noise(task, trial.comparisons[0].ledger if trial.comparisons else None) if trial.number else {}
    if trial.noise != noise:
        yield f"{what} was judged with a noise that the calibrations don't give"
    if trial.judge_version != JUDGE_VERSION:
        yield f"{what} was judged by version {trial.judge_version}, which version {JUDGE_VERSION} can't replay"
    elif not trial.verdict.alike(judge(task, trial.comparisons, trial.fault, trial.head, trial.noise)):
        yield f"{what} says {trial.status}, which its measurement does not replay to"


def _describe(head: int | None) -> str:
    return "nothing" if head is None else f"{head:04d}"


def _check_measurement(lineage: Lineage, what: str, trial: Trial) -> Iterator[str]:
    """A trial's measurement fits its campaign."""
    campaign = lineage.campaign
    if {k: v for k, v in trial.digests.items() if k != "brief"} != campaign.digests:
        yield f"{what} was measured with other digests than the campaign's"
    if trial.proposal.specialist not in {*lineage.roster, "start"}:
        yield f"{what} is by {trial.proposal.specialist!r}, whom the campaign doesn't have"
    if not trial.registered_at <= trial.at:
        yield f"{what} was recorded before it was registered"
    if trial.number == 0:
        if trial.proposal.recipe_tree != campaign.start_tree:
            yield f"{what} is not the start that the campaign froze"
        if trial.comparisons != tuple(c.comparison for c in lineage.calibrations):
            yield f"{what} is not what the calibrations measured"
    if not trial.comparisons:
        return
    yield from check_level(lineage, what, trial.isolation)
    if trial.number:
        yield from _check_stages(lineage, what, trial)


def _check_stages(lineage: Lineage, what: str, trial: Trial) -> Iterator[str]:
    """A trial has a screen, and blocks where it passed it, each against the head of its moment."""
    task, rule = lineage.task, lineage.task.judge
    for place, comparison in enumerate(trial.comparisons):
        name = f"{what}, {'blocks' if place else 'screen'}"
        last = place == len(trial.comparisons) - 1
        complete = not (trial.fault and last)
        ledger = comparison.ledger or ""
        head = lineage.head_at(ledger)
        if head is None or comparison.against != head:
            yield f"{name} is against {_describe(comparison.against)}, but the head was {_describe(head)}"
            return
        if lineage.registered_after(trial.number, ledger):
            yield f"{name} began before the trial was registered"
        order = rules.order_blocks(rule.blocks) if place else rules.order_screen(rule, trial.number, task.n_seeds)
        stopped = complete and not place and comparison.candidate.n_seeds < len([s for s in order if s == "candidate"])
        yield from check_comparison(
            lineage,
            name,
            comparison,
            order[: len(comparison.turns)] if stopped else order,
            (None, lineage.trials[head]),
            complete=complete,
        )
        if comparison.window != (() if place else lineage.window_at(head, ledger)):
            yield f"{name} compares with values of the head that the record doesn't give"
        if comparison.shared_seeds != (place > 0 and lineage.shares_seeds(ledger)):
            yield f"{name} shares seeds, or does not, other than the calibrations say"
    if trial.fault or trial.head is None:
        return
    for place, comparison in enumerate(trial.comparisons[1:], 1):
        if not wants_blocks(task, trial.comparisons[:place], comparison.against or 0, trial.noise):
            why = "its screen was not passed" if place == 1 else "those before it were against the same head, or lost"
            yield f"{what} has blocks in place {place + 1}, although {why}"
    if wants_blocks(task, trial.comparisons, trial.head, trial.noise):
        yield f"{what} was judged before its blocks against the head were measured"
    yield from _check_first_seed(lineage, what, trial)


def _check_first_seed(lineage: Lineage, what: str, trial: Trial) -> Iterator[str]:
    """A screen ends after its first seed exactly where the rule says that no second one is worth it."""
    task, screen = lineage.task, trial.comparisons[0]
    bound = find_hopeless_bound(task, screen_values(task, screen), trial.noise)
    value = values_per_seed(task, screen.candidate)[task.objective.metric][0]
    if bound is None:
        if screen.candidate.n_seeds < (task.n_seeds if task.judge.rule == "any" else task.judge.screen_seeds):
            yield f"{what} has a screen of {screen.candidate.n_seeds} seeds, which no rule stops"
        return
    if (task.objective.gain(value, bound) < 0) != (screen.candidate.n_seeds < task.judge.screen_seeds):
        yield f"{what} has the first value {value:g}; with the bound {bound:g} it went on, or stopped, against the rule"


def check_level(lineage: Lineage, what: str, isolation: dict[str, str]) -> Iterator[str]:
    """A measurement has at least the isolation that the campaign requires."""
    required, level = lineage.campaign.isolation, isolation.get("level")
    if required in LEVELS and (level not in LEVELS or LEVELS.index(level) < LEVELS.index(required)):
        yield f"{what} ran with isolation {level!r}, the campaign requires {required!r}"
