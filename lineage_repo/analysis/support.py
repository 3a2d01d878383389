"""What analyses share: the trials that they count, and the answer if the record can't support one."""

from lineage_repo.errors import UnsupportedError
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Record
from lineage_repo.record.lineage import Lineage


class Absent(Record):
    """Takes the place of an analysis that the record can't support, with the reason."""

    absent: str

    def lines(self) -> list[str]:
        """Format for people."""
        return [f"not computed: {self.absent}"]


def list_trials(lineage: Lineage) -> list[Trial]:
    """List all trials but the start, in the order of recording; raise `UnsupportedError` if there is none."""
    trials = [trial for number, trial in lineage.trials.items() if number]
    if not trials:
        raise UnsupportedError("no trial is recorded yet")
    return trials


def format_share(part: int, whole: int) -> str:
    """Format a count as `3 of 40 (7.5%)`."""
    return f"{part} of {whole} ({part / whole:.1%})" if whole else f"{part} of {whole}"
