"""Pruning, publishing, and a log that is read without git."""

import json
from pathlib import Path

import pytest

from lineage_repo.interchange.bundle import find_leaks
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.locks import acquire, release
from lineage_repo.text.redact import Redactor
from lineage_repo.verdict.standing import Standing
from lineage_repo.verification.verify import verify
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.record.test_lineage import git
from tests.support.traces import line, small
from tests.support.trials import proposal, prove, submit


def leave_files(campaign: Campaign, number: int) -> Path:
    """Leave a log, an artifact of 4,000 bytes and the lock of a runner that has ended in a trial's folder."""
    folder = campaign.paths.trial(number).folder
    release(acquire(folder))
    (folder / "job-1" / "sealed").mkdir(parents=True)
    (folder / "job-1" / "sealed" / "model").write_bytes(bytes(4000))
    (folder / "runner.log").write_text("said", "utf-8")
    return folder


@pytest.fixture
def four(campaign: Campaign) -> list[Path]:
    """A keep and three crashes, each with its files."""
    lineage = campaign.lineage.refresh()
    numbers = [submit(lineage, -0.9), *(submit(lineage, body=f"x = {i}\n".encode()) for i in (7, 8, 9))]
    return [leave_files(campaign, number) for number in numbers]


def test_prune_empties_old_trials_but_spares_keeps_and_the_newest(campaign: Campaign, four: list[Path]) -> None:
    before = verify(campaign.lineage.store).tip
    assert "would free" in espalier("prune", campaign.folder, "--last", "1", "--dry-run").output
    assert all((folder / "runner.log").exists() for folder in four)
    result = espalier("prune", campaign.folder, "--last", "1")
    assert "logs and artifacts in 2 folders" in result.output
    assert [(folder / "runner.log").exists() for folder in four] == [True, False, False, True]
    assert [(folder / "job-1").exists() for folder in four] == [True, False, False, True]
    assert verify(campaign.lineage.store).tip == before
    assert verify(campaign.lineage.store).problems == ()


def test_prune_spares_a_trial_whose_runner_lives(campaign: Campaign, four: list[Path]) -> None:
    lock = acquire(four[1])
    espalier("prune", campaign.folder, "--last", "0")
    release(lock)
    assert [(folder / "runner.log").exists() for folder in four] == [True, True, False, False]


def test_prune_clears_failed_measurements_but_no_unknown_folder(campaign: Campaign, four: list[Path]) -> None:
    trials = campaign.paths.trials
    others = [trials / name for name in ("size-x1", "mine", "1\N{SUPERSCRIPT TWO}", "00000001")]
    for folder in others:
        folder.mkdir()
        (folder / "log").write_text("words", "utf-8")
    pruned = json.loads(espalier("prune", campaign.folder, "--last", "0", "--json").output)
    assert pruned["others"] == ["size-x1"]
    assert [(folder / "log").exists() for folder in others] == [False, True, True, True]


def test_prune_spares_head_and_anchor_with_what_lies_between_and_their_proofs(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.4)
    prove(lineage)
    submit(lineage, 0.3, parent=1)
    prove(lineage, error=0.5)
    for error in (0.3, 0.25):
        submit(lineage, error, parent=1)
    folders = {number: leave_files(campaign, number) for number in (1, 2, 3, 4)}
    proofs = [campaign.paths.proof(number).folder for number in (1, 2)]
    for folder in proofs:
        folder.mkdir()
        (folder / "runner.log").write_text("said", "utf-8")
    espalier("prune", campaign.folder, "--last", "0")
    left = [number for number, folder in folders.items() if (folder / "runner.log").exists()]
    assert (lineage.refresh().standing, left) == (Standing(anchor=1, steps=(3, 4), earlier=(0,)), [1, 3, 4])
    assert [(folder / "runner.log").exists() for folder in proofs] == [True, False]


def test_prune_removes_a_link_but_not_its_target(campaign: Campaign, four: list[Path], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("stays", "utf-8")
    (four[1] / "job-1" / "link").symlink_to(tmp_path / "mine")
    (four[2] / "job-2").symlink_to(tmp_path / "mine")
    espalier("prune", campaign.folder, "--last", "0")
    assert (tmp_path / "mine" / "file").read_text("utf-8") == "stays"
    assert not (four[2] / "job-2").is_symlink()


@pytest.mark.slow
def test_a_bundle_is_cloned_and_verified(campaign: Campaign, four: list[Path], tmp_path: Path) -> None:
    result = espalier("export", campaign.folder, "--bundle", tmp_path / "public")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "public").iterdir()} == {"lineage.bundle", "report.html", "README.md"}
    git(tmp_path, "clone", "-q", str(tmp_path / "public" / "lineage.bundle"), str(tmp_path / "clone"))
    report = verify(open_lineage(tmp_path / "clone").store)
    assert (report.problems, report.keeps) == ((), 1)
    assert str(report.tip) in (tmp_path / "public" / "README.md").read_text("utf-8")
    assert (tmp_path / "clone" / "recipe" / "fit.py").is_file()


