"""Arms: who searches, what a campaign freezes, and what a specialist learns of others' trials without the record."""

import itertools
import json
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result
from mcp import Client

from agent_client.brief import message
from agent_client.session.claude_options import expected_tools
from agent_client.session.file_guard import FILE_TOOLS
from lineage_repo.cli.main import main
from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import CampaignEntry, Proposal
from lineage_repo.model.measurement import Fault, Status
from lineage_repo.model.roster import build_roster
from lineage_repo.prompting.system_prompt import system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.record.lineage import Lineage
from lineage_repo.storage import locks
from lineage_repo.task.find import find_task
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.host import Host
from mcp_server.tools.server import build
from mcp_server.tools.workspace import Workspace
from tests.conftest import like, wait_for_runners
from tests.mcp_server.tools.test_tools import GOOD, connected
from tests.support.trials import finish


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def espalier(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def add(lineage: Lineage, specialist: str, words: str, files: dict[str, bytes], error: float | None) -> int:
    """Record a trial with `words` in each of its texts; without an error it is a crash."""
    claimed = Proposal(
        parent=0,
        title=f"{words}title",
        hypothesis=f"{words}hypothesis says why it should help",
        expected_delta=-0.1,
        notes=f"{words}notes",
        specialist=specialist,
        session=f"{words}session",
        recipe_tree=lineage.store.write_tree(files),
    )
    number = lineage.register(claimed, lineage.campaign.digests, lambda _: None)
    finish(lineage, number, error, None if error else Fault(status=Status.CRASH, failure=f"{words}failure"))
    return number


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ((), ["model", "opt"]),
        (("--arm", "generic"), ["agent-01", "agent-02"]),
        (("--arm", "generic", "--agents", "3", "--no-lineage"), ["agent-01", "agent-02", "agent-03"]),
        (("--arm", "single"), ["agent"]),
        (("--no-lineage", "--specialists", "opt"), ["opt"]),
    ],
)
def test_an_arm_is_frozen_in_the_campaign_and_in_the_ledger(
    tmp_path: Path, options: tuple[str, ...], names: list[str]
) -> None:
    assert espalier("init", tmp_path / "c", "--task", "toy", *options).exit_code == 0
    campaign = Campaign.open(tmp_path / "c")
    entry = campaign.lineage.refresh().campaign
    assert entry
    assert list(campaign.roster) == list(campaign.lineage.roster) == list(entry.specialists) == names
    assert campaign.roster == campaign.lineage.roster
    assert (entry.arm, entry.read_record) == (campaign.settings.arm, campaign.settings.read_record)
    assert entry.read_record == ("--no-lineage" not in options)
    assert all(system_prompt(campaign, name) for name in names)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--arm", "single", "--agents", "2"), "--agents 2 counts equal agents, which only --arm generic has"),
        (("--agents", "2"), "which only --arm generic has, not 'roles'"),
        (("--arm", "generic", "--specialists", "opt"), "--specialists chooses among roles, and the arm 'generic' has"),
        (("--arm", "swarm"), "'swarm' is not one of 'roles', 'generic', 'single'"),
    ],
)
def test_options_of_another_arm_are_refused(tmp_path: Path, options: tuple[str, ...], problem: str) -> None:
    result = espalier("init", tmp_path / "c", "--task", "toy", *options)
    assert result.exit_code in {1, 2}
    assert problem in result.output
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(("name", "value"), [("read_record", True), ("isolation", "none"), ("n_seeds", 7)])
def test_settings_that_were_edited_after_init_are_refused(
    calibrated_toy: Path, tmp_path: Path, name: str, value: object
) -> None:
    campaign = like(calibrated_toy, tmp_path / "other", read_record=False)
    raw = campaign.settings.model_dump(mode="json", exclude_none=True)
    (campaign.folder / "campaign.toml").write_text(tomli_w.dumps(raw | {name: value}), "utf-8")
    with pytest.raises(CampaignError, match=rf"campaign\.toml was edited: the ledger froze other {name}"):
        Campaign.open(campaign.folder).check_digests()


@pytest.mark.parametrize("what", ["size", "calibration", "proof"])
def test_hidden_data_of_a_killed_measurement_are_removed_and_those_of_a_live_one_are_not(
    campaign: Campaign, what: str
) -> None:
    dead, live = (campaign.paths.trials / f"{what}-{name}" for name in ("dead", "live"))
    locks.release(locks.acquire(dead))
    lock = locks.acquire(live)
    secrets = [folder / "job-1" / "turns" / "03" / "secret" for folder in (dead, live)]
    for secret in secrets:
        secret.mkdir(parents=True)
    campaign.recover()
    locks.release(lock)
    assert [secret.exists() for secret in secrets] == [False, True]


