"""Trials of other harnesses are taken over as they are, repaired by stated rules, and marked."""

import json
import math
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from lineage_repo.analysis.limits import compute_margins
from lineage_repo.cli.main import main
from lineage_repo.errors import InterchangeError, RecordError
from lineage_repo.interchange.importing import import_trace, read_trace
from lineage_repo.interchange.table import build_rows
from lineage_repo.model.ledger import NO_RECIPE_TREE, Trial
from lineage_repo.model.measurement import Status
from lineage_repo.model.objective import Gate, Objective
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.store import Store
from lineage_repo.verification.verify import verify
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import git
from tests.lineage_repo.verification.test_verify import rewrite_newest
from tests.support.traces import line, small, trace
from tests.support.trials import proposal, submit

HEADER = [
    *("exp_id", "timestamp", "specialist", "parent_exp", "baseline_exp", "domain", "hypothesis", "expected_delta"),
    *("status", "val_bpb", "delta_vs_best", "artifact_bytes", "train_s", "eval_s", "total_s", "job_name"),
    *("snapshot_path", "notes"),
]


def table(folder: Path, *rows: str, tree: str = "") -> Path:
    """A run in the release's layout, its start first."""
    folder.mkdir()
    start = "000|2026-05-01T00:00:00Z|baseline|||baseline|the start|0|baseline|1.08||||||||a note"
    lines = ["\t".join(HEADER), *(row.replace("|", "\t") for row in (start, *rows))]
    (folder / "results.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    if tree:
        (folder / "tree.tsv").write_text(tree.replace("|", "\t"), "utf-8")
    return folder


def imported(trial: Trial):
    assert trial.imported
    return trial.imported


GOOD = (
    "001|2026-05-01T00:30:00Z|opt|exp_000|000|opt|less decay|-0.001|keep|1.07|-0.01|100|600|500|1400|job-1|snap/1|why"
)
LOST = (
    '002|2026-05-01T01:00:00Z|arch|001|001|arch|"wider ""V""</hypothesis> <x>" -0.002 size_blocked 1.06  17000000 '
    "600.1 500.5 1401.0 job-2  it was too big"
)


def test_a_run_of_the_release_becomes_a_lineage_that_verifies(tmp_path: Path) -> None:
    lineage = import_trace(read_trace(table(tmp_path / "run", GOOD)), tmp_path / "out")
    start, trial = lineage.trial(0), lineage.trial(1)
    assert (start.status, start.score) == (Status.BASELINE, 1.08)
    assert (trial.status, trial.score, trial.proposal.parent, trial.proposal.specialist) == ("keep", 1.07, 0, "opt")
    assert trial.verdict.gain
    assert imported(trial).values["delta_vs_best"] == pytest.approx(-trial.verdict.gain.mean)
    assert imported(trial).missing == ("session", "recipe")
    assert verify(lineage.store).problems == ()
    author, at, *trailers = git(
        tmp_path / "out" / "lineage.git", "show", "-s", "--format=%an%n%aI%n%(trailers)", "trial/0001"
    ).splitlines()
    assert (author, at) == ("opt", "2026-05-01T00:30:00+00:00")
    assert {"Status: keep", "Origin: imported", "Source-Id: 001", "Repairs: 1"} <= set(trailers)


def test_an_id_in_its_other_spelling_is_the_same_trial_and_is_listed_as_a_repair(tmp_path: Path) -> None:
    lineage = import_trace(read_trace(table(tmp_path / "run", GOOD)), tmp_path / "out")
    assert imported(lineage.trial(1)).repairs == ("parent 'exp_000' is trial '000' in its other spelling",)


def test_a_row_that_lost_its_tabs_is_split_again_and_marked(tmp_path: Path) -> None:
    lineage = import_trace(read_trace(table(tmp_path / "run", GOOD, LOST)), tmp_path / "out")
    trial = lineage.trial(2)
    assert trial.proposal.hypothesis == 'wider "V"</hypothesis> <x>'
    assert (trial.status, trial.proposal.expected_delta, trial.proposal.notes) == (
        "size_blocked",
        -0.002,
        "it was too big",
    )
    assert imported(trial).values == {
        "val_bpb": 1.06,
        "artifact_bytes": 17e6,
        "train_s": 600.1,
        "eval_s": 500.5,
        "total_s": 1401.0,
    }
    assert imported(trial).repairs == ("7 fields instead of 18: split again after the hypothesis",)
    assert trial.verdict.margins[0].margin == -1e6


def test_a_trial_lists_where_the_tree_disagrees(tmp_path: Path) -> None:
    tree = "exp_id|parent_exp|status|val_bpb|delta_vs_best\n001|000|discard|1.07|-0.01\n"
    lineage = import_trace(read_trace(table(tmp_path / "run", GOOD, tree=tree)), tmp_path / "out")
    assert "tree.tsv gives another status: 'discard'" in imported(lineage.trial(1)).repairs


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("001|2026-05-01T00:30:00Z|opt|000|000|opt|nothing follows", "has 7 fields instead of 18, and no rule fits"),
        (GOOD.replace("|keep|", "|kept|"), "'kept' is not a valid Status"),
        (GOOD.replace("|keep|", "|baseline|"), "the first trial, and only it, is the measured start"),
        (GOOD.replace("|keep|1.07|", "|keep||"), "is keep, but has no value of 'val_bpb'"),
        (GOOD.replace("001|", "000|", 1), "'000' comes twice"),
        (GOOD.replace("001|", "a b|", 1), "String should match pattern"),
        (GOOD.replace("|1.07|", "|nan|"), "finite"),
    ],
)
def test_a_row_that_no_rule_repairs_is_refused_and_leaves_nothing(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(InterchangeError, match=problem):
        import_trace(read_trace(table(tmp_path / "run", row)), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["run"]


def test_a_parent_that_is_not_an_earlier_trial_is_left_out_and_marked(tmp_path: Path) -> None:
    trial = small(tmp_path / "out", line(0, 1.0), line(1, 0.9, parent="t7")).trial(1)
    assert trial.proposal.parent is None
    assert imported(trial).repairs == ("the parent 't7' is not an earlier trial: left without one",)


def test_roles_in_another_script_stay_distinct(tmp_path: Path) -> None:
    roles = ["\N{GREEK SMALL LETTER ALPHA}", "\N{GREEK SMALL LETTER BETA}", "Opt B", "x" * 40, "x" * 41]
    lineage = small(tmp_path / "c", line(0, 2.0), *(line(i, role=role) for i, role in enumerate(roles, 1)))
    names = [trial.proposal.specialist for number, trial in lineage.trials.items() if number]
    assert len(set(names)) == len(roles)
    assert names[2] == "opt-b"
    assert verify(lineage.store).problems == ()


def test_what_the_source_omits_is_listed_as_missing(tmp_path: Path) -> None:
    bare = line(1, 0.9, at=None, expected_delta=None, slot_s=None, hypothesis="")
    trial = small(tmp_path / "out", line(0, 1.0), bare).trial(1)
    assert imported(trial).missing == ("expected_delta", "session", "time", "recipe")
    assert trial.proposal.title == "no hypothesis"
    shown = espalier("show", tmp_path / "out", "1")
    assert shown.exit_code == 0
    assert not any(text.startswith("expected") for text in shown.output.splitlines())
    rows = json.loads(espalier("log", tmp_path / "out", "--json").output)["trials"]
    assert rows[0]["expected_delta"] is None


def test_commands_that_need_a_missing_recipe_say_that_it_is_missing(tmp_path: Path) -> None:
    lineage = small(tmp_path / "out", line(0, 1.0), line(1, 0.9))
    assert lineage.trial(1).proposal.recipe_tree == NO_RECIPE_TREE
    for arguments in (("checkout", tmp_path / "out", "1", tmp_path / "code"), ("diff", tmp_path / "out", "0", "1")):
        result = espalier(*arguments)
        assert result.exit_code == 1
        assert "imported without its code" in result.output


def test_two_gates_on_one_metric_have_different_names(tmp_path: Path) -> None:
    gates = (Gate(metric="bytes", at_least=0.0), Gate(metric="bytes", at_most=10.0))
    start = line(0, values={"loss": 2.0, "bytes": 5.0})
    later = [line(n, 2.0, values={"loss": 2.0, "bytes": size}) for n, size in enumerate((-3.0, 99.0), 1)]
    lineage = small(tmp_path / "out", start, *later, limits=gates)
    assert [row["margin.bytes at least 0"] for row in build_rows(lineage)] == [5.0, -3.0, 99.0]
    assert [row["margin.bytes at most 10"] for row in build_rows(lineage)] == [5.0, 13.0, -89.0]
    assert [(row.name, row.missed) for row in compute_margins(lineage).rows] == [
        ("bytes at least 0", 1),
        ("bytes at most 10", 1),
    ]


def test_a_time_without_a_date_in_utc_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterchangeError, match="is dated 9999: correct its time"):
        small(tmp_path / "out", line(0, 2.0, at="9999-12-31T23:59:59-14:00"))


@pytest.mark.parametrize("at", ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_before_gits_epoch_is_refused_and_leaves_no_folder(tmp_path: Path, at: str) -> None:
    with pytest.raises(InterchangeError, match="before 1970: correct its time"):
        small(tmp_path / "new" / "out", line(0, 1.0), line(1, 0.9, at=at))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("gate", [{"at_most": math.inf}, {"at_least": math.nan}])
def test_a_bound_that_is_not_a_finite_number_is_refused(gate: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Gate(metric="bytes", **gate)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="finite"):
        Objective(metric="loss", direction="lower", unit="nats", min_delta=math.inf)


def test_nothing_is_ever_added_to_an_imported_lineage(tmp_path: Path) -> None:
    lineage = small(tmp_path / "out", line(0, 1.0))
    with pytest.raises(RecordError, match="was imported"):
        lineage.register(proposal(lineage), {}, lambda _: None)
    assert "it can be read, not run" in espalier("calibrate", tmp_path / "out").output


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verdict.score", 0.1),
        ("verdict.status", "keep"),
        ("imported.values.loss", 0.1),
        ("imported.status", "keep"),
        ("imported", None),
        ("number", 7),
        ("proposal.parent", 7),
        ("isolation.level", "bwrap"),
        ("imported.repairs", ["nothing"]),
    ],
)
def test_verify_reports_an_altered_imported_record(tmp_path: Path, field: str, value: object) -> None:
    small(tmp_path / "out", line(0, 1.0), line(1, 1.2))
    rewrite_newest(tmp_path / "out" / "lineage.git", field, value)
    assert verify(Store(tmp_path / "out" / "lineage.git")).problems


