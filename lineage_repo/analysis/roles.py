"""Who did what, and who built on whom."""

from statistics import fmean, pstdev

from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Number, Record, Status
from lineage_repo.record.lineage import Lineage

ARCHITECTURE = "arch"


class RoleRow(Record):
    """One role's trials."""

    role: str
    trials: int
    scored: int
    keeps: int


class Roles(Record):
    """Keeps by role and the balance of allocation.

    `cv` is the population standard deviation of the trials per role over their mean. Roles without a trial don't count.
    """

    rows: tuple[RoleRow, ...]
    least: int
    most: int
    cv: float
    with_keep: int

    def lines(self) -> list[str]:
        """Format for people."""
        rows = [f"{r.role:14} {r.trials:5} trials  {r.scored:5} scored  {r.keeps:4} keeps" for r in self.rows]
        return [
            *rows,
            f"{self.least} to {self.most} trials per role, variation {self.cv:.3f}",
            f"{self.with_keep} of {len(self.rows)} roles with a keep",
        ]


class Edges(Record):
    """Who builds on whom.

    A parent edge is a trial whose parent is a trial of the campaign other than the start; it crosses if the roles
    differ. A keep edge is a parent edge whose trial is a keep. Parent heads are the distinct parents without the start.
    """

    parent: int
    parent_cross: int
    keep: int
    keep_cross: int
    heads: tuple[Number, ...]

    def lines(self) -> list[str]:
        """Format for people."""
        return [
            f"parent edges across roles {format_share(self.parent_cross, self.parent)}",
            f"keep edges across roles   {format_share(self.keep_cross, self.keep)}",
            f"parent heads {len(self.heads)}",
        ]


class Architecture(Record):
    """The architecture-domain audit: trials whose role or domain is `arch`."""

    trials: int
    whole: int

    def lines(self) -> list[str]:
        """Format for people."""
        return [f"role or domain {ARCHITECTURE!r}: {format_share(self.trials, self.whole)}"]


def compute_roles(lineage: Lineage) -> Roles:
    """Count by role, in order of first appearance; raise `UnsupportedError` without trials."""
    trials = list_trials(lineage)
    by_role: dict[str, list[Trial]] = {}
    for trial in trials:
        by_role.setdefault(trial.proposal.specialist, []).append(trial)
    rows = tuple(
        RoleRow(
            role=role,
            trials=len(own),
            scored=sum(t.score is not None for t in own),
            keeps=sum(t.status is Status.KEEP for t in own),
        )
        for role, own in by_role.items()
    )
    sizes = [row.trials for row in rows]
    return Roles(
        rows=rows,
        least=min(sizes),
        most=max(sizes),
        cv=pstdev(sizes) / fmean(sizes),
        with_keep=sum(row.keeps > 0 for row in rows),
    )


def compute_edges(lineage: Lineage) -> Edges:
    """Count the edges; raise `UnsupportedError` without trials."""
    pairs = [(lineage.trials[t.proposal.parent], t) for t in list_trials(lineage) if t.proposal.parent]
    crossing = [child for parent, child in pairs if parent.proposal.specialist != child.proposal.specialist]
    return Edges(
        parent=len(pairs),
        parent_cross=len(crossing),
        keep=sum(child.status is Status.KEEP for _, child in pairs),
        keep_cross=sum(child.status is Status.KEEP for child in crossing),
        heads=tuple(sorted({parent.number for parent, _ in pairs})),
    )


def compute_architecture(lineage: Lineage) -> Architecture:
    """Count the architecture trials; raise `UnsupportedError` without trials."""
    trials = list_trials(lineage)
    matching = [t for t in trials if ARCHITECTURE in {t.proposal.specialist, t.imported.domain if t.imported else ""}]
    return Architecture(trials=len(matching), whole=len(trials))
