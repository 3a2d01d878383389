"""The numbers of the paper's released traces, pinned; skipped where they are not at hand."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.paper.comparison import compare
from lineage_repo.analysis.diversity import compute_diversity
from lineage_repo.analysis.roles import compute_edges
from lineage_repo.analysis.support import list_trials
from lineage_repo.analysis.trajectory import compute_status_counts, compute_trajectory
from lineage_repo.interchange.importing import import_trace, read_trace
from lineage_repo.model.measurement import Status
from lineage_repo.record.lineage import Lineage
from lineage_repo.verification.verify import verify
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.interchange.test_importing import imported
from tests.lineage_repo.record.test_lineage import git
from tests.support.traces import RELEASE, needs_release

pytestmark = [pytest.mark.slow, needs_release]
RUNS = ("cifar", "pg_ablation_lineage_on", "pg_ablation_lineage_off", "pg_variant_single_agent")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Lineage]:
    folder = tmp_path_factory.mktemp("release")
    return {name: import_trace(read_trace(RELEASE / name), folder / name) for name in RUNS}


def test_the_release_imports_with_its_damage_repaired_and_verifies(
    release: Mapping[str, Lineage], tmp_path: Path
) -> None:
    lineage = release["pg_variant_single_agent"]
    assert verify(lineage.store).problems == ()
    split = [n for n, trial in lineage.trials.items() if "7 fields" in " ".join(imported(trial).repairs)]
    assert split == [19, 33]
    assert [lineage.trial(n).status for n in split] == ["discard", "size_blocked"]
    assert imported(lineage.trial(170)).repairs == ('expected_delta """-0.002""" without its quotes',)
    assert not [repair for trial in lineage.trials.values() for repair in imported(trial).repairs if "tree" in repair]
    git(tmp_path, "clone", "-q", str(lineage.store.path), str(tmp_path / "clone"))
    assert espalier("verify", tmp_path / "clone").exit_code == 0


@pytest.mark.parametrize(
    ("name", "best", "keeps", "counts", "cross"),
    [
        ("cifar", 25.1464, 4, (81, 5, 7), (60, 81, 1, 1)),
        ("pg_ablation_lineage_on", 1.073142, 16, (0, 124, 0), (154, 184, 10, 12)),
        ("pg_ablation_lineage_off", 1.077413, 3, (0, 46, 0), (155, 174, 0, 1)),
        ("pg_variant_single_agent", 1.075384, 14, (0, 58, 54), (0, 198, 0, 14)),
    ],
)
def test_a_run_of_the_paper_has_these_numbers(
    release: Mapping[str, Lineage],
    name: str,
    best: float,
    keeps: int,
    counts: tuple[int, int, int],
    cross: tuple[int, int, int, int],
) -> None:
    lineage = release[name]
    found = compute_status_counts(lineage).counts
    assert (compute_trajectory(lineage).best, compute_trajectory(lineage).keeps) == (best, keeps)
    assert (found.get(Status.DISQUALIFIED, 0), found[Status.DISCARD], found.get(Status.PREFLIGHT_CRASH, 0)) == counts
    edge = compute_edges(lineage)
    assert (edge.parent_cross, edge.parent, edge.keep_cross, edge.keep) == cross


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cifar", (38.3, 51, 9.3, 2.1, 6, 19, 30)),
        ("pg_ablation_lineage_on", (132.6, 151, 3.5, 1.5, 5, 30, 20)),
        ("pg_ablation_lineage_off", (118.4, 140, 3.0, 2.0, 5, 30, 18)),
        ("pg_variant_single_agent", (63.1, 111, 16.5, 9.5, 0, 22, 0)),
    ],
)
def test_the_diversity_of_a_run_equals_an_independent_computation(
    release: Mapping[str, Lineage], name: str, expected: tuple[float, ...]
) -> None:
    corpus = [trial.proposal.hypothesis for run in release.values() for trial in list_trials(run)]
    found = compute_diversity(release[name], corpus)
    shares = (round(100 * found.top_share, 1), round(100 * (found.near_duplicates or 0), 1))
    assert expected == (
        round(found.effective, 1),
        found.clusters,
        *shares,
        found.shared,
        found.plural,
        found.shared_trials,
    )


def test_the_table_in_the_documentation_is_what_the_command_prints(release: Mapping[str, Lineage]) -> None:
    table = compare(release)
    assert [row.quantity for row in table.rows if row.matches == "NO"] == []
    assert sum(row.matches == "yes" for row in table.rows) == 26
    text = (Path(__file__).parents[2] / "docs" / "paper.md").read_text("utf-8")
    assert "\n".join(table.lines()) in text
