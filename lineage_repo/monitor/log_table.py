"""The rows of `espalier log`, cached in `rows.tsv` so that a long record need not be read again.

The file holds a JSON header, one line per trial, proof and demotion, and after each batch a line with the ledger's tip.
It grows with the trials. Where it does not fit, or a proof has changed what earlier rows say, it is made anew from git.
"""

from pathlib import Path
from typing import Annotated, NamedTuple

from lineage_repo.model.paths import CampaignPaths
from lineage_repo.monitor.json_shape import convert, parse_json
from lineage_repo.monitor.record_view import ObjectiveView
from lineage_repo.storage.files import read_plain

TIP = "tip"
PROOF, DEMOTION = "proof", "demotion"
"""Statuses of the rows that are no trial's."""
ROWS_FORMAT = 3
"""Changes with the record's format: what another version left is made anew from git, which refuses its record."""


class LogHeader(NamedTuple):
    """The first line of the file."""

    format: Annotated[int, (ROWS_FORMAT,)]
    title: str
    arm: str
    objective: ObjectiveView


class LogRow(NamedTuple):
    """One trial, proof or demotion; all columns are text, so that nothing is parsed that nobody asks for."""

    number: str
    """A trial's number, or `proof K` and `demotion K` with the proof's."""
    status: str
    specialist: str
    line: str
    """What people read."""
    json: str
    """What `log --json` prints."""

    @property
    def is_trial(self) -> bool:
        return self.status not in {PROOF, DEMOTION}

    @property
    def has_json(self) -> bool:
        """Whether `json` holds an object."""
        try:
            return isinstance(parse_json(self.json), dict)
        except ValueError:
            return False


class LogTable(NamedTuple):
    """What the file holds."""

    header: LogHeader
    rows: tuple[LogRow, ...]
    """In the order of recording."""
    tip: str


def read_log_table(directory: Path) -> LogTable:
    """Read the file; raise `OSError` or `ValueError` where it is missing or torn."""
    return parse_log_table(read_plain(CampaignPaths(directory).log_rows).decode("utf-8"))


def parse_log_table(text: str) -> LogTable:
    """Parse the file's text; raise `ValueError` where it is torn."""
    head, *lines = text.split("\n")
    header = convert(parse_json(head), LogHeader)
    if len(lines) < 2 or lines[-1] or not lines[-2].startswith(f"{TIP}\t"):
        raise ValueError("torn")
    cells = [line.split("\t", 4) for line in lines[:-1] if not line.startswith(f"{TIP}\t")]
    if any(len(row) != 5 for row in cells):
        raise ValueError("torn")
    # Two readers that extend the file at once leave the same lines twice.
    rows = {row[0]: LogRow(*row) for row in cells}
    return LogTable(header, tuple(rows.values()), lines[-2].partition("\t")[2])
