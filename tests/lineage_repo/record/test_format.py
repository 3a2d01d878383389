"""A record of another format is refused with a sentence that says so, whichever way it is opened."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from lineage_repo.cli.main import main
from lineage_repo.errors import RecordError
from lineage_repo.record.opening import open_lineage
from lineage_repo.storage.store import Store
from lineage_repo.verification.verify import verify

REFUSED = "this record has format 1, and this version of espalier reads format 2 only"
BUNDLE = (
    Path(os.environ.get("ESPALIER_SHARED", Path(__file__).parents[4] / "shared")) / "data/lineages/golf_models.bundle"
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A repository whose ledger begins as version 1 wrote it."""
    store = Store.create(tmp_path / "old.git")
    body = {"kind": "campaign", "schema_version": 1, "name": "old", "arm": "roles", "start": "0" * 40}
    with store.writing():
        store.append(json.dumps(body).encode(), "campaign old", datetime.now(UTC))
    return store.path


def test_a_ledger_of_version_1_is_refused(old: Path) -> None:
    with pytest.raises(RecordError, match=REFUSED):
        open_lineage(old)


@pytest.mark.parametrize("command", ["log", "status", "verify", "analyze"])
def test_every_reading_command_says_so_in_one_line(old: Path, command: str) -> None:
    result = CliRunner().invoke(main, [command, str(old)])
    assert result.exit_code == 1
    assert REFUSED in result.output
    assert "Traceback" not in result.output


def test_an_entry_that_is_nested_too_deep_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "deep.git")
    with store.writing():
        store.append(b"[" * 200_000, "campaign deep", datetime.now(UTC))
    with pytest.raises(RecordError, match="is not one that this version knows"):
        open_lineage(store.path)


@pytest.mark.skipif(not BUNDLE.is_file(), reason="the shared bundle is not at hand")
def test_a_campaign_that_version_1_recorded_is_refused(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--bare", BUNDLE, clone], check=True, capture_output=True)
    subprocess.run(["git", "-C", clone, "update-ref", "refs/heads/ledger", "ledger"], check=False, capture_output=True)
    with pytest.raises(RecordError, match=REFUSED):
        open_lineage(clone)
    assert any(REFUSED in problem for problem in verify(Store(clone)).problems)
