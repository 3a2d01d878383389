"""Lockstep: the evaluator reveals a symbol only after it has its probability."""

from pathlib import Path

import pytest

from lineage_repo.errors import TaskError
from lineage_repo.model.measurement import Fault, Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor

MANIFEST = """
name = "coin"
title = "A coin that remembers"
summary = "Predict the next of 64 symbols."
n_seeds = 2
clock = "wall"
objective = { metric = "bits", direction = "lower", unit = "bits a symbol" }
evaluator = { metrics = ["bits"], limit_s = 10 }

[[phases]]
name = "predict"
argv = ["python", "-S", "/recipe/predict.py"]
dialogue = true
limit_s = 1
ready_s = 3
budget = "eval"

[[specialists]]
name = "opt"
title = "All of it"
"""
EVALUATOR = """
import json, math, random, socket, struct, sys
from pathlib import Path

verb, options = sys.argv[1], sys.argv[2:]
if verb == "prepare":
    _, seed, _, repeats, public, secret = options
    for i in range(int(repeats)):
        (Path(public) / str(i)).mkdir(parents=True)
        rng = random.Random(f"{seed} {i}")
        coin = [rng.random() < 0.5]
        while len(coin) < 64:
            coin.append(coin[-1] ^ (rng.random() < 0.1))
        (Path(secret) / f"{i}.json").write_text(json.dumps(coin))
elif verb == "dialogue":
    _, phase, _, i, _, channel, sealed, secret = options
    sys.stdin.read()
    talk, bits = socket.socket(fileno=int(channel)), 0.0
    for step, symbol in enumerate(json.loads((Path(secret) / f"{i}.json").read_text())):
        said = talk.recv(8, socket.MSG_WAITALL)
        p = struct.unpack("<d", said)[0] if len(said) == 8 else math.nan
        if not 0 < p < 1:
            line = f"step {step}: no probability" if len(said) == 8 else f"step {step}: ended early"
            Path("measurement.json").write_text(json.dumps({"fault": {"status": "crash", "line": line}}))
            sys.exit()
        bits -= math.log2(p if symbol else 1 - p)
        talk.sendall(bytes([symbol]))
    (Path(secret) / f"{i}.bits").write_text(str(bits / 64))
else:
    sealed, secret = options
    found = [float(p.read_text()) for p in sorted(Path(secret).glob("*.bits"))]
    Path("measurement.json").write_text(json.dumps({"metrics": {"bits": found}}))
"""
HEAD = """
import os, socket, struct, time
talk = socket.socket(fileno=int(os.environ["ESPALIER_DIALOGUE"]))
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
ready = lambda: (control.write(b"READY\\n"), control.readline())
ask = lambda p: (talk.sendall(struct.pack("<d", p)), talk.recv(1))[1]
"""


LINGER = """
here = socket.create_server(("127.0.0.1", 0))
asks = socket.create_connection(here.getsockname())
asks.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 100_000))
asks.setblocking(False)
try:
    while True: asks.send(bytes(65536))
except BlockingIOError: pass
socket.send_fds(talk, [bytes(4)], [asks.fileno()])
asks.close()
ready()
"""
"""Passes on a socket that would block the process that drops it."""


@pytest.fixture
def coin(tmp_path: Path) -> Campaign:
    """A campaign on the coin task."""
    return campaign_on(tmp_path, MANIFEST)


def campaign_on(tmp_path: Path, manifest: str) -> Campaign:
    """A campaign on the coin task with this manifest."""
    task = tmp_path / "coin"
    for name, text in {"task.toml": manifest, "evaluator/evaluate.py": EVALUATOR, "recipe/predict.py": HEAD}.items():
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text(text, "utf-8")
    return Campaign.create(tmp_path / "campaign", TaskFolder.load(task))


def measured(coin: Campaign, host: Host, source: str) -> tuple[tuple[float, ...], Fault | None]:
    """The metric of a recipe, or its failure line."""
    folder = coin.folder / "trials" / "x"
    folder.mkdir()
    outcome = measure(
        coin,
        {"predict.py": (HEAD + source).encode()},
        folder,
        LocalExecutor(host),
    )
    return outcome.measurement.metrics.get("bits", ()) if outcome.measurement else (), outcome.fault


def test_a_predictor_is_scored_by_its_answers_before_the_reveal(coin: Campaign, host: Host) -> None:
    source = "ready()\nseen = ask(0.5)\nfor _ in range(63): seen = ask(0.9 if seen == b'\\x01' else 0.1)\n"
    bits, fault = measured(coin, host, source)
    assert fault is None
    assert all(0.2 < b < 0.9 for b in bits)
    assert len(bits) == 2


@pytest.mark.parametrize(
    ("source", "status", "line"),
    [
        ("ready()\nask(0.5); ask(7.0)\n", Status.CRASH, "step 1: no probability"),
        ("ready()\nask(0.5)\n", Status.CRASH, "step 1: ended early"),
        ("ready()\ntime.sleep(9)\n", Status.EVAL_BUDGET_OVERRUN, "the limit is 1 s"),
        *(
            pytest.param(*late, marks=pytest.mark.slow)
            for late in (
                ("ready()\nask(float('nan'))\ntime.sleep(9)\n", Status.EVAL_BUDGET_OVERRUN, "the limit is 1 s"),
                ("ready()\nos.close(talk.fileno()); time.sleep(9)\n", Status.EVAL_BUDGET_OVERRUN, "the limit is 1 s"),
                ("talk.sendall(b'x' * 10_000_000)\n", Status.CRASH, "did not say READY"),
            )
        ),
        ("talk.sendall(struct.pack('<d', 0.5)); raise SystemExit(0)\n", Status.CRASH, "ended without READY"),
        ("ready()\ntalk.sendall(struct.pack('<d', 0.5)); time.sleep(0.2)\n", Status.CRASH, "broke off the dialogue"),
        (LINGER + "talk.sendall(struct.pack('<d', 0.5))\n", Status.CRASH, "step 0: ended early"),
    ],
)
def test_a_broken_dialogue_is_the_recipes_fault(
    coin: Campaign, host: Host, source: str, status: Status, line: str
) -> None:
    _, fault = measured(coin, host, source)
    assert fault
    assert fault.status is status
    assert line in fault.failure


def test_the_evaluator_answers_only_while_the_clock_runs(coin: Campaign, host: Host) -> None:
    source = (
        "talk.settimeout(0.5)\n"
        "try: ask(0.5); print('answered')\n"
        "except TimeoutError: pass\n"
        "ready()\ntalk.settimeout(None)\ntalk.recv(1)\nfor _ in range(63): ask(0.5)\n"
    )
    assert measured(coin, host, source) == ((1.0, 1.0), None)


@pytest.mark.slow
def test_the_author_is_told_which_input_prepare_did_not_write(tmp_path: Path, host: Host) -> None:
    coin = campaign_on(tmp_path, MANIFEST.replace("dialogue = true", 'dialogue = true\ninputs = ["text.txt"]'))
    _, fault = measured(coin, host, "ready()\n")
    assert fault
    assert fault.failure == "`inputs` of phase predict names text.txt, which prepare did not write to public/0"


def test_a_phase_has_an_artifact_or_a_dialogue_but_not_both(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_text(MANIFEST.replace("dialogue = true", ""), "utf-8")
    with pytest.raises(TaskError, match="either an artifact or dialogue"):
        TaskFolder.load(tmp_path)


def test_descriptors_of_a_dialogue_do_not_leak(coin: Campaign, host: Host) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    measured(coin, host, "raise SystemExit(3)")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
