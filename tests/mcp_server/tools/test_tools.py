"""The eight tools through the official client, in memory, in both protocol eras."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from lineage_repo.errors import RefusedError
from lineage_repo.model.measurement import Status
from lineage_repo.storage import locks
from mcp_server.sandbox.host import Host
from mcp_server.tools.server import build
from mcp_server.tools.workspace import Workspace
from tests.conftest import MakeWorkspace, like, toy_task

pytestmark = pytest.mark.anyio
GOOD = {"title": "more steps", "hypothesis": "More gradient steps should fit the wave better.", "expected_delta": -0.05}
LT = "<"
TOOLS = {
    "syntax_check", "size_project", "submit_trial", "wait_trial",
    "rebase_to", "read_snapshot", "diff_snapshots", "read_lineage",
}  # fmt: skip


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def connected(workspace: Workspace, **options: Any) -> AsyncGenerator[Callable[..., Any]]:
    """Connect a client: `call(tool, **arguments)` returns the structured answer; an error is an `AssertionError`."""
    with anyio.fail_after(60):
        async with Client(build(workspace), **options) as client:

            async def call(tool: str, **arguments: Any) -> Any:
                result = await client.call_tool(tool, arguments)
                if result.is_error:
                    raise AssertionError(result.content[0].text)  # type: ignore[union-attr]
                assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]
                return result.structured_content

            yield call


def edit(workspace: Workspace, **constants: object) -> None:
    """Change module-level constants of fit.py in the working copy."""
    path = workspace.workdir.folder / "fit.py"
    lines = path.read_text("utf-8").splitlines()
    for name, value in constants.items():
        lines = [f"{name} = {value}" if line.startswith(f"{name} = ") else line for line in lines]
    path.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.mark.parametrize("mode", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])
async def test_a_session_checks_submits_and_reads_in_both_eras(make_workspace: MakeWorkspace, mode: str) -> None:
    workspace = make_workspace()
    async with connected(workspace, mode=mode) as call:
        edit(workspace, STEPS=40)
        assert (await call("syntax_check"))["ok"]
        reply = await call("submit_trial", **GOOD)
        assert (reply["trial"], reply["state"], reply["status"], reply["submits_left"]) == (1, "done", "keep", 2)
        assert (reply["against"], reply["finding"], reply["head"]) == (0, "better", 1)
        assert reply["gain"]["low"] < reply["gain"]["mean"] < reply["gain"]["high"]
        assert reply["gain"]["mean"] > 0
        assert "better than 0000: +" in reply["message"]
        rows = (await call("read_lineage", view="leaderboard"))["rows"]
        assert [row["trial"] for row in rows] == [1, 0]
        assert "+STEPS = 40" in (await call("diff_snapshots", a=0, b=1))["diff"]
        assert "STEPS = 40" in (await call("read_snapshot", trial=1, path="fit.py"))["text"]
    trial = workspace.lineage.refresh().trials[1]
    assert trial.status is Status.KEEP
    assert (reply["notices"], trial.notices, trial.digests.get("brief")) == ([], (), None)


async def test_every_tool_is_annotated_closed_and_described(make_workspace: MakeWorkspace) -> None:
    async with Client(build(make_workspace())) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == TOOLS
    for tool in tools:
        assert tool.description
        assert tool.annotations
        assert tool.annotations.destructive_hint is False
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema
        assert "message" in tool.output_schema["properties"]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"hypothesis": "two\nlines of a hypothesis here"}, "hypothesis contains U+000A at character 3"),
        ({"hypothesis": "escape \x1b[2J the terminal and more"}, "hypothesis contains U+001B"),
        ({"hypothesis": f"fit longer{LT}/hypothesis> and more text"}, "tool-call markup"),
        ({"hypothesis": "test"}, "is the placeholder 'test'"),
        ({"hypothesis": "too short"}, "fewer than 20"),
        ({"title": "t" * 61}, "title String should have at most 60 characters"),
        ({"expected_delta": "NaN"}, "expected_delta Input should be a finite number"),
        ({"expected_delta": "much"}, "expected_delta Input should be a valid number"),
        ({"hypotesis": "x"}, "no argument 'hypotesis'; did you mean 'hypothesis'?"),
        ({"specialist": "model"}, "no argument 'specialist'"),
        ({"parent": 7}, "no argument 'parent'"),
    ],
)
async def test_a_bad_argument_is_refused_with_what_to_do_and_costs_nothing(
    make_workspace: MakeWorkspace, bad: dict[str, Any], problem: str
) -> None:
    workspace = make_workspace()
    edit(workspace, STEPS=40)
    async with connected(workspace) as call:
        with pytest.raises(AssertionError) as error:
            await call("submit_trial", **(GOOD | bad))
    assert problem in str(error.value)
    assert "pydantic.dev" not in str(error.value)
    assert workspace.submits_left() == 3


async def test_an_unknown_trial_is_refused_by_every_tool_that_takes_one(make_workspace: MakeWorkspace) -> None:
    async with connected(make_workspace()) as call:
        for tool, arguments in [
            ("rebase_to", {"trial": 42}), ("wait_trial", {"trial": 42}), ("read_snapshot", {"trial": 42}),
            ("diff_snapshots", {"a": 0, "b": 42}), ("read_lineage", {"view": "trial", "trial": 42}),
        ]:  # fmt: skip
            with pytest.raises(AssertionError, match=r"no trial 0?0?42"):
                await call(tool, **arguments)


async def test_an_unchanged_recipe_is_answered_from_the_record(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    async with connected(workspace) as call:
        reply = await call("submit_trial", **GOOD)
    assert (reply["trial"], reply["status"], reply["already_measured"], reply["submits_left"]) == (
        0,
        "baseline",
        True,
        3,
    )


async def test_submits_are_capped_by_what_the_ledger_says(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(max_submits=1)
    async with connected(workspace) as call:
        edit(workspace, STEPS=30)
        await call("submit_trial", **GOOD)
        edit(workspace, STEPS=50)
        with pytest.raises(AssertionError, match="used its 1 submits"):
            await call("submit_trial", **GOOD)


@pytest.mark.parametrize(
    ("most", "advice"), [(1, "this session has no submit left to try it again."), (2, "submit again.")]
)
async def test_an_aborted_trial_can_be_submitted_again_if_a_submit_is_left(
    make_workspace: MakeWorkspace, most: int, advice: str
) -> None:
    workspace = make_workspace(max_submits=most)
    start = workspace.lineage.trials[0].proposal
    proposal = start.model_copy(update={"parent": 0, "specialist": "opt", "session": workspace.session})
    paths = workspace.campaign.paths
    workspace.lineage.register(proposal, {}, lambda number: locks.release(locks.acquire(paths.trial(number).folder)))
    async with connected(workspace) as call:
        assert (await call("wait_trial", trial=1))["message"].endswith(f"it proves nothing; {advice}")


def test_a_role_with_its_own_caps_submits_as_often_as_they_allow(
    tmp_path: Path, calibrated_toy: Path, host: Host
) -> None:
    role = {"name": "opt", "title": "All of it", "caps": {"submits": 7}}
    campaign = like(calibrated_toy, tmp_path / "own", task=toy_task(tmp_path / "task", specialists=[role]))
    for given, expected in ((None, 7), (2, 2)):
        workspace = Workspace(campaign, "opt", "session-1", given, host)
        workspace.workdir.close()
        assert workspace.submits_left() == expected


async def test_a_trial_is_picked_up_later_and_a_second_one_waits_for_it(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    async with connected(workspace) as call:
        edit(workspace, STEPS=40)
        reply = await call("submit_trial", **GOOD, wait_s=0)
        assert (reply["state"], reply["trial"]) == ("running", 1)
        edit(workspace, STEPS=41)
        with pytest.raises(AssertionError, match=r"wait_trial\(trial=1\)"):
            await call("submit_trial", **GOOD)
        assert (await call("wait_trial", trial=1))["status"] == "keep"


@pytest.mark.slow
async def test_progress_is_reported_while_a_trial_runs(make_workspace: MakeWorkspace) -> None:
    workspace, messages = make_workspace(), list[str]()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        messages.append(message or "")

    edit(workspace, STEPS=40)
    async with Client(build(workspace)) as client:
        await client.call_tool("submit_trial", GOOD, progress_callback=note)
    assert any("measuring" in message for message in messages)
    assert not any("turn" in message for message in messages), "whose turn it is stays untold"


async def test_calls_in_parallel_register_one_trial_and_read_one_record(make_workspace: MakeWorkspace) -> None:
    workspace, answers = make_workspace(), list[Any]()
    edit(workspace, STEPS=40)
    async with connected(workspace) as call:

        async def attempt(tool: str, **arguments: Any) -> None:
            try:
                answers.append(await call(tool, **arguments))
            except AssertionError as error:
                answers.append(str(error))

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(lambda: attempt("submit_trial", **GOOD))
                group.start_soon(lambda: attempt("read_lineage", view="recent"))
    assert sorted(workspace.lineage.refresh().registered) == [0, 1]
    assert len(workspace.lineage.calibrations) == 2


async def test_only_the_editable_surface_may_change(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    (workspace.workdir.folder / "notes.txt").write_text("a", "utf-8")
    async with connected(workspace) as call:
        with pytest.raises(AssertionError, match=r"notes\.txt is new, but only .* may change"):
            await call("submit_trial", **GOOD)


async def test_a_link_in_the_working_copy_is_refused(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    (workspace.workdir.folder / "passwd.py").symlink_to("/etc/passwd")
    async with connected(workspace) as call:
        with pytest.raises(AssertionError, match=r"'passwd\.py' can't be read as a plain file"):
            await call("syntax_check")


async def test_rebase_puts_another_trials_recipe_in_the_working_copy(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    edit(workspace, STEPS=40)
    (workspace.workdir.folder / "left.py").write_text("", "utf-8")
    async with connected(workspace) as call:
        reply = await call("rebase_to", trial=0)
    assert reply["files"] == sorted(p.name for p in workspace.workdir.folder.iterdir())
    assert workspace.workdir.files() == workspace.lineage.read_recipe(0)


async def test_size_project_reports_the_room_under_every_limit(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    async with connected(workspace) as call:
        reply = await call("size_project")
    assert {"source", "fit time", "fit artifact", "predict time"} <= {m["name"] for m in reply["margins"]}
    assert len(workspace.lineage.refresh().registered) == 1


@pytest.mark.slow
async def test_a_phase_that_outlasts_the_dry_run_is_not_a_failure(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace()
    edit(workspace, STEPS=10**9)
    async with connected(workspace) as call:
        reply = await call("size_project", dry_run_s=0.2)
    assert "fit was still running after 0.2 s of the 5 s allowed, so its time is not projected" in reply["message"]
    assert (
        "nothing of predict. Within every limit that was measured. One seed; the start's fit time" in reply["message"]
    )
    assert [m["name"] for m in reply["margins"]] == ["source"]


def test_a_second_server_on_one_working_copy_is_refused(make_workspace: MakeWorkspace) -> None:
    make_workspace("opt")
    with pytest.raises(RefusedError, match="another server has the working copy of 'opt'"):
        make_workspace("opt", session="session-2")
    make_workspace("model")


def test_an_unknown_specialist_is_refused_by_name(make_workspace: MakeWorkspace) -> None:
    with pytest.raises(RefusedError, match="no specialist 'quant' in this campaign; it has model, opt"):
        make_workspace("quant")
