"""nanochat_d12: a user's data are checked and laid out, and upstream's own code gets the same answers."""

import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from lineage_repo.cli.main import main
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from mcp_server.sandbox.host import Host
from tests.support import nanochat_raw
from tests.support.nanochat_hand import by_hand, pairs
from tests.support.nanochat_small import CLONE, SERVE, TRAIN, measured, small

with_clone = pytest.mark.skipif(
    not ("ESPALIER_CLONES" in os.environ and CLONE.is_dir()),
    reason="ESPALIER_CLONES names no folder with a clone called nanochat",
)


def refusal(raw: Path) -> str:
    """The error for these data."""
    result = CliRunner().invoke(main, ["task", "prepare", "nanochat_d12", "--data", str(raw), "--dry-run"])
    assert result.exit_code == 1
    return result.output


def test_data_of_another_size_are_refused_unless_marked_as_synthetic(tmp_path: Path) -> None:
    raw = nanochat_raw.make(tmp_path / "raw", picks=12)
    (raw / "SYNTHETIC").unlink()
    said = refusal(raw)
    assert "last shard is shard_00002.parquet, expected shard_06542.parquet; tokens of the vocabulary is 274" in said
    assert "tasks of CORE is 5, expected 22: these are not the task's data" in said


def test_a_tokenizer_that_would_run_code_is_refused_without_running_it(tmp_path: Path) -> None:
    raw = nanochat_raw.make(tmp_path / "raw", picks=12)
    (raw / "tokenizer" / "tokenizer.pkl").write_bytes(b"cbuiltins\nprint\n(Vhello\ntR.")
    assert "tokenizer.pkl is not a pickled tiktoken.Encoding with ranks of its own: it names builtins.print" in refusal(
        raw
    )