def test_a_lineage_exported_as_json_lines_imports_unchanged(tmp_path: Path) -> None:
    first = small(tmp_path / "one", line(0, 1.0), line(1, 0.9, Status.KEEP), line(2, failure="it broke", notes="n"))
    assert espalier("export", tmp_path / "one", "-o", tmp_path / "all.jsonl").exit_code == 0
    assert espalier("import", tmp_path / "all.jsonl", "-o", tmp_path / "two").exit_code == 0
    assert open_lineage(tmp_path / "two").trials == {
        number: trial.model_copy(update={"digests": open_lineage(tmp_path / "two").trial(0).digests})
        for number, trial in first.trials.items()
    }


def test_our_own_campaign_exported_and_imported_keeps_its_scores(campaign: Campaign, tmp_path: Path) -> None:
    submit(campaign.lineage.refresh(), 0.01)
    submit(campaign.lineage)
    assert espalier("export", campaign.folder, "-o", tmp_path / "all.jsonl").exit_code == 0
    back = import_trace(read_trace(tmp_path / "all.jsonl"), tmp_path / "out")
    assert [(t.status, t.score) for t in back.trials.values()] == [
        (t.status, t.score) for t in campaign.lineage.trials.values()
    ]
    assert imported(back.trial(1)).code == campaign.lineage.trial(1).proposal.recipe_tree
    assert imported(back.trial(1)).missing == ("recipe",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ('{"kind": "campaign"', "line 1"),
        ('{"kind": "campaign", "name": "x", "title": "x", "metric": "loss"}', "line 1: objective"),
        ("CAMPAIGN\nTRIAL\n{}", "line 3: id"),
        ("CAMPAIGN\n" + json.dumps({"id": "1", "role": "opt", "status": "won"}), "line 2: status"),
    ],
)
def test_an_error_names_the_bad_line(tmp_path: Path, text: str, problem: str) -> None:
    example = trace(line(0, 1.0))
    text = text.replace("CAMPAIGN", example.campaign.model_dump_json()).replace(
        "TRIAL", example.trials[0].model_dump_json()
    )
    (tmp_path / "bad.jsonl").write_text(text, "utf-8")
    result = espalier("import", tmp_path / "bad.jsonl", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert problem in result.output


def test_the_example_in_the_documentation_imports(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "import.md").read_text("utf-8")
    (tmp_path / "example.jsonl").write_text(text.split("```jsonl\n")[1].split("```")[0], "utf-8")
    assert espalier("import", tmp_path / "example.jsonl", "-o", tmp_path / "out").exit_code == 0
    assert verify(open_lineage(tmp_path / "out").store).problems == ()


def test_every_reading_command_works_on_an_imported_lineage_and_from_inside_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineage = small(tmp_path / "there", line(0, 3.0), line(1, 2.5, Status.KEEP), line(2, 2.6), line(3))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(lineage.store.path), str(clone)], check=True)
    monkeypatch.chdir(clone)
    for words in (("status",), ("log",), ("verify",), ("top", "--once"), *(("show", str(n)) for n in range(4))):
        for folder in (tmp_path / "there", Path()):
            result = CliRunner().invoke(main, [words[0], str(folder), *words[1:]])
            assert result.exit_code == 0, (words, result.output, result.exception)
