"""What every analysis shares: the trials it counts, and how it says that the record can't support it."""

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Record
from lineage_repo.record.lineage import Lineage


class Absent(Record):
    """In place of an analysis: why there is none."""

    absent: str

    def lines(self) -> list[str]:
        """For people."""
        return [f"not computed: {self.absent}"]


def list_trials(lineage: Lineage) -> list[Trial]:
    """All trials but the start, in the order of recording; raise `UnsupportedError` where there is none."""
    trials = [trial for number, trial in lineage.trials.items() if number]
    if not trials:
        raise UnsupportedError("no trial is recorded yet")
    return trials


def format_share(part: int, whole: int) -> str:
    """`3 of 40 (7.5 %)`."""
    return f"{part} of {whole} ({part / whole:.1%})" if whole else f"{part} of {whole}"