def test_an_upstream_without_a_name_that_our_files_use_is_refused(tmp_path: Path) -> None:
    adapter = find_task("nanochat_d12").path / "adapter" / "adapt.py"
    (tmp_path / "nanochat").mkdir()
    (tmp_path / "nanochat" / "gpt.py").write_text("class GPT:\n    pass\n", "utf-8")
    argv = [sys.executable, "-EsB", str(adapter), str(tmp_path), str(tmp_path / "recipe")]
    found = subprocess.run(argv, capture_output=True, text=True, check=False)
    names = "GPTConfig, forward, get_device, init_weights"
    said = f"upstream's nanochat/gpt.py does not define {names}: is it the pinned commit?\n"
    assert (found.returncode, found.stderr) == (1, said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lost", "line"),
    [
        ("base_data_climbmix/shard_00002.parquet base_data_climbmix/shard_00001.parquet", "has 1 shards; at least two"),
        ("tokenizer/tokenizer.pkl", "python -m scripts.tok_train in upstream's tree makes it"),
        ("tokenizer/token_bytes.pt", "python -m scripts.tok_train in upstream's tree makes it"),
        ("eval_bundle/core.yaml", "core.yaml is missing: unpack eval_bundle.zip again"),
        ("eval_bundle/eval_meta_data.csv", "eval_meta_data.csv is missing: unpack"),
        ("eval_bundle/eval_data/language/who.jsonl", "who.jsonl is missing: unpack eval_bundle.zip again"),
    ],
)
def test_an_error_names_missing_data_and_how_to_get_it(tmp_path: Path, lost: str, line: str) -> None:
    raw = nanochat_raw.make(tmp_path / "raw", picks=12)
    for name in lost.split():
        (raw / name).unlink()
    assert line in refusal(raw)


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 500, -1])
def test_a_truncated_shard_is_named_before_training(tmp_path: Path, kept: int) -> None:
    raw = nanochat_raw.make(tmp_path / "raw", picks=12)
    shard = min((raw / "base_data_climbmix").iterdir())
    shard.write_bytes(shard.read_bytes()[:kept])
    assert f"{shard} can't be read: " in refusal(raw)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("num_fewshot: [2]", "num_fewshot: [12]", "pick has 12 items, more than its 12 examples are needed"),
        ("num_fewshot: [2]", "num_fewshot: [11]", "12 items with 11 examples each need 12 serving boxes, there are 8"),
        ("icl_tasks:", "tasks:", "core.yaml is not a table with a list `icl_tasks`: KeyError('icl_tasks')"),
        ("schema", "free", "task who is of the unknown kind 'free'"),
        ("label: who\n", "label: whom\n", "task whom lacks a value: KeyError('whom')"),
    ],
)
def test_an_error_names_an_unusable_bundle_file(tmp_path: Path, old: str, new: str, line: str) -> None:
    raw = nanochat_raw.make(tmp_path / "raw", picks=12)
    table = raw / "eval_bundle" / "core.yaml"
    table.write_text(table.read_text("utf-8").replace(old, new, 1), "utf-8")
    assert line in refusal(raw)


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> TaskFolder:
    """The task with small data, no GPU, and a recipe that counts pairs of tokens."""
    here = tmp_path_factory.mktemp("nanochat")
    return small(here / "task", nanochat_raw.make(here / "raw"), {"train.py": TRAIN, "serve.py": SERVE})


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Upstream's own CORE module, from the clone."""
    pytest.importorskip("jinja2")
    pinned = find_task("nanochat_d12").task.upstream
    assert pinned
    path = tmp_path_factory.mktemp("upstream") / "core_eval.py"
    show = ["git", "-C", str(CLONE), "show", f"{pinned.commit}:nanochat/core_eval.py"]
    path.write_bytes(subprocess.run(show, capture_output=True, check=True).stdout)
    spec = importlib.util.spec_from_file_location("core_eval", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Words:
    """The tokenizer with the interface that upstream's module uses."""

    def get_bos_token_id(self) -> int:
        return nanochat_raw.encoding().encode_single_token("<|bos|>")

    def __call__(self, texts: list[str], prepend: int) -> list[list[int]]:
        made = nanochat_raw.encoding()
        return [[prepend, *made.encode_ordinary(text)] for text in texts]


TASKS = {
    "pick_zeroshot": ("symbolic/pick.jsonl", "multiple_choice", 0, " "),
    "pick": ("symbolic/pick.jsonl", "multiple_choice", 2, "\nAnswer: "),
    "who": ("language/who.jsonl", "schema", 0, " "),
    "who_solved": ("language/who.jsonl", "schema", 1, " "),
    "follow": ("language/follow.jsonl", "language_modeling", 1, " "),
}


def upstreams_rows(raw: Path, name: str) -> list[dict[str, Any]]:
    """The items as scripts/base_eval.py selects them."""
    rows = [json.loads(line) for line in (raw / "eval_bundle" / "eval_data" / name).read_text("utf-8").splitlines()]
    random.Random(1337).shuffle(rows)
    return rows[:500]


@with_clone
@pytest.mark.slow
def test_upstreams_own_code_marks_the_same_answers_right(task: TaskFolder, upstream: Any) -> None:
    raw = task.path.parent / "raw"
    odds = pairs(raw)
    torch: Any = pytest.importorskip("torch")
    torch.set_num_threads(1)  # thousands of tiny passes
    table = torch.from_numpy(odds)
    expected = by_hand(raw, odds, 0)

    def net(tokens: Any) -> Any:
        return table[tokens]

    for label, (data, kind, shots, delimiter) in TASKS.items():
        meta = {"task_type": kind, "num_fewshot": shots, "continuation_delimiter": delimiter}
        rows = upstreams_rows(raw, data)
        found = upstream.evaluate_task(net, Words(), rows, "cpu", meta)
        assert found == pytest.approx(expected[label], abs=1e-6), label


@with_clone
@pytest.mark.slow
def test_every_request_has_upstreams_tokens_and_span(task: TaskFolder, upstream: Any) -> None:
    raw = task.path.parent / "raw"
    for number, (data, kind, shots, delimiter) in enumerate(TASKS.values()):
        told: Any = np.load(task.path / "data" / "hidden" / "core" / f"{number:02}.npz")
        words, spans, items = (told[name].tolist() for name in ("tokens", "spans", "items"))
        short = {"multiple_choice": "mc", "language_modeling": "lm"}.get(kind, kind)
        render, batch = (getattr(upstream, f"{verb}_{short}") for verb in ("render_prompts", "batch_sequences"))
        rows = upstreams_rows(raw, data)
        assert sum(not reserved for reserved, *_ in items) == len(rows)
        for place, (item, (_, _, first, count, gold)) in enumerate(zip(rows, items, strict=False)):
            others = [i for i in range(len(rows)) if i != place]
            solved = [rows[i] for i in random.Random(1234 + place).sample(others, shots)]
            tokens, starts, ends = batch(Words(), render(item, delimiter, solved))
            ours = [(words[at : at + length], start) for at, length, start in spans[first : first + count]]
            assert ours == list(zip(tokens, starts, strict=True))
            assert [len(request) for request, _ in ours] == ends
            assert gold == item.get("gold", 0)


SHRUNK = {
    "DEPTH = 12": "DEPTH = 2",
    "SEQUENCE = 2048": "SEQUENCE = 64",
    "ROWS = 32": "ROWS = 2",
    '"run": "dummy",': '"run": "dummy", "total-batch-size": 128, "num-iterations": 2, "head-dim": 32,',
}


@with_clone
@pytest.mark.slow
def test_upstreams_recipe_at_its_pin_trains_and_serves_in_boxes(tmp_path: Path, host: Host) -> None:
    for package in ("rustbpe", "tokenizers", "requests", "psutil", "yaml", "jinja2", "safetensors"):
        pytest.importorskip(package)
    raw = nanochat_raw.make(tmp_path / "raw", picks=12)
    nanochat_raw.byte_table(raw)
    made = small(tmp_path / "task", raw, {}, processes=512)
    phases = made.task.phases[:2]
    made = TaskFolder(path=made.path, task=made.task.model_copy(update={"phases": phases}))
    train = (made.path / "recipe" / "train.py").read_text("utf-8")
    for old, new in SHRUNK.items():
        assert old in train
        train = train.replace(old, new)
    outcome = measured(made, tmp_path, host, seconds=60, train=train)
    assert outcome.fault is None, outcome.fault
    assert outcome.measurement
    assert [run.exit_status for run in outcome.measurement.phases] == ["ok", "ok"]
    only = TaskFolder(path=made.path, task=made.task.model_copy(update={"phases": phases[:1]}))
    again = measured(only, tmp_path / "again", host, seconds=60, train=train)
    assert again.measurement
    nets = {run.artifact_sha256 for run in (outcome.measurement.phases[0], again.measurement.phases[0])}
    assert len(nets) == 2, "another seed draws another net"
