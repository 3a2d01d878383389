"""All analyses of one lineage."""

from collections.abc import Callable

from lineage_repo.analysis.diversity import Diversity, compute_diversity
from lineage_repo.analysis.economy import Rate, Slots, compute_rate, compute_slots
from lineage_repo.analysis.limits import BudgetHits, Margins, compute_budget_hits, compute_margins
from lineage_repo.analysis.predictions import Predictions, compute_predictions
from lineage_repo.analysis.roles import Architecture, Edges, Roles, compute_architecture, compute_edges, compute_roles
from lineage_repo.analysis.support import Absent
from lineage_repo.analysis.trajectory import StatusCounts, Trajectory, compute_status_counts, compute_trajectory
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.measurement import Record
from lineage_repo.record.lineage import Lineage
from lineage_repo.text.sanitize import clip

Section = (
    Trajectory
    | StatusCounts
    | Roles
    | Edges
    | Architecture
    | Diversity
    | Rate
    | Slots
    | BudgetHits
    | Margins
    | Predictions
    | Absent
)


class Analysis(Record):
    """Every analysis by name, or the reason why there is none."""

    campaign: str
    title: str
    imported: bool
    sections: dict[str, Section]

    def lines(self) -> list[str]:
        """Format for people, with a heading per analysis."""
        lines = [clip(f"{self.campaign}   {self.title}", 160) + ("   (imported)" if self.imported else "")]
        for name, section in self.sections.items():
            lines += ["", name.replace("_", " "), *(f"  {line}" for line in section.lines())]
        return lines


def analyze_lineage(lineage: Lineage, single: Lineage | None = None) -> Analysis:
    """Run every analysis; `single` is the campaign with one submitter that parallel efficiency is measured against."""
    parts: dict[str, Callable[[], Section]] = {
        "trajectory": lambda: compute_trajectory(lineage),
        "statuses": lambda: compute_status_counts(lineage),
        "roles": lambda: compute_roles(lineage),
        "edges": lambda: compute_edges(lineage),
        "architecture": lambda: compute_architecture(lineage),
        "diversity": lambda: compute_diversity(lineage),
        "rate": lambda: compute_rate(lineage, single),
        "slots": lambda: compute_slots(lineage),
        "budget_hits": lambda: compute_budget_hits(lineage),
        "margins": lambda: compute_margins(lineage),
        "predictions": lambda: compute_predictions(lineage),
    }
    return Analysis(
        campaign=lineage.campaign.name,
        title=lineage.task.title,
        imported=lineage.is_imported,
        sections={name: _compute_or_explain(part) for name, part in parts.items()},
    )


def _compute_or_explain(part: Callable[[], Section]) -> Section:
    try:
        return part()
    except UnsupportedError as error:
        return Absent(absent=str(error))