def test_status_and_log_name_the_arm(calibrated_toy: Path, tmp_path: Path) -> None:
    folder = like(calibrated_toy, tmp_path / "other", arm="generic", read_record=False).folder
    assert "arm generic, no lineage" in espalier("status", folder).output
    assert "arm generic, no lineage" in espalier("log", folder).output
    assert json.loads(espalier("log", folder, "--json").output)["arm"] == "generic, no lineage"
    status = json.loads(espalier("status", folder, "--json").output)
    assert (status["arm"], status["read_record"]) == ("generic", False)


def test_a_ledger_from_before_there_were_arms_reads_as_one_with_lineage(campaign: Campaign) -> None:
    [first, *_] = campaign.lineage.store.rows()
    assert json.loads(first.body)["read_record"] is True
    assert CampaignEntry.model_validate_json(first.body).read_record
    assert verify(campaign.lineage.store).problems == ()


def test_a_roster_names_only_neighbours_that_the_campaign_has() -> None:
    task = find_task("airbench_cpu").task
    assert build_roster(task, "roles", ("opt", "reg"))["opt"].neighbours == ("reg",)


def test_generic_agents_differ_in_nothing_but_their_names(calibrated_toy: Path, tmp_path: Path) -> None:
    campaign = like(calibrated_toy, tmp_path / "other", arm="generic", agents=2)
    one, two = (system_prompt(campaign, name) for name in campaign.roster)
    swapped = two.replace("agent-01", "agent-0x").replace("agent-02", "agent-01").replace("agent-0x", "agent-02")
    assert swapped == one
    assert not any(role.title in one for role in campaign.task.specialists)


# ---- without the record

OTHERS = ("zebrakept", "zebradiscarded", "zebracrashed", "zebrasame")
"""Unique words in every text that another specialist wrote."""
SAME = b"undefined_name\n"
"""An edit that two specialists make; it ends before any box, which keeps the test short."""
READING = ("read_lineage", "read_snapshot", "diff_snapshots")


@pytest.fixture(scope="module")
def _closed(calibrated_toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    campaign = like(calibrated_toy, tmp_path_factory.mktemp("closed") / "toy", read_record=False)
    lineage = campaign.lineage.refresh()
    start = lineage.read_recipe(0)
    for words, error in zip(OTHERS, (0.01, 0.5, None, 0.6), strict=True):
        body = start["features.py"] + (f"# {words}recipe\n".encode() if words != "zebrasame" else SAME)
        add(lineage, "model", words, {**start, "features.py": body}, error)
    add(lineage, "opt", "mine", {**start, "fit.py": start["fit.py"] + b"# mine\n"}, 0.4)
    return campaign.folder


@pytest.fixture
def closed(_closed: Path, tmp_path: Path) -> Generator[Campaign]:
    """A campaign whose agents may not read the record; `model` has four trials, one of them the head, and `opt` one."""
    shutil.copytree(_closed, tmp_path / "closed")
    yield Campaign.open(tmp_path / "closed")
    wait_for_runners(tmp_path / "closed")


async def answers(workspace: Workspace) -> tuple[str, list[str]]:
    """Return what the server says of itself, and each tool's reply to every argument that a curious agent could try."""
    numbers = range(7)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("syntax_check", {}),
        ("size_project", {}),
        *(("wait_trial", {"trial": n, "wait_s": 0}) for n in numbers),
        *(("read_lineage", {"view": view}) for view in ("head", "recent", "leaderboard", "role", "failures")),
        *(("read_lineage", {"view": view, "trial": 1}) for view in ("trial", "ancestry")),
        ("read_lineage", {"view": "similar", "text": "zebrakept"}),
        *(("read_snapshot", {"trial": n, "path": path}) for n in numbers for path in ("", "features.py")),
        *(("diff_snapshots", {"a": a, "b": b}) for a, b in itertools.product(numbers, numbers)),
        *(("rebase_to", {"trial": n}) for n in (2, 3, 4, 5, 6, 1, 0)),
    ]
    async with Client(build(workspace)) as client:
        listed = repr(client.instructions) + repr(await client.list_tools())
        replies: list[str] = []
        for tool, arguments in calls:
            replies.append(repr(await client.call_tool(tool, arguments)))
            # Only the head's recipe may be read.
            head = workspace.lineage.read_recipe(1) if workspace.workdir.parent == 1 else {}
            replies += [body.decode() for path, body in workspace.workdir.files().items() if head.get(path) != body]
    return listed, replies


