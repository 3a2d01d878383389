"""The command `show`: one trial as people read it."""

from collections.abc import Iterator
from pathlib import Path

import click

from lineage_repo.analysis.facts import collect_values
from lineage_repo.cli.options import campaign_dir, json_option, trial_argument
from lineage_repo.cli.output import Row, print_json, print_rows
from lineage_repo.model.ledger import Certification, Trial
from lineage_repo.model.manifest import Objective
from lineage_repo.model.paths import CampaignPaths
from lineage_repo.prompting.queries import margin_text
from lineage_repo.record.lineage import Lineage
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.message import heading
from lineage_repo.text.phrases import certified_text


@click.command()
@campaign_dir
@trial_argument("trial")
@json_option
def show(directory: Path, trial: int, as_json: bool) -> None:
    """Show one trial: what was claimed, what was measured, how it was judged."""
    lineage = open_lineage(directory)
    recorded = lineage.trial(trial)
    if as_json:
        return print_json(recorded.model_dump(mode="json", exclude_none=True))
    artifacts = CampaignPaths(directory).session(recorded.proposal.session).folder
    return print_rows(
        [
            *_claim_rows(recorded, lineage.task.objective),
            *_verdict_rows(recorded, lineage.task.objective),
            *_source_rows(recorded, artifacts),
            *_measurement_rows(lineage, recorded),
            ("commit", lineage.commits[trial]),
            *(("notice", notice) for notice in recorded.notices),
            *(("margin", margin_text(lineage.task, margin)) for margin in recorded.verdict.margins),
            *(
                ("again", _certification_text(entry, lineage.task.objective))
                for entry in lineage.certifications
                if trial in {entry.number, entry.against}
            ),
        ]
    )


def _claim_rows(trial: Trial, objective: Objective) -> Iterator[Row]:
    proposal = trial.proposal
    yield "trial", f"{trial.number:04d}  {trial.status}  {objective.text(trial.score)}"
    yield "title", heading(proposal)
    yield "hypothesis", proposal.hypothesis
    yield "notes", proposal.notes
    yield "parent", "none" if proposal.parent is None else f"{proposal.parent:04d}"
    if not trial.lacks("expected_delta"):
        yield "expected", f"{proposal.expected_delta:+.{objective.digits}f} {objective.unit} against the parent"


def _verdict_rows(trial: Trial, objective: Objective) -> Iterator[Row]:
    verdict, digits = trial.verdict, objective.digits
    if verdict.delta_vs_parent is not None:
        yield "measured", f"{verdict.delta_vs_parent:+.{digits}f} {objective.unit} against the parent"
    if trial.incumbent and verdict.delta_vs_best is not None:
        rule = "by its origin" if verdict.threshold is None else f"a keep needed {verdict.threshold:.3g}"
        yield "vs best", f"{verdict.delta_vs_best:+.{digits}f} against #{trial.incumbent.number:04d}; {rule}"
    yield "failure", verdict.failure or ""


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


def _certification_text(entry: Certification, objective: Objective) -> str:
    gain = f"{entry.gain:.{objective.digits}f} {objective.unit}"
    pair = f"{entry.number:04d} against {entry.against:04d}"
    return f"{pair}: {certified_text(entry.certified)}, gain {gain}, p {entry.p:.2g}"
