"""The command `show`: one trial or one proof as people read it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from lineage_repo.analysis.facts import collect_values
from lineage_repo.cli.options import campaign_dir, json_option, trial_argument
from lineage_repo.cli.output import Row, print_json, print_rows
from lineage_repo.errors import RecordError
from lineage_repo.model.comparison import Comparison
from lineage_repo.model.ledger import Proof, ProofRegistration, Trial
from lineage_repo.model.manifest import Task
from lineage_repo.model.objective import Objective
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.from_git import view_gain
from lineage_repo.monitor.record_view import level_text, p_text
from lineage_repo.prompting.queries import gain_text, margin_text, spread_text
from lineage_repo.record.claims import Claims, price
from lineage_repo.record.lineage import Lineage
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.message import heading
from lineage_repo.verdict.judge import paired_gains
from lineage_repo.verdict.margins import values_per_seed
from lineage_repo.verdict.rules import certificate
from lineage_repo.verdict.statistics import estimate_spread

_VALUES = 8
"""Values on one line."""


@click.command()
@campaign_dir
@trial_argument("trial", required=False)
@click.option("--proof", type=click.IntRange(1), help="Show a replication or a certification instead, by its number.")
@json_option
def show(directory: Path, trial: int | None, proof: int | None, as_json: bool) -> None:
    """Show one trial: what was claimed, what was measured against what, how it was judged, what is proven of it.

    Values stand in the order in which they were measured; those of the other side are in brackets.
    """
    if trial is not None and proof is None:
        return _show_trial(open_lineage(directory), directory, trial, as_json=as_json)
    if proof is not None and trial is None:
        return _show_proof(open_lineage(directory), directory, proof, as_json=as_json)
    raise click.UsageError("name either a trial or, by --proof, a proof")


def _show_trial(lineage: Lineage, directory: Path, trial: int, *, as_json: bool) -> None:
    recorded = lineage.trial(trial)
    if as_json:
        return print_json(recorded.model_dump(mode="json", exclude_none=True))
    artifacts = CampaignPaths(directory).session(recorded.proposal.session).folder
    return print_rows(
        [
            *_proposal_rows(recorded, lineage.task.objective),
            *_verdict_rows(lineage, recorded),
            *_comparison_rows(lineage.task, recorded.comparisons, recorded.number),
            *_source_rows(recorded, artifacts),
            *_measurement_rows(lineage, recorded),
            ("commit", lineage.commits[trial]),
            *(("notice", notice) for notice in recorded.notices),
            *(("margin", margin_text(lineage.task, margin)) for margin in recorded.verdict.margins),
            *(
                (f"proof {entry.proof}", _proof_text(entry, lineage.task.objective))
                for entry in lineage.proofs.values()
                if trial in {entry.number, entry.against}
            ),
        ]
    )


def _show_proof(lineage: Lineage, directory: Path, number: int, *, as_json: bool) -> None:
    if number not in lineage.proofs_registered:
        last = max(lineage.proofs_registered, default=0)
        raise RecordError(f"no proof {number}; " + (f"registered are 1 to {last}" if last else "none is registered"))
    entry, proof = lineage.proofs_registered[number], lineage.proofs.get(number)
    if as_json:
        facts = (proof or entry).model_dump(mode="json", exclude_none=True)
        return print_json(facts | {"price": price(proof.comparisons).model_dump()} if proof else facts)
    return print_rows([*_registration_rows(entry), *_progress_rows(directory, entry, proof), *_rows(lineage, proof)])


def _registration_rows(entry: ProofRegistration) -> Iterator[Row]:
    looks = ", ".join(map(str, entry.blocks))
    yield "proof", f"{entry.proof}: {entry.number:04d} against {entry.against:04d}, to be {entry.level}"
    yield "began", f"{entry.at:%F %T} UTC, before its first seed; the gain is looked at after {looks} blocks"


def _progress_rows(directory: Path, entry: ProofRegistration, proof: Proof | None) -> Iterator[Row]:
    progress = CampaignPaths(directory).proof(entry.proof).progress
    if proof is None:
        yield "running", progress.read_text("utf-8") if progress.is_file() else "no progress yet"


def _rows(lineage: Lineage, proof: Proof | None) -> Iterator[Row]:
    if proof is None:
        return
    task, cost = lineage.task, price(proof.comparisons)
    metric = "" if proof.metric == task.objective.metric else f" in {proof.metric}"
    yield "outcome", proof.outcome + (f": {proof.failure}" if proof.failure else "")
    if proof.gain:
        yield "gain", f"{task.objective.gain_text(proof.gain)} (95 %, {proof.gain.n} blocks){metric}"
        yield "spread", spread_text(task, proof.comparisons, proof.metric)
    if proof.p is not None:
        k = lineage.count_proofs(proof.level, proof.proof)
        level = certificate(task.judge, (0.0, 0.0), k).level
        yield "rule", f"{p_text(proof.p)}, needed below {level:.2g} for certification {k}"
    yield from _comparison_rows(task, proof.comparisons, metric=proof.metric)
    yield "price", f"{cost.seeds} seeds, {cost.slot_s / 3600:.3f} slot hours"
    yield "isolation", ", ".join(f"{name} {value}" for name, value in proof.isolation.items())
    yield "ended", f"{proof.at:%F %T} UTC"
    for demotion in lineage.demotions:
        if demotion.proof == proof.proof:
            yield "demotion", f"{demotion.number:04d}: the head is {demotion.head:04d} again"


def _proposal_rows(trial: Trial, objective: Objective) -> Iterator[Row]:
    proposal = trial.proposal
    yield "trial", f"{trial.number:04d}  {trial.status}  {objective.text(trial.score)}"
    yield "title", heading(proposal)
    yield "hypothesis", proposal.hypothesis
    yield "notes", proposal.notes
    yield "parent", "none" if proposal.parent is None else f"{proposal.parent:04d}"
    if not trial.lacks("expected_delta"):
        yield "expected", f"{proposal.expected_delta:+.{objective.digits}f} {objective.unit} against the parent"


def _verdict_rows(lineage: Lineage, trial: Trial) -> Iterator[Row]:
    verdict, objective, claim = trial.verdict, lineage.task.objective, Claims(lineage).of(trial.number)
    gain = view_gain(verdict.gain)
    if verdict.gain and gain and verdict.against is not None:
        yield "gain", f"{gain_text(objective, verdict)} (95 %)"
        yield "spread", spread_text(lineage.task, trial.comparisons[-1:])
    if claim.gain and trial.number:
        total = view_gain(claim.gain)
        level = "as its origin kept it" if trial.imported else level_text(claim.level, claim.demoted_by, claim.steps)
        relation = total.relation("the start") if total else ""
        yield "in all", f"{objective.gain_text(claim.gain)} (95 %), {relation}; {level or 'nothing is proven'}"
    yield "failure", verdict.failure or ""


def _comparison_rows(
    task: Task, comparisons: tuple[Comparison, ...], trial: int | None = None, *, metric: str | None = None
) -> Iterator[Row]:
    """The values of both sides in the order measured, and the gain of each block; a trial's first is its screen."""
    metric, digits = metric or task.objective.metric, task.objective.digits
    for place, comparison in enumerate(comparisons):
        is_screen = place == 0 and bool(trial)
        sides = {"candidate": comparison.candidate, "reference": comparison.reference}
        left = {side: iter(values_per_seed(task, m).get(metric, ())) for side, m in sides.items() if m}
        shown: list[str] = []
        for turn in comparison.turns:
            value = next(left[turn.side], None)
            text = "-" if value is None else f"{value:.{digits}f}"
            shown.append(f"({text})" if turn.side == "reference" else text)
        other = "the start" if comparison.against is None else f"{comparison.against:04d}"
        shared = ", shared seeds" if comparison.shared_seeds else ""
        name = "screen" if is_screen else "blocks" if trial != 0 else "start"
        yield from _wrap(name, shown, f"   ({other}){shared}")
        if comparison.window:
            spread = estimate_spread(comparison.window)
            earlier = f"mean {spread.mean:.{digits}f}, sd {spread.sd:.{digits}f}"
            yield "", f"{spread.n} earlier values of {other}: {earlier}"
        if not is_screen and comparison.reference and comparison.against is not None:
            yield from _gain_rows(task, comparison, metric)


