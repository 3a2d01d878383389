"""What both caches of the record need: the ledger's tip, and how to show a score."""

from pathlib import Path
from typing import Annotated, NamedTuple

from lineage_repo.model.paths import CampaignPaths
from lineage_repo.storage.files import read_plain


class ObjectiveView(NamedTuple):
    """What scores are, and how to show one."""

    metric: str
    direction: str
    unit: str
    digits: Annotated[int, range(10)]
    min_delta: float | None

    def text(self, score: float, sign: str = "") -> str:
        """Return a score without its unit; `sign="+"` shows the sign of a difference."""
        return f"{score:{sign}.{self.digits}f}"


def read_tip(directory: Path) -> str | None:
    """Read the ledger's tip from git's own file; return None where that is missing, as in a clone."""
    try:
        return read_plain(CampaignPaths(directory).ledger_ref).decode("ascii").strip()
    except (OSError, ValueError):
        return None
