"""Calibration: measure the unmodified start until its noise is known, then record it as the baseline."""

from collections.abc import Iterator, Mapping, Sequence

from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Calibration, Proposal, Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Margin, Record, Spread, Status, now
from lineage_repo.model.objective import Gate
from lineage_repo.progress import report_progress
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.cost import Cost, estimate_cost, find_smallest_gain
from lineage_repo.storage import locks
from lineage_repo.storage.snapshot import Files
from lineage_repo.verdict.judge import judge
from lineage_repo.verdict.power import LEAST_POWER, gate_pass_probability, keep_power_over
from mcp_server.sandbox.host import fingerprint
from mcp_server.sandbox.selftest import measure_launch_bias
from mcp_server.trial.comparing import Comparer
from mcp_server.trial.executor import Executor

_SAFE = 0.95
"""Probability of passing a gate below which calibration warns."""


def calibrate(campaign: Campaign, repeats: int, executor: Executor) -> Trial:
    """Append `repeats` measurements of the start to the ledger and return the baseline, trial 0.

    Each measurement covers the task's number of seeds and is an entry of its own, so an interrupted calibration keeps
    what it has.

    Raises:
        CampaignError: the task folder differs from what was frozen, a measurement failed, all of them together have
            only one value, the start misses its own gates, or `min_delta` is beyond what can be found.
    """
    campaign.check_digests()
    campaign.lineage.refresh().repair_refs()
    lineage = campaign.lineage.refresh()
    start = campaign.task_folder.read_start()
    recipe_tree = lineage.store.write_tree(start)
    if recipe_tree != lineage.campaign.start_tree:
        raise CampaignError(
            f"the recipe in {campaign.task_folder.path} is not the one this campaign began with: restore it"
        )
    if lineage.calibrations:
        _check_smallest_gain(campaign)
    bias_s = measure_launch_bias(executor.host, walls=campaign.settings.isolation != "none")
    host = fingerprint() | {"launch_bias_s": f"{bias_s:.4f}"}
    total = len(lineage.calibrations) + repeats
    for number in range(total - repeats + 1, total + 1):
        report_progress(f"calibration {number} of {total}: {campaign.task.n_seeds} seeds of the start, each twice")
        lineage.calibrate(_measure_start(campaign, start, executor, host))
    if sum(c.measurement.n_seeds for c in lineage.calibrations) < 2:
        raise CampaignError("one value tells nothing about the noise: calibrate with --repeats 2 or more")
    _check_gates(campaign)
    _check_smallest_gain(campaign)
    proposal = Proposal(
        parent=None,
        title=f"starting recipe of {campaign.task.name}",
        hypothesis="The recipe as it was found, measured by the calibration.",
        expected_delta=0.0,
        specialist="start",
        session="calibration",
        recipe_tree=recipe_tree,
    )
    return lineage.open_baseline(proposal, campaign.settings.digests)


def _measure_start(campaign: Campaign, start: Files, executor: Executor, host: dict[str, str]) -> Calibration:
    with locks.scratch_folder(campaign.paths.trials, "calibration") as scratch:
        comparer = Comparer(campaign, scratch, executor)
        comparer.measure_start(start, campaign.task.n_seeds)
        found = comparer.evidence
        if found.fault or not found.comparisons:
            failure = found.fault.failure if found.fault else "no measurement"
            raise CampaignError(f"the start could not be measured: {failure}; its logs are in {scratch}")
    comparison = found.comparisons[0]
    comparison = comparison.model_copy(update={"host": comparison.host | host})
    return Calibration(comparison=comparison, isolation=found.isolation, at=now())


def _check_gates(campaign: Campaign) -> None:
    verdict = judge(campaign.task, [c.comparison for c in campaign.lineage.calibrations], None, None, {})
    if verdict.status is not Status.BASELINE:
        raise CampaignError(f"the start fails its own gates: {verdict.failure}; {_suggest_remedy(campaign.task)}")


def _check_smallest_gain(campaign: Campaign) -> None:
    """Refuse a `min_delta` that even a gain of three deviations of a seed hardly ever reaches."""
    task = campaign.task
    spread = campaign.lineage.noise(task)[task.objective.metric]
    power = keep_power_over(task.judge, spread.sd, task.objective.min_delta)
    if power < LEAST_POWER:
        manifest = campaign.settings.task_folder / "task.toml"
        raise CampaignError(
            f"objective.min_delta is {task.objective.min_delta:g} {task.objective.unit}, and the start's sd is "
            f"{spread.sd:.3g}: a gain of three of these would move the head in {power:.0%} of trials only. This "
            f"campaign has frozen it: lower it in {manifest}, and make a new campaign with `espalier init`"
        )


