"""nanochat_d12: CORE and bits per byte of a served net, box by box, and every limit crossed."""

import json
import math
import re
import shutil
import socket
import struct
import sys
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from lineage_repo.model.measurement import Fault, Status
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from mcp_server.trial.evaluator import EvaluatorProgram
from tests.support import nanochat_raw
from tests.support.nanochat_hand import by_hand, core_of, pairs
from tests.support.nanochat_small import HEAD, SERVE, TRAIN, measured, small

BOXES = 8


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> TaskFolder:
    """The task with small data, no GPU, and a recipe that counts pairs of tokens."""
    here = tmp_path_factory.mktemp("nanochat")
    return small(here / "task", nanochat_raw.make(here / "raw"), {"train.py": TRAIN, "serve.py": SERVE})


@pytest.mark.slow
def test_a_trial_in_boxes_scores_as_an_independent_computation(task: TaskFolder, tmp_path: Path, host: Host) -> None:
    outcome = measured(task, tmp_path, host)
    assert outcome.fault is None, outcome.fault
    assert outcome.measurement
    found = {name: values[0] for name, values in outcome.measurement.metrics.items()}
    raw = task.path.parent / "raw"
    odds = pairs(raw)
    asked, reserved = by_hand(raw, odds, 0), by_hand(raw, odds, 500)
    assert 0.1 < asked["follow"] < 0.9
    assert found["core"] == pytest.approx(core_of(asked))
    assert found["core_reserved"] == pytest.approx(core_of(reserved))
    assert found["core_paired"] == pytest.approx(core_of({name: asked[name] for name in reserved}))
    assert found["depth"] == 12
    rows = np.load(task.path / "data" / "hidden" / "streams.npy")
    made = nanochat_raw.encoding()
    counted = [(a, b) for row in rows.tolist() for a, b in pairwise(row) if b < 256 + 13]
    text_bytes = sum(len(made.decode_single_token_bytes(b)) for _, b in counted)
    bits = -sum(float(odds[a, b]) for a, b in counted) / math.log(2)
    assert found["bpb"] == pytest.approx(bits / text_bytes, rel=1e-5)


@pytest.fixture(scope="session")
def program(task: TaskFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evaluator as a worker stages it."""
    return task.stage_evaluator(tmp_path_factory.mktemp("evaluator"))


@pytest.fixture
def evaluator(task: TaskFolder, program: Path, tmp_path: Path) -> EvaluatorProgram:
    """The evaluator on the prepared data, with one trial's sheets in `tmp_path/secret`."""
    log, data = tmp_path / "log", task.path / "data"
    made = EvaluatorProgram(task.task.evaluator, program, Path(sys.executable), log, data)
    made.prepare(7, 1, tmp_path / "public", tmp_path / "secret")
    return made


def sheets(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"0-{box}.json").read_text("utf-8")) for box in range(BOXES)]


@pytest.mark.slow
def test_no_box_sees_the_solution_of_an_item_that_it_is_asked(
    task: TaskFolder, evaluator: EvaluatorProgram, tmp_path: Path
) -> None:
    made = nanochat_raw.encoding()
    told: list[Any] = [np.load(path) for path in sorted((task.path / "data" / "hidden" / "core").glob("*.npz"))]
    texts: list[list[str]] = []
    for sheet in sheets(tmp_path / "secret"):
        here: list[str] = []
        for number, span, *_ in [*sheet["requests"], *sheet["prompts"]]:
            at, length, _ = told[number]["spans"][span].tolist()
            here.append(made.decode(told[number]["tokens"][at + 1 : at + length].tolist()))
        texts.append(here)

    def solved(everywhere: list[str]) -> set[str]:
        return {part for text in everywhere for part in text.split("\n\n")[:-1]}

    def asked(here: list[str]) -> list[str]:
        return [text.split("\n\n")[-1] for text in here]

    for here in texts:
        assert not solved(here) & set(asked(here))
    together = solved([text for here in texts for text in here])
    assert sum(text in together for here in texts for text in asked(here)) > 450, "one box for all would look them up"


