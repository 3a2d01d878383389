"""A small nanochat_d12: the task for a machine without a GPU, and a net of counted pairs that follows its contract."""

import os
import shutil
import tomllib
from pathlib import Path

import tomli_w
from click.testing import CliRunner

from lineage_repo.cli.main import main
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.job import JobResult

CLONE = Path(os.environ.get("ESPALIER_CLONES", "")) / "nanochat"
"""A clone of upstream's repository; tests that need it are skipped without it."""
TRAIN = """
import json, os, pickle, struct
from pathlib import Path
import numpy as np
import pyarrow.parquet as parquet
data = Path(os.environ["ESPALIER_DATA"], "train")
encoding = pickle.loads((data / "tokenizer" / "tokenizer.pkl").read_bytes())
counts = np.ones((encoding.n_vocab, encoding.n_vocab))
for shard in sorted(data.glob("shard_*.parquet")):
    for text in parquet.read_table(shard).column("text").to_pylist():
        tokens = [encoding.encode_single_token("<|bos|>"), *encoding.encode_ordinary(text)]
        np.add.at(counts, (tokens[:-1], tokens[1:]), 1)
odds = np.log(counts / counts.sum(1, keepdims=True)).astype("<f4")
blocks = {f"transformer.h.{n}.w": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(12)}
header = json.dumps({**blocks, "odds": {"dtype": "F32", "shape": odds.shape, "data_offsets": [0, odds.nbytes]}})
Path(os.environ["ESPALIER_OUT"], "model.safetensors").write_bytes(
    struct.pack("<Q", len(header)) + header.encode() + odds.tobytes()
)
"""
"""Counts of token pairs, in the shape of a net of twelve blocks."""
HEAD = """
import os, socket, struct
from pathlib import Path
import numpy as np
control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
control.write(b"READY\\n")
control.readline()
raw = Path(os.environ["ESPALIER_DATA"], "model.safetensors").read_bytes()
odds = np.frombuffer(raw[8 + struct.unpack("<Q", raw[:8])[0] :], "<f4")
odds = odds.reshape(2 * [int(len(odds) ** 0.5)])
talk = socket.socket(fileno=int(os.environ["ESPALIER_DIALOGUE"]))
def numbers(count):
    return np.frombuffer(talk.recv(4 * count, socket.MSG_WAITALL) if count else b"", "<u4").astype(int)
def questions(count):
    lengths, asked = numbers(count), numbers(count)
    tokens = numbers(int(lengths.sum()))
    return list(zip(np.split(tokens, np.cumsum(lengths)[:-1]) if count else [], asked))
requests, prompts, symbols = numbers(3)
"""
SERVE = (
    HEAD
    + """
scores = [odds[t[s - 1 : -1], t[s:]].mean() for t, s in questions(requests)]
talk.sendall(np.array(scores, "<f4").tobytes())
for tokens, count in questions(prompts):
    last = tokens[-1]
    for _ in range(count):
        last = odds[last].argmax()
        talk.sendall(struct.pack("<I", last))
streams, steps = numbers(2)
now = np.zeros((streams, symbols), "<f4")
for step in range(steps):
    talk.sendall(now.tobytes())
    if step + 1 < steps:
        now = odds[numbers(streams)]
"""
)


def small(folder: Path, raw: Path, recipe: dict[str, str], **limits: int) -> TaskFolder:
    """The task on these data for a machine without a GPU, with upstream's recipe by default."""
    shutil.copytree(find_task("nanochat_d12").path, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(__file__).parents[2] / "knowledge" / "nanochat_d12", folder / "knowledge")
    manifest = tomllib.loads((folder / "task.toml").read_text("utf-8"))
    manifest["limits"] |= {"gpus": 0, "memory_bytes": 2_000_000_000, "processes": 256} | limits
    manifest["phases"] = [{**phase, "limit_s": 60.0} for phase in manifest["phases"]]
    manifest["gates"][0]["at_most"] = 9.0
    (folder / "task.toml").write_text(tomli_w.dumps(manifest), "utf-8")
    for name, body in recipe.items():
        (folder / "recipe").mkdir(exist_ok=True)
        (folder / "recipe" / name).write_text(body, "utf-8")
    made = TaskFolder.load(folder)
    arguments = ["task", "prepare", str(folder), "-o", str(folder), "--data", str(raw)]
    result = CliRunner().invoke(main, [*arguments, *([] if recipe else ["--from", str(CLONE)])], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return made


def measured(task: TaskFolder, folder: Path, host: Host, seconds: float | None = None, **changed: str) -> JobResult:
    """Measure the task's start, with changed files if given; with a cap of `seconds` it has no score."""
    campaign = Campaign.create(folder / "campaign", task)
    trial = campaign.paths.trials / "x"
    trial.mkdir()
    files = task.read_start() | {f"{name}.py": body.encode() for name, body in changed.items()}
    return measure(
        campaign,
        files,
        trial,
        LocalExecutor(host),
        dry_run_s=seconds,
    )