def _suggest_remedy(task: Task) -> str:
    others = [f"--variant {name} ({v.about})" for name, v in task.variants.items() if name != task.variant]
    if not others:
        return "lower the gate, or raise seeds"
    return f"on this host another start may pass: espalier task prepare {task.name} -o FOLDER {' or '.join(others)}"


class Noise(Record):
    """What the judge uses of a calibrated campaign, and what its rule costs and sees."""

    baseline: float
    measurements: int
    """Calibrations in the ledger."""
    n_seeds: int
    """Per calibration."""
    spreads: dict[str, Spread]
    """Of the objective and of each gate's metric, over every seed of the start."""
    correlation: float | None
    """Of the start's values under the same seed; None if it can't be told."""
    shared_seeds: bool
    """Whether both sides of a block take the same seed."""
    cost: Cost
    smallest_gain: float
    """The gain, in the objective's unit, that a trial finds with a probability of 80 %."""
    gates: dict[str, float]
    """Metric of each gate to the probability with which the start passes it in a trial that moves the head."""
    margins: tuple[Margin, ...]
    """The room that the start leaves under every gate and limit."""
    clock: Clock
    loop_cpu_s: float
    """Median CPU seconds of the fixed loop; 0 if it was never read."""
    hosts: tuple[dict[str, str], ...]
    """Every host that measured the start, without what varies from call to call."""
    warnings: tuple[str, ...]
    """What makes verdicts doubtful, with the remedy."""


def summarize_noise(campaign: Campaign) -> Noise:
    """Summarize the calibrations of a campaign; raise `CampaignError` if it has no baseline."""
    task, lineage = campaign.task, campaign.lineage.refresh()
    if lineage.head is None or (start := lineage.trials[0]).score is None:
        raise CampaignError(f"{campaign.folder} has no baseline: calibrate it")
    spreads, correlation = lineage.noise(task), lineage.correlate_seeds()
    found = [c.comparison.host for c in lineage.calibrations]
    hosts = [{name: host[name] for name in host if name != "launch_bias_s"} for host in found]
    gates = {gate.metric: _pass_probability(task, gate, spreads[gate.metric]) for gate in task.gates}
    shared = lineage.shares_seeds()
    return Noise(
        baseline=start.score,
        measurements=len(lineage.calibrations),
        n_seeds=task.n_seeds,
        spreads={name: spreads[name] for name in (task.objective.metric, *gates)},
        correlation=correlation,
        shared_seeds=shared,
        cost=estimate_cost(task),
        smallest_gain=find_smallest_gain(lineage),
        gates=gates,
        margins=start.verdict.margins,
        clock=lineage.clock,
        loop_cpu_s=lineage.calibrated_loop_s(),
        hosts=tuple(host for i, host in enumerate(hosts) if host not in hosts[:i]),
        warnings=tuple(_find_doubts(task, spreads, gates, hosts)),
    )


def _pass_probability(task: Task, gate: Gate, spread: Spread) -> float:
    """Return the probability with which the start passes a gate, by the rule and the seeds of a trial with blocks."""
    n_seeds = task.n_seeds if task.judge.rule == "any" else task.judge.screen_seeds + task.judge.blocks
    room = spread.mean - gate.limit if gate.at_least is not None else gate.limit - spread.mean
    return gate_pass_probability(room, spread.sd, n_seeds, gate.confidence if gate.rule == "bound" else None)


def _find_doubts(
    task: Task, spreads: Mapping[str, Spread], gates: Mapping[str, float], hosts: Sequence[Mapping[str, str]]
) -> Iterator[str]:
    metric = task.objective.metric
    if spreads[metric].sd == 0:
        yield (
            f"{metric} was the same for every seed, so the smallest gain counts: if the recipe pins its seed, let it "
            "use the one it is given, or set objective.min_delta"
        )
    for name, probability in gates.items():
        if probability < _SAFE:
            yield (
                f"the unmodified start passes the gate {name} in {probability:.0%} of trials only, so good recipes are "
                "lost there: lower the gate, or raise judge.blocks"
            )
    if any(host != hosts[0] for host in hosts):
        yield "the start was measured on several hosts: seconds of different ones don't compare"