@pytest.mark.anyio
async def test_without_the_record_no_text_has_a_word_of_anothers_trial(closed: Campaign, host: Host) -> None:
    workspace = Workspace(closed, "opt", "session-1", 3, host)
    listed, replies = await answers(workspace)
    workspace.workdir.close()
    opening = message.render(closed.lineage.refresh(), "opt", workspace.workdir.folder, 3, "session-1").text
    texts = [listed, opening, system_prompt(closed, "opt")]
    assert [text for text in [*replies, *texts] if "zebra" in text] == []
    assert [name for name in READING if any(name in text for text in texts)] == []
    assert f"The head: trial 1, {closed.task.objective.text(closed.lineage.trials[1].score)}." in opening
    assert len(opening) < 1500


@pytest.mark.anyio
async def test_the_client_expects_exactly_the_tools_that_the_server_has(closed: Campaign, host: Host) -> None:
    workspace = Workspace(closed, "opt", "session-1", 3, host)
    async with Client(build(workspace)) as client:
        tools = (await client.list_tools()).tools
    workspace.workdir.close()
    assert {f"mcp__espalier__{tool.name}" for tool in tools} | set(FILE_TOOLS) == expected_tools(read_record=False)
    assert expected_tools(read_record=True) - expected_tools(read_record=False) == {
        f"mcp__espalier__{name}" for name in READING
    }


@pytest.mark.anyio
async def test_without_the_record_only_own_trials_are_answered_and_anothers_recipe_is_measured_anew(
    closed: Campaign, host: Host
) -> None:
    workspace = Workspace(closed, "opt", "session-1", 3, host)
    file = workspace.workdir.folder / "fit.py"
    async with connected(workspace) as call:
        assert (await call("wait_trial", trial=5))["score"] == pytest.approx(0.4, abs=0.05)
        with pytest.raises(AssertionError, match="trial 2 is not yours; yours are 5"):
            await call("wait_trial", trial=2)
        with pytest.raises(AssertionError, match="rebase_to takes 0, the start, or 1, the head now; not 2"):
            await call("rebase_to", trial=2)
        await call("rebase_to", trial=1)
        with pytest.raises(AssertionError, match="is trial 1's recipe, unchanged"):
            await call("submit_trial", **GOOD)
        await call("rebase_to", trial=0)
        file.write_bytes(file.read_bytes() + b"# mine\n")
        mine = await call("submit_trial", **GOOD)
        assert (mine["trial"], mine["already_measured"], mine["submits_left"]) == (5, True, 3)
        await call("rebase_to", trial=0)
        features = workspace.workdir.folder / "features.py"
        features.write_bytes(features.read_bytes() + SAME)
        fresh = await call("submit_trial", **GOOD)
        assert (fresh["trial"], fresh["already_measured"], fresh["submits_left"]) == (6, False, 2)
        assert "zebra" not in json.dumps(fresh)
    workspace.workdir.close()
    trials = closed.lineage.refresh().trials
    assert trials[4].proposal.recipe_tree == trials[6].proposal.recipe_tree
    assert verify(closed.lineage.store).problems == ()


# ---- what a role declares, and its brief


@pytest.mark.anyio
async def test_an_edit_beyond_what_the_role_declares_is_reported_everywhere_and_not_refused(
    campaign: Campaign, host: Host
) -> None:
    workspace = Workspace(campaign, "opt", "session-1", 3, host, brief_sha256="b" * 64)
    (workspace.workdir.folder / "features.py").write_text("\n" * 20 + "undefined_name\n", "utf-8")
    async with connected(workspace) as call:
        reply = await call("submit_trial", **GOOD)
    workspace.workdir.close()
    trial = campaign.lineage.refresh().trials[1]
    assert reply["notices"] == list(trial.notices)
    assert trial.notices[0] == "features.py edited, outside the surface that opt declares: fit.py"
    assert trial.notices[1].endswith("over the edit radius 20 of opt")
    shown = espalier("show", campaign.folder, "1").output
    assert all(f"notice     {line}" in shown for line in trial.notices)
    assert trial.digests["brief"] == campaign.lineage.registered[1].digests["brief"] == "b" * 64
    assert verify(campaign.lineage.store).problems == ()


def test_a_brief_that_is_not_a_digest_is_refused(campaign: Campaign) -> None:
    result = espalier("serve", campaign.folder, "--specialist", "opt", "--brief", "short")
    assert "'short' is not a SHA-256" in result.output
