"""nanochat_cpu: a serving box's answers are compared with the right ones, and anything else is refused."""

import json
import math
import shutil
import socket
import struct
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import anyio
import pytest
import tomli_w
from mcp import Client

from lineage_repo.model.measurement import Fault, Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from lineage_repo.verification.verify import verify
from mcp_server.sandbox.host import Host
from mcp_server.tools.server import build
from mcp_server.tools.workspace import Workspace
from mcp_server.trial import calibration
from mcp_server.trial.attempts import measure
from mcp_server.trial.evaluator import EvaluatorProgram
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.preflight import preflight

TASK = find_task("nanochat_cpu")
CHOICES = {"next": 4, "spelling": 2, "order": 2, "context": 2}
FRAME = 66
STREAMS, STEPS, SYMBOLS = 32, 64, 128

Metrics = dict[str, tuple[float, ...]]


def sheet() -> dict[str, Any]:
    """Ten items of every task; each text names its metric, task, item and option."""
    items: list[Any] = []
    requests: list[Any] = []
    prompts: list[Any] = []
    for metric in ("core", "core_reserved"):
        for task in (*CHOICES, "complete", "word"):
            for n in range(10):
                asked, names = (requests, range(CHOICES[task])) if task in CHOICES else (prompts, [0])
                places = [*range(len(asked), len(asked) + len(names))]
                items.append([metric, task, "" if task in CHOICES else "right", places])
                asked += [[f"{metric} {task} {n} {option}", 3] for option in names]
    return {"items": items, "requests": requests, "prompts": prompts, "streams": "a" * (STREAMS * STEPS)}


class Box:
    """A serving box that follows a script."""

    def __init__(self, channel: int) -> None:
        self.talk = socket.socket(fileno=channel)

    def texts(self, count: int) -> list[str]:
        """The texts of the next frames."""
        heard = self.talk.recv(count * FRAME, socket.MSG_WAITALL)
        frames = [heard[at : at + FRAME] for at in range(0, len(heard), FRAME)]
        return [frame[2 : 2 + frame[0]].decode() for frame in frames]

    def serve(
        self, score: Callable[[str], float], continued: Callable[[str], bytes], odds: Callable[[int], bytes]
    ) -> None:
        """Keep the protocol to its end."""
        requests, prompts, size = struct.unpack("<3I", self.talk.recv(12, socket.MSG_WAITALL))
        self.talk.sendall(b"".join(struct.pack("<f", score(text)) for text in self.texts(requests)))
        self.talk.sendall(b"".join(continued(text)[:size].ljust(size) for text in self.texts(prompts)))
        assert struct.unpack("<2I", self.talk.recv(8, socket.MSG_WAITALL)) == (STREAMS, STEPS)
        for step in range(STEPS):
            self.talk.sendall(odds(step) * STREAMS)
            if step + 1 < STEPS:
                assert self.talk.recv(STREAMS, socket.MSG_WAITALL) == b"a" * STREAMS


