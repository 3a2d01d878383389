"""The paper's numbers beside what its released traces give."""

import re
import tempfile
from pathlib import Path
from typing import Literal

from lineage_repo.analysis.statements import CIFAR, RUNS, Claim, Runs, claims
from lineage_repo.errors import EspalierError
from lineage_repo.interchange.importing import import_trace, read_trace
from lineage_repo.model.measurement import Record

Matches = Literal["yes", "close", "NO", "n/a"]


class Compared(Record):
    """One number of the paper."""

    quantity: str
    paper: str
    recomputed: str
    matches: Matches
    """`yes`: equal as printed; `close`: every number in it within the tolerance that the note gives a reason for."""
    note: str = ""


class Table(Record):
    """Every number of the paper that a trace can give, in the paper's order."""

    runs: tuple[str, ...]
    rows: tuple[Compared, ...]

    def lines(self) -> list[str]:
        """For people: Markdown."""
        counts = {name: sum(row.matches == name for row in self.rows) for name in ("yes", "close", "NO", "n/a")}
        lines = [f"Traces: {', '.join(self.runs)}.", "", "| quantity | paper | recomputed | matches | note |"]
        lines.append("|---|---|---|---|---|")
        lines += [f"| {r.quantity} | {r.paper} | {r.recomputed} | {r.matches} | {r.note} |" for r in self.rows]
        return [*lines, "", ", ".join(f"{n} {name}" for name, n in counts.items())]


def recompute(folder: Path) -> Table:
    """Import every run of the release below `folder` and compare; raise `EspalierError` where there is none."""
    found = [name for name in RUNS if (folder / name / "results.tsv").is_file()]
    if not found:
        raise EspalierError(f"{folder} holds none of the paper's runs: a folder per run, such as {CIFAR}/results.tsv")
    with tempfile.TemporaryDirectory() as scratch:
        return compare({name: import_trace(read_trace(folder / name), Path(scratch) / name) for name in found})


def compare(runs: Runs) -> Table:
    """The paper's numbers beside those of imported runs, by the release's names."""
    return Table(runs=tuple(runs), rows=tuple(_compared(claim, runs) for claim in claims(runs)))


def _compared(claim: Claim, runs: Runs) -> Compared:
    if lost := [name for name in claim.runs if name not in runs]:
        note = f"needs {', '.join(lost)}"
        return Compared(quantity=claim.quantity, paper=claim.paper, recomputed="-", matches="n/a", note=note)
    text = claim.compute(runs)
    matches = _matches(claim.paper, text, claim.close)
    note = "" if matches == "yes" else claim.note
    return Compared(quantity=claim.quantity, paper=claim.paper, recomputed=text, matches=matches, note=note)


def _matches(paper: str, text: str, close: float) -> Matches:
    if paper == text:
        return "yes"
    pairs = list(zip(_numbers(paper), _numbers(text), strict=False))
    same_shape = len(_numbers(paper)) == len(_numbers(text))
    near = same_shape and all(abs(a - b) <= close * abs(a) for a, b in pairs)
    return "close" if near and close else "NO"


def _numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]
