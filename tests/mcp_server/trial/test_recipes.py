"""Every way in which a recipe can fail ends in a trial with the right status and without a score."""

import os
import shutil
from pathlib import Path

import pytest

from lineage_repo.model.ledger import Proposal, Trial
from lineage_repo.model.measurement import Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.folder import TaskFolder
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.cgroup import choose_clock
from mcp_server.sandbox.host import Host
from mcp_server.trial import calibration, runner
from mcp_server.trial.executor import LocalExecutor
from tests.conftest import calibrated, toy_task

HEAD = "import os, time\n"
READY = HEAD + (
    "control = open(int(os.environ['ESPALIER_CONTROL']), 'r+b', buffering=0)\n"
    "control.write(b'READY\\n')\ncontrol.readline()\n"
)
FORGED = "print('error: 0.0001'); open('/out/measurement.json', 'w').write('{\"metrics\": {\"error\": [0.0, 0.0]}}')\n"


@pytest.fixture(scope="module")
def _short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short")
    return calibrated(folder / "campaign", toy_task(folder / "task", phase_seconds=1.0))


@pytest.fixture
def short(_short: Path, tmp_path: Path) -> Campaign:
    """A calibrated campaign whose phases may take one second."""
    shutil.copytree(_short, tmp_path / "short")
    return Campaign.open(tmp_path / "short")


def measure(campaign: Campaign, host: Host, files: dict[str, str]) -> Trial:
    """Register a changed recipe and run it in this process."""
    lineage = campaign.lineage.refresh()
    tree = lineage.store.write_tree({**lineage.read_recipe(0), **{path: text.encode() for path, text in files.items()}})
    proposal = Proposal(
        parent=0,
        title="a bad recipe",
        hypothesis="It is bad on purpose.",
        expected_delta=-1,
        specialist="opt",
        session="s",
        recipe_tree=tree,
    )
    number = lineage.register(proposal, campaign.settings.digests, lambda n: campaign.paths.trial(n).folder.mkdir())
    return runner.run(campaign, number, host)


@pytest.mark.parametrize(
    ("files", "status", "line"),
    [
        ({"fit.py": "def f(:\n"}, Status.PREFLIGHT_CRASH, "fit.py:1: "),
        ({"fit.py": "\n# harmless\rSTEPS = 120\n"}, Status.PREFLIGHT_CRASH, "fit.py:2: a carriage return without"),
        ({"fit.py": "x = '\0'\n"}, Status.CRASH, "cannot contain null bytes"),
        ({"fit.py": "print(undefined_name)\n"}, Status.PREFLIGHT_CRASH, "Undefined name `undefined_name`"),
        pytest.param(
            {"fit.py": READY + "raise SystemExit(3)\n"},
            Status.CRASH,
            "fit exited 3",
            marks=pytest.mark.slow,
        ),
        ({"fit.py": READY + "1 / 0\n"}, Status.CRASH, "ZeroDivisionError: division by zero at fit.py:5"),
        ({"fit.py": READY + "open('/recipe/x', 'w')\n"}, Status.CRASH, "OSError: [Errno 30] Read-only file system"),
        ({"fit.py": READY + FORGED}, Status.CRASH, "left no model.json in /out"),
        ({"fit.py": READY + "time.sleep(60)\n"}, Status.TRAIN_BUDGET_OVERRUN, "killed at 1.0 s; the limit is 1 s"),
        (
            {"fit.py": READY + "os.symlink('/etc/passwd', '/out/model.json')\n"},
            Status.ILLEGAL,
            "something else than a plain file",
        ),
        (
            {"fit.py": READY + "open('/out/model.json', 'w').write('[' + '1,' * 90_000 + '1]')\n"},
            Status.SIZE_BLOCKED,
            "over the",
        ),
        ({"fit.py": HEAD + "print('no word')\n"}, Status.CRASH, "fit ended without READY"),
        pytest.param(
            {"predict.py": HEAD + "time.sleep(60)\n"},
            Status.EVAL_BUDGET_OVERRUN,
            "predict killed at 1.0 s",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"predict.py": HEAD + "open('/out/pred.f64', 'wb').write(b'abc')\n"},
            Status.CRASH,
            "holds 3 bytes",
            marks=pytest.mark.slow,
        ),
        ({"predict.py": HEAD + "open('/out/pred.f64', 'wb').write(b'\\xff' * 1024)\n"}, Status.CRASH, "holds nan"),
    ],
)
def test_a_bad_recipe_gets_the_right_status(
    short: Campaign, host: Host, files: dict[str, str], status: Status, line: str
) -> None:
    trial = measure(short, host, files)
    assert (trial.status, trial.score) == (status, None)
    assert line in (trial.verdict.failure or "")
    passed = [margin for margin in trial.verdict.margins if margin.margin < 0]
    assert bool(passed) == (status in {Status.SIZE_BLOCKED, Status.TRAIN_BUDGET_OVERRUN, Status.EVAL_BUDGET_OVERRUN})
    assert verify(short.lineage.store, full=False).problems == ()