@pytest.mark.slow
def test_order_and_length_of_requests_reveal_nothing_and_depth_is_counted(
    evaluator: EvaluatorProgram, tmp_path: Path
) -> None:
    sealed = tmp_path / "sealed" / "0" / "train"
    sealed.mkdir(parents=True)
    header = json.dumps({f"transformer.h.{n}.w": {} for n in range(11)}).encode()
    (sealed / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    for box in reversed(range(BOXES)):
        with evaluator.dialogue(f"serve{box + 1}", 0, tmp_path / "sealed", tmp_path / "secret") as dialogue:
            dialogue.go()
            with socket.socket(fileno=dialogue.channel) as talk:
                answer_by_length(talk)
        assert evaluator.take_dialogue_fault(tmp_path / "secret", 0) is None
        assert (tmp_path / "secret" / f"0-{box}.answers").exists(), "the phase says which box"
    metrics, fault = evaluator.score(tmp_path / "sealed", tmp_path / "secret", 1)
    assert fault is None
    assert metrics["depth"] == (11.0,)
    assert metrics["core"][0] < 0.1
    assert metrics["bpb"][0] > 2.0, "even odds for every symbol"
    for body in (b"pickle", struct.pack("<Q", 99_999) + b"[" * 99_999, struct.pack("<Q", 2) + b"[]"):
        (sealed / "model.safetensors").write_bytes(body)
        _, fault = evaluator.score(tmp_path / "sealed", tmp_path / "secret", 1)
        assert fault
        assert "no header of safetensors" in fault.failure


def numbers(talk: socket.socket, count: int) -> list[int]:
    heard = talk.recv(4 * count, socket.MSG_WAITALL) if count else b""
    return list(struct.unpack(f"<{count}I", heard))


def answer_by_length(talk: socket.socket) -> None:
    """A box without a net: it prefers shorter and earlier options, and repeats the prompt."""
    requests, prompts, symbols = numbers(talk, 3)
    lengths, _ = numbers(talk, requests), numbers(talk, requests)
    numbers(talk, sum(lengths))
    talk.sendall(struct.pack(f"<{requests}f", *(-length - n / requests for n, length in enumerate(lengths))))
    lengths, follow = numbers(talk, prompts), numbers(talk, prompts)
    told = numbers(talk, sum(lengths))
    talk.sendall(struct.pack(f"<{sum(follow)}I", *told[: sum(follow)]))
    streams, steps = numbers(talk, 2)
    for step in range(steps):
        talk.sendall(bytes(4 * streams * symbols))
        if step + 1 < steps:
            numbers(talk, streams)


Said = Callable[[int], bytes]
"""What a box answers to this many requests."""
NO_ANSWERS: list[tuple[Said, str]] = [
    (lambda requests: b"", "the box ended at request 0 of "),
    (lambda requests: struct.pack("<f", math.nan) * requests, "request 0 of [0-9]+ was answered nan, not a finite"),
    (lambda requests: bytes(4 * requests + 6), "the box ended at token 1 of [0-9]+"),
    (lambda requests: bytes(4 * requests + 9_999), "the box ended at step [0-9]+ of [0-9]+"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("said", "line"), NO_ANSWERS)
def test_an_invalid_answer_is_a_crash_that_names_the_question(
    evaluator: EvaluatorProgram, tmp_path: Path, said: Said, line: str
) -> None:
    requests = len(sheets(tmp_path / "secret")[0]["requests"])
    with evaluator.dialogue("serve1", 0, tmp_path / "sealed", tmp_path / "secret") as dialogue:
        dialogue.go()
        with socket.socket(fileno=dialogue.channel) as talk:
            talk.sendall(said(requests))
    found = evaluator.take_dialogue_fault(tmp_path / "secret", 0)
    assert isinstance(found, Fault)
    assert found.status is Status.CRASH
    assert re.search(line, found.failure), found.failure


@pytest.mark.slow
@pytest.mark.parametrize(
    ("train", "serve", "status", "line"),
    [
        ("while True: pass", SERVE, Status.TRAIN_BUDGET_OVERRUN, "train killed at"),
        ("", SERVE, Status.CRASH, "left no model.safetensors in /out"),
        (
            "open('/out/model.safetensors', 'wb').truncate(2_000_000_001)",
            SERVE,
            Status.SIZE_BLOCKED,
            ", 1 over the 2,000,000,000",
        ),
        ("held = b'x' * 900_000_000", SERVE, Status.CRASH, "MemoryError"),
        ("open('/out/model.safetensors', 'w').close()", "while True: pass", Status.CRASH, "did not say READY"),
        (TRAIN, HEAD + "while True: pass", Status.EVAL_BUDGET_OVERRUN, "serve1 killed at"),
        (TRAIN, HEAD, Status.CRASH, "the box ended at request 0 of"),
    ],
)
def test_a_recipe_that_crosses_a_limit_gets_its_status(
    task: TaskFolder, tmp_path: Path, host: Host, train: str, serve: str, status: Status, line: str
) -> None:
    short = shutil.copytree(task.path, tmp_path / "task")
    manifest = tomllib.loads((short / "task.toml").read_text("utf-8"))
    manifest["limits"]["memory_bytes"] = 400_000_000
    for phase in manifest["phases"]:
        phase |= {"limit_s": 5.0} | ({"ready_s": 3.0} if phase["name"] != "train" else {})
    (short / "task.toml").write_text(tomli_w.dumps(manifest), "utf-8")
    outcome = measured(TaskFolder.load(short), tmp_path, host, train=train, serve=serve)
    assert outcome.fault
    assert (outcome.fault.status, line in outcome.fault.failure) == (status, True), outcome.fault.failure
