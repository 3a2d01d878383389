"""`espalier certify` and `espalier replicate`: prove a gain in blocks on fresh seeds."""

import shlex
import time
from pathlib import Path

import click

from lineage_repo.cli.options import campaign_dir, json_option
from lineage_repo.cli.output import print_json, print_lines, print_progress, show_progress
from lineage_repo.errors import CampaignError, RecordError
from lineage_repo.model.comparison import Outcome
from lineage_repo.model.ledger import Proof, ProofLevel, ProofRegistration
from lineage_repo.monitor.record_view import p_text
from lineage_repo.progress import report_detail
from lineage_repo.prompting.queries import spread_text
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.claims import price
from lineage_repo.storage import locks
from lineage_repo.storage.message import proof_subject
from lineage_repo.verdict.proofs import find_pinned_seed
from lineage_repo.verdict.rules import certificate
from mcp_server.commands.opening import open_to_measure
from mcp_server.trial import proving
from mcp_server.trial.executor import LocalExecutor

_POLL_S = 0.2
_TELLING_SEEDS = 4
"""Seeds of a trial from which on a pinned seed shows in its own measurement."""
NOT_PROVEN = 3
"""Exit status of a proof that ended without one."""


@click.command("certify")
@campaign_dir
@click.option("--trial", type=click.IntRange(0), help="The recipe in question.  [the anchor]")
@click.option(
    "--against", type=click.IntRange(0), default=0, show_default=True, help="What it must beat; 0: the start."
)
@json_option
def certify(directory: Path, trial: int | None, against: int, as_json: bool) -> None:
    """Measure a trial and what it must beat in blocks on fresh seeds; exits 3 if the gain does not hold.

    A search picks the luckiest of many trials, and a host drifts: this is the number to publish. The k-th certification
    of a campaign has 1 / (k (k + 1)) of the manifest's level, counted when it is registered, so that asking until the
    answer is yes does not pay, and an interruption spends it too. It goes into the record, and `verify` replays it.
    """
    campaign, executor = open_to_measure(directory)
    lineage = campaign.lineage.refresh()
    anchor = lineage.anchor
    if anchor is None:
        raise CampaignError(f"{directory} has no baseline: `espalier calibrate {shlex.quote(str(directory))}`")
    number = trial if trial is not None else anchor.number
    if number == against:
        raise CampaignError(
            f"trial {number:04d} can't beat itself: name another with --trial or --against"
            + (", or prove the head first: `espalier replicate`" if trial is None else "")
        )
    measurement = lineage.trial(number).measurement
    refusal = measurement and find_pinned_seed(campaign.task, measurement, lineage.noise(campaign.task))
    if measurement and measurement.n_seeds >= _TELLING_SEEDS and refusal:
        raise CampaignError(f"trial {number:04d} can't be certified: {refusal}")
    _prove(campaign, executor, "certified", number, against, as_json=as_json)


@click.command("replicate")
@campaign_dir
@click.option("--if-needed", is_flag=True, help="Do nothing if the head is the anchor, or was tested since it moved.")
@json_option
def replicate(directory: Path, if_needed: bool, as_json: bool) -> None:
    """Measure the head against the anchor in blocks on fresh seeds; exits 3 if the gain does not hold.

    A campaign does this by itself after some moves of the head and at its end. A pass makes the head the anchor, which
    the branch `best` follows; a head without any gain is demoted.
    """
    campaign, executor = open_to_measure(directory)
    campaign.recover()
    standing = campaign.lineage.refresh().standing
    if standing is None:
        raise CampaignError(f"{directory} has no baseline: `espalier calibrate {shlex.quote(str(directory))}`")
    while running := campaign.lineage.refresh().running_proof():
        print_progress(f"proof {running.proof} runs already")
        _wait(campaign, running)
        standing = campaign.lineage.standing or standing
    if not standing.moves:
        if not if_needed:
            tested = "the head is the anchor" if standing.is_proven else "the head was tested since it moved"
            raise CampaignError(
                f"{tested}, so there is nothing to replicate: asking again until it passes proves nothing"
            )
        print_progress("nothing to replicate: the head has not moved since")
        return
    _prove(campaign, executor, "replicated", standing.head, standing.anchor, as_json=as_json)