Talk = Callable[[Callable[[Box], None]], Fault | Metrics]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evaluator as a worker stages it."""
    folder = tmp_path_factory.mktemp("evaluator")
    TASK.stage_evaluator(folder)
    return folder / TASK.task.evaluator.program


@pytest.fixture
def talk(program: Path, tmp_path: Path) -> Talk:
    """Let a scripted box serve one sheet; return the metrics, or the fault."""

    def run(script: Callable[[Box], None]) -> Fault | Metrics:
        secret, sealed = tmp_path / "secret", tmp_path / "sealed"
        secret.mkdir()
        (secret / "0.json").write_text(json.dumps(sheet()), "utf-8")
        evaluator = EvaluatorProgram(TASK.task.evaluator, program, Path(sys.executable), tmp_path / "log")
        with evaluator.dialogue("serve", 0, sealed, secret) as dialogue:
            dialogue.go()
            box = Box(dialogue.channel)
            with box.talk:
                script(box)
        if fault := evaluator.take_dialogue_fault(secret, 0):
            return fault
        metrics, fault = evaluator.score(sealed, secret, 1)
        return fault or metrics

    return run


def test_the_score_is_the_mean_centred_accuracy_and_a_tie_counts_as_wrong(talk: Talk) -> None:
    right = {"next": 4, "spelling": 10, "order": 0, "context": 7}

    def score(text: str) -> float:
        metric, task, item, option = text.split()
        if metric == "core_reserved":
            return -int(option)
        if task == "order":
            return 0.5  # equal for both
        return float((option == "0") == (int(item) < right[task]))

    def continued(text: str) -> bytes:
        metric, task, item, _ = text.split()
        return b"right!" if metric == "core_reserved" or (task == "word" and int(item) < 3) else b"righ"

    metrics = talk(lambda box: box.serve(score, continued, lambda _: bytes(4 * SYMBOLS)))
    by_hand = [(0.4 - 0.25) / 0.75, (1.0 - 0.5) / 0.5, (0.0 - 0.5) / 0.5, (0.7 - 0.5) / 0.5, 0.0, 0.3]
    assert isinstance(metrics, dict)
    assert metrics["core"] == (pytest.approx(fmean(by_hand)),)
    assert metrics["core_reserved"] == (pytest.approx(1.0),)
    assert metrics["bpb"] == (pytest.approx(7.0),)


def test_odds_of_any_size_are_normalised_and_equal_answers_score_below_guessing(talk: Talk) -> None:
    def odds(step: int) -> bytes:
        told = [1e30 if step % 2 else 0.0] * SYMBOLS
        told[ord("a")] += 0.0 if step % 2 else math.log(3)
        return struct.pack(f"<{SYMBOLS}f", *told)

    metrics = talk(lambda box: box.serve(lambda _: 0.0, lambda _: b"", odds))
    assert isinstance(metrics, dict)
    assert metrics["bpb"] == (pytest.approx((7 + math.log2(130 / 3)) / 2),)
    assert metrics["core"] == (pytest.approx((-1 / 3 - 3) / 6),)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (b"", "the box ended at request 0 of 200"),
        (bytes(10), "the box ended at request 2 of 200"),
        (bytes(4 * 200 + 13), "the box ended at prompt 2 of 40"),
        (bytes(4 * 200 + 6 * 40), "the box ended at step 0 of 64"),
        (bytes(4 * 3) + struct.pack("<f", math.inf) * 197, "request 3 of 200 was answered inf, not a finite number"),
        (b"\xff" * 4 * 200, "request 0 of 200 was answered nan"),
    ],
)
def test_an_invalid_answer_is_a_crash_that_names_the_request(talk: Talk, said: bytes, line: str) -> None:
    found = talk(lambda box: box.talk.sendall(said))
    assert isinstance(found, Fault)
    assert found.status is Status.CRASH
    assert line in found.failure


HEAD = """import os, socket, time
talk = os.environ.get("ESPALIER_DIALOGUE")
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
ready = lambda: (control.write(b"READY\\n"), control.readline())
"""
MADE = "ready(); open('model.bin', 'wb').write(bytes(9))\n"


def short_task(folder: Path) -> TaskFolder:
    """The task with one seed, short phases and a small box."""
    shutil.copytree(TASK.path, folder)
    raw = tomllib.loads((folder / "task.toml").read_text("utf-8"))
    raw["n_seeds"] = 1
    raw["limits"] |= {"memory_bytes": 200_000_000}
    raw["phases"] = [{**phase, "limit_s": 2.0, "ready_s": 3.0} for phase in raw["phases"]]
    (folder / "task.toml").write_text(tomli_w.dumps(raw), "utf-8")
    return TaskFolder.load(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("train", "serve", "status", "line"),
    [
        ("ready()\nwhile True: pass\n", "", Status.TRAIN_BUDGET_OVERRUN, "train killed at"),
        ("while True: pass\n", "", Status.CRASH, "did not say READY"),
        ("ready()\n", "", Status.CRASH, "left no model.bin in /out"),
        (
            "ready(); open('model.bin', 'wb').write(bytes(2_000_001))\n",
            "",
            Status.SIZE_BLOCKED,
            ", 1 over the 2,000,000",
        ),
        ("ready(); held = b'x' * 900_000_000\n", "", Status.CRASH, "MemoryError"),
        ("ready(); open('/tmp/x', 'wb').write(bytes(70_000_000))\n", "", Status.CRASH, "File too large"),
        ("ready(); [os.fork() or time.sleep(1) for _ in range(40)]\n", "", Status.CRASH, "BlockingIOError"),
        (MADE, "ready()\nwhile True: pass\n", Status.EVAL_BUDGET_OVERRUN, "serve killed at"),
        (MADE, "ready()\n", Status.CRASH, "the box ended at request 0 of"),
        (MADE, "ready(); os.write(int(talk), b'\\xff' * 99_999)\n", Status.CRASH, "request 0 of 2500 was answered nan"),
    ],
)
def test_a_recipe_that_crosses_a_limit_gets_its_status(
    tmp_path: Path, host: Host, train: str, serve: str, status: Status, line: str
) -> None:
    campaign = Campaign.create(tmp_path / "campaign", short_task(tmp_path / "task"))
    folder = campaign.paths.trials / "x"
    folder.mkdir()
    outcome = measure(
        campaign,
        {"train.py": (HEAD + train).encode(), "serve.py": (HEAD + serve).encode()},
        folder,
        LocalExecutor(host),
    )
    assert outcome.fault
    assert (outcome.fault.status, line in outcome.fault.failure) == (status, True), outcome.fault.failure


def test_a_source_over_its_limit_is_not_measured() -> None:
    found = preflight(TASK.task, {**TASK.read_start(), "table.py": b"#" * 30_000})
    assert found
    assert found.status is Status.SIZE_BLOCKED


async def answers(workspace: Workspace, calls: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """What the tools answer."""
    said: list[str] = []
    async with Client(build(workspace)) as client:
        for tool, arguments in calls:
            answer = await client.call_tool(tool, arguments)
            assert not answer.is_error, answer
            said.append(json.dumps(answer.structured_content))
    return said


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_whole_trial_is_scored_and_no_answer_shows_its_reserved_items(tmp_path: Path, host: Host) -> None:
    shutil.copytree(TASK.path, tmp_path / "task")
    text = (tmp_path / "task" / "task.toml").read_text("utf-8")
    (tmp_path / "task" / "task.toml").write_text(text.replace("n_seeds = 3", "n_seeds = 1"), "utf-8")
    campaign = Campaign.create(tmp_path / "campaign", TaskFolder.load(tmp_path / "task"))
    calibration.calibrate(campaign, 2, LocalExecutor(host))
    workspace = Workspace(Campaign.open(campaign.folder), "sched", "session-1", 1, host)
    workspace.workdir.rebase(0)
    train = workspace.workdir.folder / "train.py"
    train.write_text(train.read_text("utf-8").replace("STEPS = 200", "STEPS = 210"), "utf-8")
    submit = {
        "title": "ten steps",
        "hypothesis": "Ten more steps should help a little.",
        "expected_delta": 0.01,
        "notes": "",
        "wait_s": 300,
    }
    views = [{"view": "head"}, {"view": "recent"}, {"view": "trial", "trial": 1}]
    said = anyio.run(answers, workspace, [("submit_trial", submit), *(("read_lineage", view) for view in views)])
    workspace.workdir.close()
    trial = workspace.lineage.refresh().trials[1]
    assert trial.measurement
    assert trial.status in {Status.KEEP, Status.DISCARD}
    assert 0.2 < (trial.score or 0) < 0.6
    assert 2.5 < trial.measurement.metrics["bpb"][0] < 4.0
    reserved = trial.measurement.metrics["core_reserved"][0]
    assert not any("reserved" in text or f"{reserved:.3f}" in text for text in said)
    assert verify(workspace.lineage.store).problems == ()
