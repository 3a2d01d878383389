"""Hostile text in a trial can't run a formula, move the cursor, or pass for a line of the record."""

import csv
import io
import unicodedata
from pathlib import Path
from typing import Any

import polars
import pytest

from lineage_repo.interchange.importing import import_trace
from lineage_repo.interchange.table import defuse_cell
from lineage_repo.model.measurement import Status
from lineage_repo.record.opening import open_lineage
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import git
from tests.support.traces import line, trace

FORMULA = '=HYPERLINK("evil.example","look")'
TEXTS = [
    FORMULA,
    "+1+cmd",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\uff1d1+1",
    "\x1b[2J\x1b]0;owned\x07 cleared",
    "x\n\nStatus: keep\nScore: 0.000",
    "\u202egnp.exe \u2028 next",
    'a;=1+1,"=2',
    "--upload-pack=evil",
    "%(trailers) $(id) `id`",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "out"
    hostile = [
        line(
            n,
            role=text,
            title=text,
            hypothesis=text,
            notes=text,
            domain=text[:60],
            code=f"../../{text}",
            failure=text,
            session=text,
            parent="t0",
        )
        for n, text in enumerate(TEXTS, 1)
    ]
    plain = trace(line(0, 1.0), *hostile)
    bad = {"unit": "\x1b[2J"}
    head = {"name": TEXTS[5][:60], "title": TEXTS[6], "objective": plain.campaign.objective.model_copy(update=bad)}
    import_trace(plain._replace(campaign=plain.campaign.model_copy(update=head)), out)
    return out


def test_the_terminal_shows_one_printable_line_per_trial(folder: Path) -> None:
    shown = [espalier("log", folder).output, espalier("analyze", folder).output, espalier("status", folder).output]
    shown += [espalier("show", folder, str(n)).output for n in range(1, len(TEXTS) + 1)]
    assert not [c for text in shown for c in text if unicodedata.category(c)[0] == "C" and c != "\n"]
    assert "\u2028" not in "".join(shown)
    headings_and_start = 4
    assert len(shown[0].splitlines()) == len(TEXTS) + headings_and_start


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_no_cell_of_a_table_begins_a_formula(folder: Path, tmp_path: Path, suffix: str, delimiter: str) -> None:
    assert espalier("export", folder, "-o", tmp_path / f"t{suffix}").exit_code == 0
    text = (tmp_path / f"t{suffix}").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    assert len(rows) == len(TEXTS) + 1
    words = [cell for row in rows for name, cell in row.items() if name not in {"expected_delta"}]
    assert not [cell for cell in words if cell.strip().startswith(("=", "+", "-", "@", "\uff1d"))]
    assert rows[1]["hypothesis"] == f"'{FORMULA}"


def test_numbers_stay_numbers() -> None:
    assert [defuse_cell(cell) for cell in (-0.5, 3, None, "a-b", "'x")] == [-0.5, 3, None, "a-b", "'x"]


def test_parquet_holds_the_text_as_it_was_recorded(folder: Path, tmp_path: Path) -> None:
    assert espalier("export", folder, "-o", tmp_path / "t.parquet").exit_code == 0
    read: Any = polars.read_parquet(tmp_path / "t.parquet").to_dicts()
    assert read[1]["hypothesis"] == FORMULA
    assert (read[0]["score"], read[1]["score"], read[1]["parent"]) == (1.0, None, 0)


def test_hostile_text_forges_no_status_and_no_author_in_git(folder: Path) -> None:
    repo = folder / "lineage.git"
    for number, trial in open_lineage(folder).trials.items():
        trailers = git(
            repo, "log", "-1", "--format=%(trailers:key=Status,valueonly)%(trailers:key=Score)", f"trial/{number:04d}"
        )
        assert trailers.split()[0] == trial.status
        assert "0.000" not in trailers
        assert trial.status in {Status.BASELINE, Status.CRASH}
    messages = git(repo, "log", "--all", "--format=%B")
    assert not [c for c in messages if unicodedata.category(c)[0] == "C" and c != "\n"]
    authors = set(git(repo, "log", "--all", "--format=%an <%ae>").split("\n"))
    assert not [a for a in authors if unicodedata.normalize("NFKC", a) != a or "=" in a or "$" in a]


def test_a_table_with_an_unknown_suffix_is_refused(folder: Path, tmp_path: Path) -> None:
    assert (
        "has none of the suffixes .tsv, .csv, .parquet, .jsonl"
        in espalier("export", folder, "-o", tmp_path / "t.xls").output
    )
    assert "make it first" in espalier("export", folder, "-o", tmp_path / "no" / "t.csv").output
