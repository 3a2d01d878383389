"""Fixtures: a calibrated toy campaign of its own for every test, and no reach into the user's home or git settings."""

import functools
import os
import shutil
import tomllib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks
from lineage_repo.task.builtin import data_folder
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from mcp_server.tools.workspace import Workspace
from mcp_server.trial import calibration
from mcp_server.trial.executor import LocalExecutor

MakeTask = Callable[..., TaskFolder]
MakeWorkspace = Callable[..., Workspace]


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("GIT_", "ANTHROPIC_", "ESPALIER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "home").mkdir()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(state=tmp_path / "state" / "espalier", path=os.environ["PATH"])


def toy_task(folder: Path, phase_seconds: float | None = None, **tables: Any) -> TaskFolder:
    """The toy task with changes: `phase_seconds` caps every phase, other keywords change tables of the manifest."""
    shutil.copytree(data_folder("tasks") / "toy", folder, dirs_exist_ok=True)
    raw: dict[str, Any] = tomllib.loads((folder / "task.toml").read_text("utf-8"))
    for name, table in tables.items():
        raw[name] = {**raw.get(name, {}), **table} if isinstance(table, dict) else table
    for index in range(len(raw["phases"]) if phase_seconds else 0):
        raw["phases"][index]["limit_s"] = phase_seconds
    (folder / "task.toml").write_text(tomli_w.dumps(raw), "utf-8")
    return TaskFolder.load(folder)


def crowd_task(folder: Path, roles: int, phase_seconds: float | None = None, **tables: Any) -> TaskFolder:
    """The toy task with many specialists, all of whom may do what the toy's `opt` does."""
    names = [f"role{number}" for number in range(roles)]
    specialists = [{"name": name, "title": f"Role {name}"} for name in names]
    task = toy_task(folder, phase_seconds, specialists=specialists, **tables)
    knowledge = shutil.copytree(data_folder("knowledge") / "toy", folder / "knowledge")
    for name in names:
        shutil.copyfile(knowledge / "roles" / "opt.md", knowledge / "roles" / f"{name}.md")
    return task


@pytest.fixture
def make_task(tmp_path: Path) -> MakeTask:
    return functools.partial(toy_task, tmp_path / "task")


def calibrated(folder: Path, task: TaskFolder) -> Path:
    """A campaign in `folder` with its baseline."""
    campaign = Campaign.create(folder, task)
    host = Host(state=folder.parent / "state", path=os.environ["PATH"])
    calibration.calibrate(campaign, 2, LocalExecutor(host))
    return folder


def like(calibrated: Path, folder: Path, task: TaskFolder | None = None, **options: Any) -> Campaign:
    """A toy campaign of another arm or other roles; the measurements of the one in `calibrated` are its baseline."""
    source = Campaign.open(calibrated).lineage.refresh()
    campaign = Campaign.create(folder, task or TaskFolder.load(data_folder("tasks") / "toy"), **options)
    for entry in source.calibrations:
        campaign.lineage.refresh().calibrate(entry)
    campaign.lineage.open_baseline(source.registered[0].proposal, campaign.settings.digests)
    return campaign


@pytest.fixture(scope="session")
def calibrated_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return calibrated(tmp_path_factory.mktemp("calibrated") / "toy", TaskFolder.load(data_folder("tasks") / "toy"))


@pytest.fixture
def campaign(calibrated_toy: Path, tmp_path: Path) -> Generator[Campaign]:
    """A calibrated toy campaign; runners that the test left are waited for by their lock."""
    folder = tmp_path / "campaign"
    shutil.copytree(calibrated_toy, folder)
    yield Campaign.open(folder)
    wait_for_runners(folder)


def wait_for_runners(folder: Path) -> None:
    for trial in (folder / "trials").iterdir():
        if locks.is_alive(trial):
            (trial / "cancel").touch()
            locks.wait_for_release(trial)


@pytest.fixture
def make_workspace(campaign: Campaign, host: Host) -> Generator[MakeWorkspace]:
    """A workspace of one specialist; closed when the test ends."""
    workspaces: list[Workspace] = []

    def make(specialist: str = "opt", session: str = "session-1", max_submits: int = 3) -> Workspace:
        workspaces.append(Workspace(campaign, specialist, session, max_submits, host))
        return workspaces[-1]

    yield make
    for workspace in workspaces:
        workspace.workdir.close()