def test_a_source_over_its_cap_says_by_how_much(short: Campaign, host: Host) -> None:
    cap = short.task.limits.source_bytes
    trial = measure(short, host, {"fit.py": "#" * cap})
    (margin,) = trial.verdict.margins
    assert (trial.status, margin.name, margin.limit) == (Status.SIZE_BLOCKED, "source", cap)
    assert f"{-margin.margin:,.0f} over the {cap:,}" in (trial.verdict.failure or "")
    assert verify(short.lineage.store, full=False).problems == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "status", "name", "line"),
    [
        ("time.sleep(60)\n", Status.CRASH, "fit until READY", "did not say READY"),
        (
            READY + "time.sleep(60)\n",
            Status.TRAIN_BUDGET_OVERRUN,
            "fit wall time",
            "s of wall time, the most for a limit",
        ),
    ],
)
def test_the_fault_of_a_recipe_that_waits_says_how_long_it_waited(
    tmp_path: Path, host: Host, first: str, status: Status, name: str, line: str
) -> None:
    if choose_clock("cpu") == "wall":
        pytest.skip("this host accounts no CPU seconds")
    manifest = toy_task(tmp_path / "task", phase_seconds=1.0, clock="cpu").path / "task.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("ready_s = 10", "ready_s = 1"), "utf-8")
    campaign = Campaign.open(calibrated(tmp_path / "campaign", TaskFolder.load(manifest.parent)))
    trial = measure(campaign, host, {"fit.py": HEAD + first})
    (margin,) = [m for m in trial.verdict.margins if m.name == name]
    assert (trial.status, -2 < margin.margin < 0) == (status, True)
    assert line in (trial.verdict.failure or "")


def test_a_score_that_a_recipe_prints_or_writes_is_never_read(short: Campaign, host: Host) -> None:
    predict = short.lineage.refresh().read_recipe(0)["predict.py"].decode()
    trial = measure(short, host, {"predict.py": predict + FORGED})
    baseline = short.lineage.trials[0]
    assert trial.score == pytest.approx(baseline.score, rel=0.2)


def test_a_changed_evaluator_measures_nothing_more(short: Campaign, host: Host) -> None:
    program = short.task_folder.program
    body = program.read_text("utf-8")
    program.write_text(body + "# changed\n", "utf-8")
    try:
        trial = measure(short, host, {"fit.py": READY})
    finally:
        program.write_text(body, "utf-8")
    assert trial.status is Status.HARNESS_ABORT
    assert "the evaluator of toy changed" in (trial.verdict.failure or "")


def test_a_cancelled_trial_is_recorded_and_its_boxes_are_gone(short: Campaign, host: Host) -> None:
    lineage = short.lineage.refresh()
    marker = f"marker-{os.getpid()}"
    tree = lineage.store.write_tree(
        {**lineage.read_recipe(0), "fit.py": (READY + f"time.sleep(60)  # {marker}\n").encode()}
    )
    proposal = Proposal(
        parent=0, title="x", hypothesis="", expected_delta=0, specialist="opt", session="s", recipe_tree=tree
    )
    number = lineage.register(proposal, short.settings.digests, lambda n: short.paths.trial(n).folder.mkdir())
    (short.paths.trial(number).folder / "cancel").touch()
    assert runner.run(short, number, host).verdict.failure == "cancelled by the operator"
    assert not list(short.paths.trial(number).folder.glob("job-*/boxes/*"))


@pytest.mark.slow
def test_without_isolation_every_trial_says_so_and_nothing_else_changes(tmp_path: Path, host: Host) -> None:
    campaign = Campaign.create(tmp_path / "bare", toy_task(tmp_path / "task"), isolation="none")
    calibration.calibrate(campaign, 2, LocalExecutor(host))
    fit = campaign.lineage.read_recipe(0)["fit.py"].decode().replace("STEPS = 12", "STEPS = 60")
    trial = measure(campaign, host, {"fit.py": fit})
    assert trial.status is Status.KEEP
    assert trial.isolation["level"] == "none"
    lineage = campaign.lineage.refresh()
    assert "Isolation: none" in lineage.store.run("log", "-1", "trial/0001").decode()
    assert verify(lineage.store).problems == ()
