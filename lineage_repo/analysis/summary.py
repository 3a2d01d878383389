"""All analyses of one lineage."""

from collections.abc import Callable

from lineage_repo.analysis.diversity import Diversity, diversity
from lineage_repo.analysis.economy import Rate, Slots, rate, slots
from lineage_repo.analysis.limits import BudgetHits, Margins, budget_hits, margins
from lineage_repo.analysis.predictions import Predictions, predictions
from lineage_repo.analysis.progress import StatusCounts, Trajectory, statuses, trajectory
from lineage_repo.analysis.roles import Architecture, Edges, Roles, architecture, edges, roles
from lineage_repo.analysis.support import Absent
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
    """Every analysis, or why there is none, by its name."""

    campaign: str
    title: str
    imported: bool
    sections: dict[str, Section]

    def lines(self) -> list[str]:
        """For people: a heading per analysis."""
        lines = [clip(f"{self.campaign}   {self.title}", 160) + ("   (imported)" if self.imported else "")]
        for name, section in self.sections.items():
            lines += ["", name.replace("_", " "), *(f"  {line}" for line in section.lines())]
        return lines


def analyze(lineage: Lineage, single: Lineage | None = None) -> Analysis:
    """Run every analysis; `single` is the campaign with one submitter that parallel efficiency is measured against."""
    parts: dict[str, Callable[[], Section]] = {
        "trajectory": lambda: trajectory(lineage),
        "statuses": lambda: statuses(lineage),
        "roles": lambda: roles(lineage),
        "edges": lambda: edges(lineage),
        "architecture": lambda: architecture(lineage),
        "diversity": lambda: diversity(lineage),
        "rate": lambda: rate(lineage, single),
        "slots": lambda: slots(lineage),
        "budget_hits": lambda: budget_hits(lineage),
        "margins": lambda: margins(lineage),
        "predictions": lambda: predictions(lineage),
    }
    return Analysis(
        campaign=lineage.campaign.name,
        title=lineage.task.title,
        imported=lineage.is_imported,
        sections={name: _tried(part) for name, part in parts.items()},
    )


def _tried(part: Callable[[], Section]) -> Section:
    try:
        return part()
    except UnsupportedError as error:
        return Absent(absent=str(error))
