"""What both caches of the record need: the ledger's tip, and how to show a score, a gain and a claim."""

from pathlib import Path
from typing import Annotated, NamedTuple

from lineage_repo.model.paths import CampaignPaths
from lineage_repo.storage.files import read_plain


class GainView(NamedTuple):
    """A gain with its two-sided 95 % interval, in the objective's unit; positive is better."""

    mean: float
    low: float | None
    """None, like `high`, where nothing is known of the noise."""
    high: float | None
    n: int
    """Blocks, or seeds where nothing was paired."""

    @property
    def half(self) -> float | None:
        """Half the width of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def relation(self, against: str) -> str:
        """Return `tie with 0008` where the interval holds 0, else `over` or `below`; `against` without an interval."""
        if self.low is None or self.high is None:
            return f"against {against}"
        if self.low <= 0 <= self.high:
            return f"tie with {against}"
        return f"{'over' if self.mean > 0 else 'below'} {against}"


class ObjectiveView(NamedTuple):
    """What scores are, and how to show one."""

    metric: str
    direction: str
    unit: str
    digits: Annotated[int, range(10)]
    min_delta: float
    reserved: str | None

    def text(self, score: float, sign: str = "") -> str:
        """Return a score without its unit; `sign="+"` shows the sign of a difference."""
        return f"{score:{sign}.{self.digits}f}"

    def gain_text(self, gain: GainView) -> str:
        """Return a gain with half the width of its interval, without the unit."""
        return self.text(gain.mean, "+") + ("" if gain.half is None else f" ±{self.text(gain.half)}")


def level_text(level: str | None, demoted_by: int | None, steps: int = 1) -> str:
    """Return how well a gain is proven: `observed`, `replicated`, `certified`, `demoted by proof 3`, or nothing.

    A gain over the start that was added up from several `steps` is said to be so: nobody measured it at once.
    """
    if demoted_by is not None:
        return f"demoted by proof {demoted_by}"
    return f"{level}, added up over {steps} steps" if level and steps > 1 else level or ""


def p_text(p: float) -> str:
    """Return a probability with two digits; below what a float can tell from 0, its bound."""
    return f"p {p:.2g}" if p > 1e-15 else "p below 1e-15"


def read_tip(directory: Path) -> str | None:
    """Read the ledger's tip from git's own file; return None where that is missing, as in a clone."""
    try:
        return read_plain(CampaignPaths(directory).ledger_ref).decode("ascii").strip()
    except (OSError, ValueError):
        return None
