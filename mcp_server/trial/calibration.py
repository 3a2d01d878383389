"""Calibration: measure the unmodified start until its noise is known, then record it as the baseline."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Calibration, Proposal, Trial, Verdict
from lineage_repo.model.manifest import Task
from lineage_repo.model.measurement import Clock, Margin, Record, Spread, Status, now
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.verdict.judge import judge, pool_measurements, threshold
from mcp_server.sandbox.cgroup import CGroup
from mcp_server.sandbox.host import Host, fingerprint
from mcp_server.sandbox.probe import launch_bias
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import Executor


def calibrate(campaign: Campaign, repeats: int, host: Host, executor: Executor, tell: Callable[[str], None]) -> Trial:
    """Append `repeats` measurements of the start to the ledger and return the baseline.

    Raises:
        CampaignError: a measurement failed, or the start misses its own gates.
    """
    campaign.check_digests()
    campaign.lineage.refresh().repair_refs()
    lineage = campaign.lineage.refresh()
    start = campaign.task_folder.read_start()
    snapshot = lineage.store.write_tree(start)
    if snapshot != lineage.campaign.start_tree:
        raise CampaignError(
            f"the recipe in {campaign.task_folder.path} is not the one this campaign began with: restore it"
        )
    clock = lineage.clock if lineage.calibrations else choose_clock(campaign.task.clock)
    bias = launch_bias(host, walls=campaign.settings.isolation != "none")
    seen = fingerprint() | {"launch_bias_s": f"{bias:.4f}"}
    known = len(lineage.calibrations)
    for nth in range(known + 1, known + repeats + 1):
        tell(f"calibration {nth} of {known + repeats}: {campaign.task.n_seeds} seeds of the start")
        with locks.scratch_folder(campaign.paths.trials, "calibration") as scratch:
            outcome, _ = measure(campaign, start, scratch, host=host, executor=executor, clock=clock, tell=tell)
            if outcome.fault or outcome.measurement is None:
                line = outcome.fault.failure if outcome.fault else "no measurement"
                raise CampaignError(f"the start does not run: {line}; its logs are in {scratch}")
        entry = Calibration(measurement=outcome.measurement, isolation=outcome.isolation, host=seen, at=now())
        lineage.calibrate(entry)
    if sum(len(c.measurement.box_seeds) for c in lineage.calibrations) < 2:
        raise CampaignError("one value tells nothing of the noise: calibrate with --repeats 2 or more")
    if verdict := _start_fails(campaign):
        raise CampaignError(f"the start fails its own gates: {verdict.failure}; {_ways_out(campaign.task)}")
    proposal = Proposal(
        parent=None,
        title=f"starting recipe of {campaign.task.name}",
        hypothesis="The recipe as it was found, measured by the calibration.",
        expected_delta=0.0,
        specialist="start",
        session="calibration",
        recipe_tree=snapshot,
    )
    return lineage.open_baseline(proposal, campaign.settings.digests)


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
    """Median CPU seconds of the fixed loop; 0 where nobody looked."""
    hosts: tuple[dict[str, str], ...]
    """Every host that measured the start, without what varies from call to call."""
    warnings: tuple[str, ...]
    """What makes verdicts doubtful, with the remedy."""


def noise_of(campaign: Campaign) -> Noise:
    """What the calibrations of a campaign with a baseline say."""
    task, lineage = campaign.task, campaign.lineage.refresh()
    spreads, best, start = lineage.noise(task), lineage.incumbent(), lineage.trials[0]
    if best is None or start.score is None:
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
        warnings=tuple(_doubts(task, spreads, hosts)),
    )


def _doubts(task: Task, spreads: Mapping[str, Spread], hosts: Sequence[Mapping[str, str]]) -> Iterator[str]:
    metric = task.objective.metric
    if spreads[metric].sd == 0 and task.objective.min_delta is None:
        yield (
            f"{metric} was the same for every seed, so the smallest gain counts: where the recipe pins its seed let it "
            "use the one it is given, or set objective.min_delta"
        )
    if any(host != hosts[0] for host in hosts):
        yield "the start was measured on several hosts: seconds of different ones don't compare"


def _start_fails(campaign: Campaign) -> Verdict | None:
    measurement = pool_measurements([c.measurement for c in campaign.lineage.calibrations])
    verdict = judge(campaign.task, measurement, None, None, None, {})
    return None if verdict.status is Status.BASELINE else verdict


def _ways_out(task: Task) -> str:
    others = [f"--variant {name} ({v.about})" for name, v in task.variants.items() if name != task.variant]
    if not others:
        return "lower the gate, or raise seeds"
    return f"on this host another start may pass: espalier task prepare {task.name} -o FOLDER {' or '.join(others)}"


def choose_clock(wanted: Clock) -> Clock:
    """`cpu` where the host accounts CPU seconds per box, else `wall`; calibration freezes which."""
    if wanted == "wall":
        return "wall"
    group = CGroup.create("probe", memory_bytes=1 << 30, processes=16)
    if group is None:
        return "wall"
    group.close()
    return "cpu"
