"""The tables of proofs and of the leaderboard: what is proven, and at what price."""

from typing import NamedTuple

from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Proof
from lineage_repo.monitor.record_view import p_text
from lineage_repo.prompting.queries import leaderboard
from lineage_repo.record.claims import price
from lineage_repo.report.data import ReportData
from lineage_repo.report.figure import format_signed
from lineage_repo.verdict.judge import find_spreads

_LEADERS = 20


class ProofLine(NamedTuple):
    """One replication or certification."""

    proof: int
    level: str
    pair: str
    outcome: str
    """With the reason where there is one, and the demotion that it caused."""
    gain: str
    interval: str
    spread: str
    """Deviation over seeds of the trial and of what it was compared with."""
    p: str
    blocks: str
    seeds: str
    slot_hours: str


class Leader(NamedTuple):
    """One trial of the leaderboard."""

    rank: int
    trial: int
    title: str
    proven: str
    gain: str
    interval: str


def build_proof_rows(data: ReportData) -> list[ProofLine]:
    """Describe every registered proof, oldest first."""
    lineage = data.lineage
    demoted = {demotion.proof: demotion.number for demotion in lineage.demotions}
    lines: list[ProofLine] = []
    for number, entry in lineage.proofs_registered.items():
        proof = lineage.proofs.get(number)
        cost = price(proof.comparisons) if proof else None
        outcome = proof.outcome.value if proof else "running"
        outcome += f": {proof.failure}" if proof and proof.failure else ""
        outcome += f"; #{demoted[number]} is demoted" if number in demoted else ""
        mean, interval = _show(proof.gain if proof else None, data.objective.digits)
        metric = f" in {proof.metric}" if proof and proof.metric != data.objective.metric else ""
        line = ProofLine(
            proof=number,
            level=entry.level,
            pair=f"#{entry.number} against #{entry.against}",
            outcome=outcome,
            gain=mean + metric,
            interval=interval,
            spread=_show_spreads(data, proof),
            p="" if proof is None or proof.p is None else p_text(proof.p).removeprefix("p "),
            blocks=f"{proof.gain.n if proof and proof.gain else 0} of {entry.blocks[-1]}",
            seeds=str(cost.seeds) if cost else "",
            slot_hours=f"{cost.slot_s / 3600:.2f}" if cost else "",
        )
        lines.append(line)
    return lines


def _show_spreads(data: ReportData, proof: Proof | None) -> str:
    found = find_spreads(data.lineage.task, proof.comparisons, proof.metric) if proof and proof.gain else None
    return f"{found[0].sd:.3g} and {found[1].sd:.3g}" if found else ""


def build_leaderboard(data: ReportData) -> list[Leader]:
    """Rank the trials by what is proven of them, then by the gain over the start; ties share a rank."""
    leaders: list[Leader] = []
    rows = {row.t: row for row in data.rows}
    for rank, trial in leaderboard(data.lineage)[:_LEADERS]:
        row = rows[trial.number]
        mean, interval = _show(data.claims.of(trial.number).gain, data.objective.digits)
        proven = "the start" if trial.number == 0 else row.claim or row.finding
        leaders.append(Leader(rank, trial.number, row.title, proven, mean, interval))
    return leaders


def _show(gain: Interval | None, digits: int) -> tuple[str, str]:
    """A mean and its interval as two cells."""
    if gain is None:
        return "", ""
    if gain.low is None or gain.high is None:
        return format_signed(gain.mean, digits), "noise unknown"
    return format_signed(gain.mean, digits), f"{format_signed(gain.low, digits)} to {format_signed(gain.high, digits)}"