def _prove(
    campaign: Campaign, executor: LocalExecutor, level: ProofLevel, number: int, against: int, *, as_json: bool
) -> None:
    while (entry := _launch(campaign, executor, level, number, against)) is None:
        if running := campaign.lineage.refresh().running_proof():
            print_progress(f"proof {running.proof} runs already")
            _wait(campaign, running)
    print_progress(proof_subject(entry, campaign.task.objective))
    proof = _wait(campaign, entry)
    if as_json:
        print_json(_as_json(campaign, proof))
    else:
        print_lines(*_format(campaign, proof))
    if proof.outcome is not Outcome.PASSED:
        raise SystemExit(NOT_PROVEN)


def _launch(
    campaign: Campaign, executor: LocalExecutor, level: ProofLevel, number: int, against: int
) -> ProofRegistration | None:
    """Start a proof; None if somebody else was faster, and another one runs."""
    try:
        return proving.launch(campaign, level, number, against, executor.host)
    except RecordError:
        if campaign.lineage.refresh().running_proof() is None:
            raise
        return None


def _wait(campaign: Campaign, entry: ProofRegistration) -> Proof:
    """Wait for a proof, with its progress; Ctrl-C leaves it running."""
    paths, shown = campaign.paths.proof(entry.proof), ""
    try:
        with show_progress():
            while entry.proof not in campaign.lineage.refresh().proofs:
                if not locks.is_alive(paths.folder):
                    campaign.recover()
                line = paths.progress.read_text("utf-8") if paths.progress.exists() else ""
                if line and line != shown:
                    report_detail(line)
                    shown = line
                time.sleep(_POLL_S)
    except KeyboardInterrupt:
        folder = shlex.quote(str(campaign.folder))
        goes_on = f"proof {entry.proof} goes on and is recorded; `espalier log {folder}` shows it"
        print_progress(f"{goes_on}, and `espalier cancel {folder} --proof {entry.proof}` ends it")
        raise SystemExit(130) from None
    return campaign.lineage.proofs[entry.proof]


def _as_json(campaign: Campaign, proof: Proof) -> dict[str, object]:
    facts = proof.model_dump(mode="json", exclude={"comparisons", "isolation", "kind"})
    level = {"needed_p": _needed_p(campaign, proof)} if proof.level == "certified" else {}
    return {"schema": "espalier.proof/1", **facts, **level, "price": price(proof.comparisons).model_dump()}


def _needed_p(campaign: Campaign, proof: Proof) -> float:
    k = campaign.lineage.count_proofs(proof.level, proof.proof)
    return certificate(campaign.task.judge, (0.0, 0.0), k).level


def _format(campaign: Campaign, proof: Proof) -> list[str]:
    objective, cost = campaign.task.objective, price(proof.comparisons)
    pair = f"{proof.number:04d} against {proof.against:04d}"
    lines = [f"proof     {proof.proof}: {pair}, {cost.seeds} fresh seeds, {cost.slot_s / 3600:.2f} slot hours"]
    if proof.gain:
        what = "" if proof.metric == objective.metric else f" in {proof.metric}"
        lines.append(f"gain      {objective.gain_text(proof.gain)} (95 %, {proof.gain.n} blocks){what}")
        lines.append(f"spread    {spread_text(campaign.task, proof.comparisons, proof.metric)}")
    if proof.p is not None:
        k = campaign.lineage.count_proofs(proof.level, proof.proof)
        needed = f"{p_text(proof.p)}, needed below {_needed_p(campaign, proof):.2g} for certification {k}"
        lines.append(f"rule      a gain above {campaign.task.judge.certified_gain:g} {objective.unit}: {needed}")
    if proof.failure:
        lines.append(f"because   {proof.failure}")
    lines.append(f"{proof.level:<9} {'yes' if proof.outcome is Outcome.PASSED else f'no, {proof.outcome}'}")
    return lines
