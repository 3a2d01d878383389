"""Files beside the record may hold anything: a malformed one is rebuilt or counts as absent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lineage_repo.monitor.health import read_status
from lineage_repo.prompting.queries import ancestry
from lineage_repo.record.campaign import Campaign
from lineage_repo.report.data import build_report_data
from lineage_repo.storage import locks
from tests.lineage_repo.cli.test_cli import espalier
from tests.lineage_repo.monitor.test_control import write_state
from tests.support.trials import submit

DEEP = "[" * 100_000


def put(path: Path, text: str | None) -> None:
    """Write a text to the file, or for None put a pipe there that nobody writes to."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path) if text is None else path.write_text(text, "utf-8")


def test_a_malformed_overview_is_rebuilt(campaign: Campaign) -> None:
    path = campaign.paths.overview
    submit(campaign.lineage.refresh(), 0.9)
    whole = espalier("status", campaign.folder).output
    good: dict[str, Any] = json.loads(path.read_text("utf-8"))
    running = {"title": "t", "specialist": "opt", "session": "s", "since": good["head"]["at"]}
    changes: list[dict[str, Any]] = [
        {"head": []},
        {"objective": good["objective"] | {"digits": 10**9}},
        {"recent": [{"trial": 1}]},
        {"recent": [good["recent"][0] | {"status": "won"}]},
        {"recent": [good["recent"][0] | {"score": float("nan")}]},
        {"running": [running | {"trial": 10**300}]},
        {"trials": True},
    ]
    for text in ("[]", "null", DEEP, None):
        put(path, text)
        assert espalier("status", campaign.folder).output == whole
    for change in (*changes, {"baseline": 10**400}, {"running": [{"trial": 1}]}):
        put(path, json.dumps(good | change))
        assert espalier("status", campaign.folder).output == whole
        assert json.loads(path.read_text("utf-8")) == good
    put(path, json.dumps({"tip": good["tip"], "arm": 1, "recent": []}))
    assert espalier("top", campaign.folder, "--once").exit_code == 0


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        DEEP,
        "{",
        None,
        '{"at": "x", "reason": null}',
        '{"at": "2026-11-21T20:00:00+00:00"}',
    ],
)
def test_a_malformed_state_of_a_loop_counts_as_absent(campaign: Campaign, text: str | None) -> None:
    put(campaign.folder / "run" / "state.json", text)
    assert read_status(campaign.folder).state == "idle"
    assert espalier("status", campaign.folder).exit_code == 0


def test_a_time_without_a_zone_is_malformed(campaign: Campaign) -> None:
    write_state(campaign, began="2026-11-21T20:00:00")
    assert read_status(campaign.folder).state == "idle"


def test_malformed_log_rows_are_rebuilt(campaign: Campaign) -> None:
    submit(campaign.lineage.refresh(), 0.9)
    path = campaign.folder / "rows.tsv"
    whole, full = (espalier("log", campaign.folder, *words).output for words in ((), ("--json",)))
    tip = f"tip\t{campaign.lineage.refresh().tip}\n"
    good = path.read_text("utf-8")
    for text in (f"[]\n{tip}", f"null\n{tip}", f"{DEEP}\n{tip}", None):
        put(path, text)
        assert espalier("log", campaign.folder).output == whole
        assert path.read_text("utf-8") == good
    put(path, good.replace('"hypothesis"', '"hypo'))
    assert espalier("log", campaign.folder, "--json").output == full


def test_a_lock_of_another_user_counts_as_held(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "lock").chmod(0)
    if os.geteuid():
        assert locks.is_alive(tmp_path)
    (tmp_path / "lock").unlink()
    os.mkfifo(tmp_path / "lock")
    assert not locks.is_alive(tmp_path)
    assert not locks.is_alive(tmp_path / "lock")


@pytest.mark.slow
def test_a_trial_that_is_its_own_parent_ends_the_chain(campaign: Campaign) -> None:
    lineage = campaign.lineage.refresh()
    number = submit(lineage, 0.01)
    trial = lineage.trials[number]
    own = trial.proposal.model_copy(update={"parent": number})
    lineage.trials[number] = trial.model_copy(update={"proposal": own})
    assert [t.number for t in ancestry(lineage, number)] == [number]
    assert [row.t for row in build_report_data(lineage).path] == [number]