def test_a_record_with_something_private_is_not_published(campaign: Campaign, tmp_path: Path) -> None:
    home = str(Path.home())
    submit(campaign.lineage.refresh(), 0.1, body=f"path = '{home}/data'\n".encode())
    result = espalier("export", campaign.folder, "--bundle", tmp_path / "public")
    assert result.exit_code == 1
    assert "recipe/fit.py holds your home folder" in result.output
    assert home not in result.output.replace(str(tmp_path), "")
    assert not (tmp_path / "public").exists()


def test_a_private_path_is_found_in_names_and_however_it_is_written(campaign: Campaign) -> None:
    lineage, private = campaign.lineage.refresh(), {"your home folder": "/home/someone"}
    ways = (
        "-I/home/someone/x",
        "file://localhost/home/someone",
        "/home/someone-b",
        r"\/home\/someone",
        "%2Fhome%2fsomeone",
    )
    for text in ways:
        submit(lineage, 0.1, body=f"x = '{text}'\n".encode())
    assert len(list(find_leaks(lineage, private, Redactor()))) == 5
    tree = lineage.store.write_tree({"sk-ant-" + "a" * 30 + ".py": b"x = 1\n"})
    claim = proposal(lineage).model_copy(update={"recipe_tree": tree})
    lineage.register(claim, lineage.campaign.digests, lambda _: None)
    assert any("recipe holds a credential" in leak for leak in find_leaks(lineage, private, Redactor()))


def test_keys_and_credentials_of_the_environment_are_found_in_the_record(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    submit(lineage, 0.1, body=b"key = 'sk-ant-" + b"a" * 30 + b"'\n")
    submit(lineage, 0.1, body=b"word = 'correct-horse'\n")
    leaks = list(find_leaks(lineage, {}, Redactor(["correct-horse"])))
    assert len(leaks) == 2
    assert all("a credential" in leak for leak in leaks)


def test_log_reads_its_rows_from_a_file_that_grows_with_the_record(campaign: Campaign) -> None:
    first = submit(campaign.lineage.refresh(), 0.1)
    assert f"{first:04d}" in espalier("log", campaign.folder).output
    rows = campaign.folder / "rows.tsv"
    size = rows.stat().st_size
    second = submit(campaign.lineage, body=b"x = 5\n")
    shown = espalier("log", campaign.folder).output.splitlines()
    assert [row[:4] for row in shown[3:]] == [f"{second:04d}", f"{first:04d}", "0000"]
    assert rows.read_bytes()[:size].count(b"\n") < rows.read_bytes().count(b"\n")


@pytest.mark.parametrize("body", [b"", b"{}", b"half a li", b'{"title": 1}\ntip\tabc\n'])
def test_a_torn_log_file_is_rebuilt(campaign: Campaign, body: bytes) -> None:
    expected = espalier("log", campaign.folder).output
    (campaign.folder / "rows.tsv").write_bytes(body)
    assert espalier("log", campaign.folder).output == expected
    assert espalier("log", campaign.folder, "--json").exit_code == 0


def test_log_answers_from_a_clone_and_writes_nothing_there(campaign: Campaign, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(campaign.paths.repository), str(tmp_path / "clone"))
    assert "0000 baseline" in espalier("log", tmp_path / "clone").output
    assert not (tmp_path / "clone" / "rows.tsv").exists()
    campaign.paths.overview.unlink(missing_ok=True)
    assert espalier("status", campaign.folder).exit_code == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_lineage_ten_thousand_deep_is_read_without_recursion(tmp_path: Path) -> None:
    trials = [line(0, 2.0), *(line(i, hypothesis=f"Change {i} word{i % 97}") for i in range(1, 10_001))]
    small(tmp_path / "deep", *trials)
    assert "10000 crash" in espalier("log", tmp_path / "deep", "-n", "1").output
    assert espalier("status", tmp_path / "deep").exit_code == 0
    result = espalier("report", tmp_path / "deep", "-o", tmp_path / "deep.html")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "deep.html").stat().st_size < 8_000_000
