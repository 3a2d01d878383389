"""Named computations: each turns runs into a number, written as the paper writes it."""

from collections.abc import Callable, Mapping, Sequence

from lineage_repo.analysis.diversity import compute_diversity
from lineage_repo.analysis.economy import compute_rate
from lineage_repo.analysis.roles import compute_architecture, compute_edges, compute_roles
from lineage_repo.analysis.support import list_trials
from lineage_repo.analysis.trajectory import compute_status_counts, compute_trajectory
from lineage_repo.model.measurement import Status
from lineage_repo.record.lineage import Lineage

_PARAMETER_GOLF_BYTES = 16_000_000


class Release:
    """The runs at hand by name, and the diversity of each over the hypotheses of all of them."""

    def __init__(self, runs: Mapping[str, Lineage]) -> None:
        self.runs = runs
        self.corpus = [trial.proposal.hypothesis for run in runs.values() for trial in list_trials(run)]
        self.diversity = {name: compute_diversity(run, self.corpus) for name, run in runs.items()}


Computation = Callable[[Release, Sequence[str], str], str]
"""Takes the release, the claim's runs and its argument; most use only the first run."""


def count_trials(release: Release, names: Sequence[str], _: str) -> str:
    return f"{sum(len(list_trials(release.runs[name])) for name in names)}"


def count_status(release: Release, names: Sequence[str], status: str) -> str:
    return f"{sum(_count(release.runs[name], status) for name in names)}"


def count_architecture(release: Release, names: Sequence[str], _: str) -> str:
    return f"{sum(compute_architecture(release.runs[name]).trials for name in names)}"


def count_parent_heads(release: Release, names: Sequence[str], _: str) -> str:
    return f"{len(compute_edges(release.runs[names[0]]).heads)}"


def format_table_1(release: Release, names: Sequence[str], digits: str) -> str:
    """Best, change, trials and keeps; the change is a percentage with `digits` digits."""
    run = compute_trajectory(release.runs[names[0]])
    return f"{run.best:.4f}, {run.relative_change or 0:+.{digits}%}, {run.trials}, {run.keeps}"


def format_balance(release: Release, names: Sequence[str], _: str) -> str:
    roles = compute_roles(release.runs[names[0]])
    return f"{roles.least}-{roles.most}, {roles.cv:.3f}"


def format_keeps(release: Release, names: Sequence[str], roles: str) -> str:
    """Keeps of each of the named roles."""
    keeps = {row.role: row.keeps for row in compute_roles(release.runs[names[0]]).rows}
    return " ".join(str(keeps.get(role, 0)) for role in roles.split())


def format_roles_with_keep(release: Release, names: Sequence[str], _: str) -> str:
    roles = compute_roles(release.runs[names[0]])
    return f"{roles.with_keep} of {len(roles.rows)}"


def format_status_count(release: Release, names: Sequence[str], status: str) -> str:
    run = release.runs[names[0]]
    return f"{_count(run, status)} of {len(list_trials(run))}"


def format_status_share(release: Release, names: Sequence[str], status: str) -> str:
    run = release.runs[names[0]]
    return f"{_count(run, status) / len(list_trials(run)):.1%}"


def format_last_keep(release: Release, names: Sequence[str], _: str) -> str:
    run = compute_trajectory(release.runs[names[0]])
    return f"{run.best_trial:03d}, {run.after_last_keep} after"


def format_parent_edges(release: Release, names: Sequence[str], _: str) -> str:
    edges = compute_edges(release.runs[names[0]])
    return f"{edges.parent_cross}/{edges.parent}"


def format_keep_edges(release: Release, names: Sequence[str], _: str) -> str:
    edges = compute_edges(release.runs[names[0]])
    return f"{edges.keep_cross}/{edges.keep}"


def format_first_keeps(release: Release, names: Sequence[str], count: str) -> str:
    """Score of the last keep and number of keeps among the first `count` trials."""
    trials = list_trials(release.runs[names[0]])[: int(count)]
    keeps = [trial for trial in trials if trial.status is Status.KEEP]
    return f"{keeps[-1].score or 0:.4f}, {len(keeps)}"


def format_first_rate(release: Release, names: Sequence[str], count: str) -> str:
    """Trials per hour among the first `count` trials."""
    trials = list_trials(release.runs[names[0]])[: int(count)]
    return f"{len(trials) / ((trials[-1].at - trials[0].at).total_seconds() / 3600):.2f}"


def format_rate(release: Release, names: Sequence[str], _: str) -> str:
    return f"{compute_rate(release.runs[names[0]]).per_hour:.2f}"


def format_efficiency(release: Release, names: Sequence[str], _: str) -> str:
    """Parallel efficiency of the first run against the second, which has one submitter."""
    swarm, single = (release.runs[name] for name in names)
    return f"{compute_rate(swarm, single).efficiency or 0:.2f}"


def format_trial(release: Release, names: Sequence[str], argument: str) -> str:
    """Values of one trial; the argument is its id in the release and a format string."""
    id_, _, template = argument.partition(" ")
    trials = (trial.imported for trial in list_trials(release.runs[names[0]]))
    values = next(trial.values for trial in trials if trial and trial.id == id_)
    bytes_over = values.get("artifact_bytes", 0.0) - _PARAMETER_GOLF_BYTES
    return template.format(**values, bytes_over=bytes_over)


def format_effective_clusters(release: Release, names: Sequence[str], _: str) -> str:
    return f"{release.diversity[names[0]].effective:.1f}"


def format_top_cluster(release: Release, names: Sequence[str], _: str) -> str:
    return f"{release.diversity[names[0]].top_share:.1%}"


def format_near_duplicates(release: Release, names: Sequence[str], _: str) -> str:
    return f"{release.diversity[names[0]].near_duplicates or 0:.1%}"


def format_shared_clusters(release: Release, names: Sequence[str], _: str) -> str:
    diversity = release.diversity[names[0]]
    return f"{diversity.shared} of {diversity.plural}, {diversity.shared_trials} trials"


def _count(run: Lineage, status: str) -> int:
    return compute_status_counts(run).counts.get(Status(status), 0)


COMPUTATIONS: Mapping[str, Computation] = {
    function.__name__: function
    for function in (
        count_trials,
        count_status,
        count_architecture,
        count_parent_heads,
        format_table_1,
        format_balance,
        format_keeps,
        format_roles_with_keep,
        format_status_count,
        format_status_share,
        format_last_keep,
        format_parent_edges,
        format_keep_edges,
        format_first_keeps,
        format_first_rate,
        format_rate,
        format_efficiency,
        format_trial,
        format_effective_clusters,
        format_top_cluster,
        format_near_duplicates,
        format_shared_clusters,
    )
}