def _gain_rows(task: Task, comparison: Comparison, metric: str) -> Iterator[Row]:
    values = [values_per_seed(task, m).get(metric, ()) for m in comparison.measurements]
    if len(values[0]) == len(values[1]) > 1:
        gains = paired_gains(task, comparison, metric=metric)
        digits = task.objective.digits
        yield from _wrap("", [f"{gain:+.{digits}f}" for gain in gains], "   gain of each block")


def _wrap(name: str, values: Sequence[str], what: str) -> Iterator[Row]:
    """Rows of eight values; the last one says what they are."""
    rows = ["  ".join(values[i : i + _VALUES]) for i in range(0, len(values), _VALUES)]
    for place, text in enumerate(rows):
        yield "" if place else name, text + (what if place == len(rows) - 1 else "")


def _source_rows(trial: Trial, artifacts: Path) -> Iterator[Row]:
    """Who proposed it and when; for an imported trial also what it was there, lacks, and what the import changed."""
    proposal, origin, recorded = trial.proposal, trial.imported, f"{trial.at:%F %T} UTC"
    yield "session", proposal.specialist + ("" if trial.lacks("session") else f" / {proposal.session}")
    yield "files", str(artifacts) if artifacts.is_dir() else ""
    if origin is None:
        elapsed_s = (trial.at - trial.registered_at).total_seconds()
        yield "recorded", f"{recorded}, {elapsed_s:.1f} s after it was registered"
        return
    yield "recorded", recorded
    yield "origin", f"imported, there {origin.id}; missing: {', '.join(origin.missing) or 'nothing'}"
    yield "values", ", ".join(f"{name} {value:.10g}" for name, value in origin.values.items())
    yield from (("repaired", line) for line in origin.repairs)


def _measurement_rows(lineage: Lineage, trial: Trial) -> Iterator[Row]:
    if trial.measurement is not None and not trial.fault:  # a mean over some of the seeds would mislead
        means = ", ".join(f"{name} {mean:.6g}" for name, mean in collect_values(lineage.task, trial).items())
        yield "means", f"{means} over {trial.n_seeds} seeds"
    slowdown = lineage.host_slowdown(trial.measurement) if trial.measurement else None
    if slowdown is not None:
        excess = ", more than the task allows" if slowdown > lineage.task.disturbance.above else ""
        yield "host", f"{abs(slowdown):.0%} {'slower' if slowdown >= 0 else 'faster'} than at calibration{excess}"
    yield "isolation", ", ".join(f"{name} {value}" for name, value in trial.isolation.items())


def _proof_text(entry: Proof, objective: Objective) -> str:
    gain = f", {objective.gain_text(entry.gain)}" if entry.gain else ""
    return f"{entry.number:04d} against {entry.against:04d}, to be {entry.level}: {entry.outcome}{gain}"
