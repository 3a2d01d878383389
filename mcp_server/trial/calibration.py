"""Calibration: measure the unmodified start until its noise is known, then record it as the baseline."""

from collections.abc import Iterator, Mapping, Sequence

from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Calibration, Proposal, Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Margin, Record, Spread, Status, now
from lineage_repo.progress import report_progress
from lineage_repo.record.campaign import Campaign
from lineage_repo.verdict.judge import judge, pool_measurements, threshold
from mcp_server.sandbox.host import fingerprint
from mcp_server.sandbox.selftest import measure_launch_bias
from mcp_server.trial.attempts import measure_again
from mcp_server.trial.executor import Executor


def calibrate(campaign: Campaign, repeats: int, executor: Executor) -> Trial:
    """Append `repeats` measurements of the start to the ledger and return the baseline, trial 0.

    Each measurement covers the task's number of seeds and is an entry of its own, so an interrupted calibration keeps
    what it has.

    Raises:
        CampaignError: the task folder differs from what was frozen, a measurement failed, all of them together have
            only one value, or the start misses its own gates.
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
    bias_s = measure_launch_bias(executor.host, walls=campaign.settings.isolation != "none")
    host = fingerprint() | {"launch_bias_s": f"{bias_s:.4f}"}
    total = len(lineage.calibrations) + repeats
    for number in range(total - repeats + 1, total + 1):
        report_progress(f"calibration {number} of {total}: {campaign.task.n_seeds} seeds of the start")
        measurement, isolation = measure_again(campaign, start, executor, kind="calibration", subject="the start")
        lineage.calibrate(Calibration(measurement=measurement, isolation=isolation, host=host, at=now()))
    if sum(len(c.measurement.box_seeds) for c in lineage.calibrations) < 2:
        raise CampaignError("one value tells nothing about the noise: calibrate with --repeats 2 or more")
    _check_gates(campaign)
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


def _check_gates(campaign: Campaign) -> None:
    measurement = pool_measurements([c.measurement for c in campaign.lineage.calibrations])
    verdict = judge(campaign.task, measurement, None, None, None, {})
    if verdict.status is not Status.BASELINE:
        raise CampaignError(f"the start fails its own gates: {verdict.failure}; {_suggest_remedy(campaign.task)}")


def _suggest_remedy(task: Task) -> str:
    others = [f"--variant {name} ({v.about})" for name, v in task.variants.items() if name != task.variant]
    if not others:
        return "lower the gate, or raise seeds"
    return f"on this host another start may pass: espalier task prepare {task.name} -o FOLDER {' or '.join(others)}"


class Noise(Record):
    """What the judge uses of a calibrated campaign."""

    baseline: float
    measurements: int
    """Calibrations in the ledger."""
    n_seeds: int
    """Per trial."""
    spreads: dict[str, Spread]
    """Of the objective and of each gate's metric, over every seed of the start."""
    best: int
    """The trial that the next one is compared with."""
    smallest_gain: float
    """What a trial has to gain over it, in the objective's unit, to be a keep."""
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
    spreads, best = lineage.noise(task), lineage.incumbent()
    if best is None or (start := lineage.trials[0]).score is None:
        raise CampaignError(f"{campaign.folder} has no baseline: calibrate it")
    hosts = [{name: c.host[name] for name in c.host if name != "launch_bias_s"} for c in lineage.calibrations]
    return Noise(
        baseline=start.score,
        measurements=len(lineage.calibrations),
        n_seeds=task.n_seeds,
        spreads={name: spreads[name] for name in (task.objective.metric, *(gate.metric for gate in task.gates))},
        best=best.number,
        smallest_gain=threshold(task, spreads, task.n_seeds, best.n_seeds),
        margins=start.verdict.margins,
        clock=lineage.clock,
        loop_cpu_s=lineage.calibrated_loop_s(),
        hosts=tuple(host for i, host in enumerate(hosts) if host not in hosts[:i]),
        warnings=tuple(_find_doubts(task, spreads, hosts)),
    )


def _find_doubts(task: Task, spreads: Mapping[str, Spread], hosts: Sequence[Mapping[str, str]]) -> Iterator[str]:
    metric = task.objective.metric
    if spreads[metric].sd == 0 and task.objective.min_delta is None:
        yield (
            f"{metric} was the same for every seed, so the smallest gain counts: if the recipe pins its seed, let it "
            "use the one it is given, or set objective.min_delta"
        )
    if any(host != hosts[0] for host in hosts):
        yield "the start was measured on several hosts: seconds of different ones don't compare"
