"""The overview: where a campaign stands according to its record, in constant size, cached in `overview.json`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

from lineage_repo.model.paths import CampaignPaths
from lineage_repo.model.status_table import STATUSES
from lineage_repo.monitor.json_shape import read_json
from lineage_repo.monitor.record_view import ObjectiveView, read_tip

SCHEMA = "espalier.status/2"


class BestTrial(NamedTuple):
    """The incumbent: the newest keep, else the baseline."""

    trial: int
    score: float
    title: str
    at: datetime


class CertificationView(NamedTuple):
    """A trial measured again on fresh seeds, beside what it must beat."""

    nth: int
    number: int
    against: int
    gain: float
    p: float
    certified: bool


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
    delta_vs_best: float | None
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
    baseline: float | None
    best: BestTrial | None
    gain: float | None
    """How much better the best trial is than the baseline."""
    noise_sd: float | None
    trials: int
    """The baseline not counted."""
    counts: dict[str, int]
    """Trials of each status."""
    calibrations: int
    certified: tuple[CertificationView, ...]
    """The newest few, newest first."""
    running: tuple[RunningTrial, ...]
    recent: tuple[RecentTrial, ...]
    """The newest few, newest first."""


def read_overview(directory: Path) -> Overview | None:
    """Read the cached overview; return None where it is missing, malformed or older than the ledger's tip."""
    tip = read_tip(directory)
    overview = None if tip is None else read_json(CampaignPaths(directory).overview, Overview)
    return overview if overview and overview.tip == tip else None
