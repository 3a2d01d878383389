"""parameter_golf_cpu: the evaluator computes bits per byte, from symbols that it reveals once they are scored."""

import json
import math
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from lineage_repo.model.measurement import Fault, Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor

STREAMS, STEPS = 128, 800
TASK = find_task("parameter_golf_cpu")
Talk = Callable[[socket.socket], object]


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    """The evaluator as a job stages it, with a text of its own for one seed, of average difficulty."""
    TASK.stage_evaluator(tmp_path)
    symbols = bytes((7 * i * i + i // 13) % 128 for i in range(STREAMS * STEPS))
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({STREAMS}, {STEPS}), }}".ljust(117) + "\n"
    (tmp_path / "0.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + symbols)
    (tmp_path / "0.text").write_text(json.dumps({"dropped_bytes": 5, "ease": 2.805}), "utf-8")
    return tmp_path


def run(folder: Path, *arguments: str, keep: tuple[int, ...] = ()) -> None:
    subprocess.run(
        [sys.executable, "-EsB", folder / "evaluate.py", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        pass_fds=keep,
        check=True,
    )


def heard(folder: Path, scorer: Talk) -> dict[str, Any]:
    """What the evaluator reports about a scorer."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with ours:
            scorer(ours)

    thread = Thread(target=answer)
    thread.start()
    with theirs:
        channel = str(theirs.fileno())
        run(folder, "dialogue", "--phase", "predict", "--index", "0", "--channel", channel, ".", ".",
            keep=(theirs.fileno(),))  # fmt: skip
    thread.join()
    if not (folder / "measurement.json").exists():
        run(folder, "score", ".", ".")
    return json.loads((folder / "measurement.json").read_text("utf-8"))


def test_bits_per_byte_are_computed_from_the_normalised_scores(staged: Path) -> None:
    expected = 0.0
    row = [0.0] * 128
    row[7] = 3.5
    raw = struct.pack("<128f", *row) * STREAMS

    def scorer(talk: socket.socket) -> None:
        nonlocal expected
        assert struct.unpack("<II", talk.recv(8, socket.MSG_WAITALL)) == (STREAMS, STEPS)
        mass = math.log2(127 + math.exp(3.5))
        for step in range(STEPS):
            talk.sendall(raw)
            if step + 1 < STEPS:
                sevens = talk.recv(STREAMS, socket.MSG_WAITALL).count(7)
                expected += STREAMS * mass - sevens * 3.5 / math.log(2)
        last = (staged / "0.npy").read_bytes()[128:][STEPS - 1 :: STEPS]
        expected += STREAMS * mass - last.count(7) * 3.5 / math.log(2)

    metrics = heard(staged, scorer)["metrics"]
    assert metrics["plain_bpb"] == pytest.approx([expected / STREAMS / STEPS], rel=1e-9)
    assert metrics["bpb"] == pytest.approx([metrics["plain_bpb"][0] - 1.3 * 0.1])
    assert metrics["dropped_bytes"] == [5]


def sending(*rows: bytes) -> Talk:
    """A scorer that sends these messages, whatever it receives between them."""

    def scorer(talk: socket.socket) -> None:
        talk.recv(8, socket.MSG_WAITALL)
        for at, raw in enumerate(rows):
            talk.sendall(raw)
            if at + 1 < len(rows):
                talk.recv(STREAMS, socket.MSG_WAITALL)

    return scorer


EVEN = bytes(STREAMS * 512)
ODD = struct.pack("<f", math.nan)
ENDLESS = struct.pack("<f", math.inf)


@pytest.mark.parametrize(
    ("scorer", "line"),
    [
        (
            sending(EVEN, EVEN[: 512 * 3 + 40] + ODD + EVEN[512 * 3 + 44 :]),
            "stream 3, step 1: scored symbol 10 nan, not",
        ),
        (sending(ENDLESS + EVEN[4:]), "stream 0, step 0: scored symbol 0 inf, not finite"),
        (sending(), f"the scorer ended at step 0 of {STEPS}"),
        (sending(EVEN, EVEN, EVEN[:-1]), f"the scorer ended at step 2 of {STEPS}"),
    ],
)
def test_a_scorer_that_breaks_the_protocol_has_no_score(staged: Path, scorer: Talk, line: str) -> None:
    fault = heard(staged, scorer)["fault"]
    assert fault["status"] == "crash"
    assert line in fault["line"]


def test_the_largest_finite_scores_get_a_very_bad_score(staged: Path) -> None:
    huge = struct.pack("<128f", *([-3e38] * 127), 3e38) * STREAMS
    (plain,) = heard(staged, sending(*[huge] * STEPS))["metrics"]["plain_bpb"]
    assert 1e36 < plain < 1e40


@pytest.mark.slow
def test_train_and_test_share_no_paragraph_and_each_seed_has_its_own_text() -> None:
    program = """
import sys, json, docstrings
known = docstrings.load()
parts = [docstrings.deal(known, seed, 102_400, reserved=r) for seed, r in (("a", False), ("b", False), ("a", True))]
print(json.dumps([[side.decode("ascii") for side in part] for part in parts]))
"""
    shared = find_task("parameter_golf_cpu").evaluator()["docstrings.py"].parent
    done = subprocess.run([sys.executable, "-c", program], cwd=shared, capture_output=True, check=True, text=True)
    first, second, reserved = [[_paragraphs(side) for side in part] for part in json.loads(done.stdout)]
    for train, held in (first, second, reserved):
        assert not train & held
    assert not reserved[1] & (first[0] | first[1])
    assert len(first[1] & second[1]) < len(first[1]) / 4


def _paragraphs(text: str) -> set[str]:
    return {" ".join(part.split()) for part in text.split("\n\n") if part.strip()}


def test_docstrings_other_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sklearn").mkdir()
    (tmp_path / "sklearn" / "__init__.py").write_text('"""Another release, with other words in it."""', "utf-8")
    (tmp_path / "docstrings.py").write_bytes(TASK.evaluator()["docstrings.py"].read_bytes())
    done = subprocess.run([sys.executable, "-c", "import docstrings as d; d.load()"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 1
    assert b"install scikit-learn==1.9.1" in done.stderr


# ---- by the real path


def outcome(folder: Path, host: Host, changes: dict[str, tuple[str, str]]) -> tuple[dict[str, Any], Fault | None]:
    """Metrics of one seed of the start with changes, or the fault."""
    campaign = Campaign.create(folder / "campaign", TaskFolder.load(TASK.path), n_seeds=1)
    files = campaign.task_folder.read_start()
    for path, (old, new) in changes.items():
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode())
    job = campaign.paths.trials / "x"
    job.mkdir()
    found = measure(campaign, files, job, LocalExecutor(host))
    return dict(found.measurement.metrics) if found.measurement else {}, found.fault


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_start_predicts_better_than_a_count_model(tmp_path: Path, host: Host) -> None:
    metrics, fault = outcome(tmp_path, host, {})
    assert fault is None
    assert metrics["bpb"][0] < 2.6


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("changes", "status", "line"),
    [
        ({"model.py": ("WIDTH = 128", "WIDTH = 136")}, Status.SIZE_BLOCKED, "over the 118,000"),
        ({"train.py": ("STEPS = 280", "STEPS = 1200")}, Status.TRAIN_BUDGET_OVERRUN, "the limit is 12 s"),
        (
            {
                "model.py": ("WIDTH = 128", "WIDTH = 112"),  # weights trained so briefly pack worse
                "train.py": ("STEPS = 280", "STEPS = 20"),
                "predict.py": (
                    "    scores, state",
                    "    for _ in range(60):\n        net(seen[:, None], state)\n    scores, state",
                ),
            },
            Status.EVAL_BUDGET_OVERRUN,
            "the limit is 4 s",
        ),
        ({"train.py": ("LR = 0.01", "LR = 1e30")}, Status.CRASH, "not finite"),
        ({"predict.py": ("/ TEMPERATURE)", "/ 0.0)")}, Status.CRASH, "step 0: scored symbol 0 nan"),
    ],
)
def test_every_limit_can_be_crossed(
    tmp_path: Path, host: Host, changes: dict[str, tuple[str, str]], status: Status, line: str
) -> None:
    _, fault = outcome(tmp_path, host, changes)
    assert fault
    assert fault.status is status
    assert line in fault.failure
