"""The overview: where a campaign stands according to its record, in constant size, cached in `overview.json`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

from lineage_repo.model.paths import CampaignPaths
from lineage_repo.model.status_table import STATUSES
from lineage_repo.monitor.json_shape import read_json
from lineage_repo.monitor.record_view import GainView, ObjectiveView, read_tip

SCHEMA = "espalier.status/3"


class StandingTrial(NamedTuple):
    """The head that agents build on, or the anchor that is proven; the start at first."""

    trial: int
    score: float
    title: str
    at: datetime
    level: str | None
    """How well its gain is proven; None for the start."""
    gain: GainView | None
    """Over the start."""


class ProofView(NamedTuple):
    """A replication or a certification."""

    proof: int
    level: str
    number: int
    against: int
    metric: str
    blocks: int
    """Blocks that it takes at most."""
    since: datetime
    outcome: str | None
    """None while it runs."""
    gain: GainView | None
    p: float | None
    failure: str | None

    @property
    def title(self) -> str:
        """What it tests."""
        kind = "replication" if self.level == "replicated" else "certification"
        return f"{kind} of #{self.number:04d} against #{self.against:04d}"


class RunningTrial(NamedTuple):
    """A registered trial that is not recorded yet."""

    trial: int
    title: str
    specialist: str
    session: str
    since: datetime


class RecentTrial(NamedTuple):
    """A recorded trial."""

    trial: int
    status: Annotated[str, STATUSES]
    score: float | None
    against: int | None
    gain: GainView | None
    """Over the trial `against`, the head when it was measured."""
    finding: str | None
    level: str | None
    demoted_by: int | None
    specialist: str
    title: str
    failure: str | None
    seconds: float
    """From its registration to its record."""
    at: datetime


class Overview(NamedTuple):
    """Where the campaign stands at one tip of its ledger."""

    tip: str
    campaign: str
    arm: str
    read_record: bool
    specialists: tuple[str, ...]
    task: str
    title: str
    objective: ObjectiveView
    imported: bool
    baseline: float | None
    head: StandingTrial | None
    """None, like the anchor, before the baseline."""
    anchor: StandingTrial | None
    noise_sd: float | None
    """Of one seed of the start."""
    smallest_gain: float | None
    """The gain over the head that a trial finds with a probability of 80 %."""
    proof: ProofView | None
    """The newest one."""
    demotions: int
    trials: int
    """The baseline not counted."""
    counts: dict[str, int]
    """Trials of each status."""
    calibrations: int
    running: tuple[RunningTrial, ...]
    recent: tuple[RecentTrial, ...]
    """The newest few, newest first."""


def read_overview(directory: Path) -> Overview | None:
    """Read the cached overview; return None where it is missing, malformed or older than the ledger's tip."""
    tip = read_tip(directory)
    overview = None if tip is None else read_json(CampaignPaths(directory).overview, Overview)
    return overview if overview and overview.tip == tip else None
