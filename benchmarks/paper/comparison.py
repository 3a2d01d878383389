"""The paper's numbers beside what its released traces give."""

import re
import tempfile
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Literal

from benchmarks.paper.computations import COMPUTATIONS, Release
from lineage_repo.errors import EspalierError
from lineage_repo.interchange.importing import import_trace, read_trace
from lineage_repo.model.measurement import Record
from lineage_repo.record.lineage import Lineage

Matches = Literal["yes", "close", "NO", "n/a"]


class Claim(Record):
    """One number of the paper, or a few that it prints together; claims.toml describes the fields."""

    quantity: str
    paper: str
    runs: tuple[str, ...]
    compute: str = ""
    argument: str = ""
    tolerance: float = 0.0
    note: str = ""
    note_with_all_runs: str = ""


class Claims(Record):
    """The file claims.toml."""

    runs: tuple[str, ...]
    """Folder names of the release."""
    claims: tuple[Claim, ...]


class Row(Record):
    """One number of the paper beside the recomputed one."""

    quantity: str
    paper: str
    recomputed: str
    matches: Matches
    """`yes`: equal as printed; `close`: every number in it within the tolerance that the note gives a reason for."""
    note: str = ""


class Table(Record):
    """Every number of the paper that a trace can give, in the paper's order."""

    runs: tuple[str, ...]
    rows: tuple[Row, ...]

    def lines(self) -> list[str]:
        """Format as Markdown."""
        counts = {name: sum(row.matches == name for row in self.rows) for name in ("yes", "close", "NO", "n/a")}
        lines = [f"Traces: {', '.join(self.runs)}.", "", "| quantity | paper | recomputed | matches | note |"]
        lines.append("|---|---|---|---|---|")
        lines += [f"| {r.quantity} | {r.paper} | {r.recomputed} | {r.matches} | {r.note} |" for r in self.rows]
        return [*lines, "", ", ".join(f"{n} {name}" for name, n in counts.items())]


def read_claims() -> Claims:
    """Read claims.toml."""
    text = files("benchmarks.paper").joinpath("claims.toml").read_text("utf-8")
    return Claims.model_validate(tomllib.loads(text))


def recompute(folder: Path) -> Table:
    """Import every run of the release below `folder` and compare.

    Raises:
        EspalierError: `folder` holds no run of the release.
    """
    names = [name for name in read_claims().runs if (folder / name / "results.tsv").is_file()]
    if not names:
        raise EspalierError(f"{folder} holds none of the paper's runs: a folder per run, such as cifar/results.tsv")
    with tempfile.TemporaryDirectory() as scratch:
        return compare({name: import_trace(read_trace(folder / name), Path(scratch) / name) for name in names})


def compare(runs: Mapping[str, Lineage]) -> Table:
    """Compare the paper's numbers with those of imported runs, which are named as in the release."""
    claims, release = read_claims(), Release(runs)
    complete = len(runs) == len(claims.runs)
    return Table(runs=tuple(runs), rows=tuple(_compare_claim(claim, release, complete) for claim in claims.claims))


def _compare_claim(claim: Claim, release: Release, complete: bool) -> Row:
    if missing := [name for name in claim.runs if name not in release.runs]:
        note = f"needs {', '.join(missing)}"
        return Row(quantity=claim.quantity, paper=claim.paper, recomputed="-", matches="n/a", note=note)
    recomputed = COMPUTATIONS[claim.compute](release, claim.runs, claim.argument)
    matches = _match(claim.paper, recomputed, claim.tolerance)
    note = claim.note_with_all_runs if complete and claim.note_with_all_runs else claim.note
    note = "" if matches == "yes" else note.format(hypotheses=len(release.corpus))
    return Row(quantity=claim.quantity, paper=claim.paper, recomputed=recomputed, matches=matches, note=note)


def _match(paper: str, recomputed: str, tolerance: float) -> Matches:
    if paper == recomputed:
        return "yes"
    theirs, ours = _numbers(paper), _numbers(recomputed)
    near = len(theirs) == len(ours) and all(abs(a - b) <= tolerance * abs(a) for a, b in zip(theirs, ours, strict=True))
    return "close" if near and tolerance else "NO"


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]
