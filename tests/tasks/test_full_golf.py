"""parameter_golf at full size, on tiny data in the real formats: what is counted, refused and caught."""

import base64
import json
import lzma
import math
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import tomli_w

from benchmarks import gpu_golf
from benchmarks.tokens import BYTE, CONTROL, MARK, UNKNOWN, UNUSED, model, shard
from lineage_repo.model.measurement import Fault, Status
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from lineage_repo.task.source_size import source_bytes
from mcp_server.commands.task_prepare import Preparation
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor
from tests.support.golf_scorers import (
    LONG,
    PIECES,
    ROWS,
    SCORED,
    VOCABULARY,
    Caching,
    Leaving,
    Recognising,
    Remembering,
    Scorer,
    Sloppy,
    by_last,
    floats,
    leaning,
    peeking,
    reading_on,
    strange,
)

TASK = find_task("parameter_golf")


def text(seed: int, length: int) -> list[int]:
    """Tokens that often follow from the previous one."""
    rng, found = random.Random(seed), [1]
    while len(found) < length:
        found.append((found[-1] * 5 + 3) % VOCABULARY if rng.random() < 0.6 else rng.randrange(VOCABULARY))
    return found


VAL = text(7, SCORED + 300)
KEPT = text(2, 8000)
"""The last train shard, which no box sees."""


def bring(folder: Path, val: list[int], kept: list[int]) -> Path:
    """Made-up data in upstream's layout, as a user would bring it."""
    tokens, tokenizers = folder / "datasets" / "fineweb10B_sp32", folder / "tokenizers"
    tokens.mkdir(parents=True)
    tokenizers.mkdir()
    (tokens / "fineweb_train_000000.bin").write_bytes(shard(text(1, 3000)))
    (tokens / "fineweb_train_000001.bin").write_bytes(shard(kept))
    (tokens / "fineweb_val_000000.bin").write_bytes(shard(val[:2500]))
    (tokens / "fineweb_val_000001.bin").write_bytes(shard(val[2500:]))
    (tokenizers / "fineweb_32_bpe.model").write_bytes(model(PIECES))
    (folder / "SYNTHETIC").touch()
    return folder


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bring(tmp_path_factory.mktemp("raw"), VAL, KEPT)


def program(folder: Path, *arguments: str | Path, keep: tuple[int, ...] = (), data: Path | None = None) -> str:
    """Run the evaluator; return its output, or its last line if it failed."""
    argv = [sys.executable, "-EsB", folder / "evaluate.py", *arguments]
    given = {"ESPALIER_PREPARED": str(data)} if data else {}
    done = subprocess.run(
        argv, cwd=folder, env=given, stdin=subprocess.DEVNULL, capture_output=True, pass_fds=keep, text=True
    )
    return done.stdout if not done.returncode else done.stderr.strip().splitlines()[-1]


def lay_out(raw: Path, folder: Path) -> Path:
    """The evaluator, its laid-out data, and the secret of one seed."""
    TASK.stage_evaluator(folder / "evaluator")
    made = program(folder / "evaluator", "data", raw, folder / "data")
    (folder / "data" / "data.json").write_text(made, "utf-8")
    prepare(folder, 1)
    return folder


def prepare(folder: Path, seeds: int) -> list[list[dict[str, Any]]]:
    """Every seed's counterfeits."""
    asked = ("--trial-seed", "5", "--n-seeds", str(seeds), folder / "public", folder / "secret")
    (folder / "secret").mkdir()
    program(folder / "evaluator", "prepare", *asked, data=folder / "data")
    return [json.loads((folder / "secret" / f"{i}.forged").read_text("utf-8")) for i in range(seeds)]


@pytest.fixture(scope="module")
def laid_out(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(raw, tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text of long chunks, whose counterfeits have pieces long enough to recognise."""
    raw = bring(tmp_path_factory.mktemp("raw"), text(7, LONG + 1), text(2, 60_000))
    return lay_out(raw, tmp_path_factory.mktemp("prepared"))


def staging(folder: Path, job: Path) -> Path:
    """The evaluator in a job of its own."""
    shutil.copytree(folder / "evaluator", job)
    shutil.copyfile(folder / "secret" / "0.forged", job / "0.forged")
    return job


@pytest.fixture
def staged(laid_out: Path, tmp_path: Path) -> Path:
    return staging(laid_out, tmp_path / "job")


def heard(folder: Path, data: Path, scorer: Callable[[socket.socket], object]) -> dict[str, Any]:
    """What the evaluator reports about a scorer."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with ours:
            scorer(ours)

    thread = Thread(target=answer)
    thread.start()
    with theirs:
        channel = ("--channel", str(theirs.fileno()))
        said = program(folder, "dialogue", "--phase", "p", *channel, ".", ".", keep=(theirs.fileno(),), data=data)
    thread.join()
    assert not said, said
    if not (folder / "measurement.json").exists():
        program(folder, "score", ".", ".", data=data)
    return json.loads((folder / "measurement.json").read_text("utf-8"))


def told_bytes(token: int, before: int) -> int:
    """Bytes of a token by the written rule, from the list of pieces."""
    (piece, kind), (_, earlier) = PIECES[token], PIECES[before]
    if kind in {UNKNOWN, CONTROL, UNUSED}:
        return 0
    if kind == BYTE:
        return 1
    if piece[0] != MARK:
        return len(piece.encode())
    return len(piece[1:].encode()) + (earlier not in {UNKNOWN, CONTROL, UNUSED})


def cuts(folder: Path) -> list[int]:
    """How many tokens of each chunk count, by the secret."""
    counted = [SCORED // 8] * 8
    for one in json.loads((folder / "secret" / "0.forged").read_text("utf-8")):
        if one["first"]:
            counted[one["chunk"]] = one["seams"][0] + 1
    return counted


def test_bits_per_byte_equal_an_independent_count(staged: Path, laid_out: Path) -> None:
    scorer = Scorer(by_last)
    metrics = heard(staged, laid_out / "data", scorer)["metrics"]
    nats, size, at = 0.0, 0, 0
    for counted in cuts(laid_out):
        for i in range(at, at + counted):
            scores = struct.unpack(f"<{VOCABULARY}f", ROWS[VAL[i]])
            nats += math.log(sum(map(math.exp, scores))) - scores[VAL[i + 1]]
            size += told_bytes(VAL[i + 1], VAL[i])
        at += SCORED // 8
    assert 0 < sum(cuts(laid_out)) < SCORED
    assert metrics["bpb"] == pytest.approx([nats / math.log(2) / size], rel=1e-6)
    assert metrics["unscored_tokens"] == [SCORED - sum(cuts(laid_out))]
    assert metrics["nats_per_token"] == pytest.approx([nats / sum(cuts(laid_out))], rel=1e-6)
    assert scorer.learned == VAL[: SCORED * 7 // 8 + 1], "what is learned from is the text, counterfeits included"


@pytest.mark.parametrize(
    ("scorer", "line"),
    [
        (Scorer(peeking), "when only the tokens after it changed"),
        pytest.param(Scorer(reading_on), "when only the tokens after it changed", marks=pytest.mark.slow),
        pytest.param(Scorer(leaning), "when only the tokens after it changed", marks=pytest.mark.slow),
        (Remembering(peeking), "was a random draw of probability 0.0"),
    ],
)
def test_a_scorer_that_looks_ahead_is_caught(staged: Path, laid_out: Path, scorer: Scorer, line: str) -> None:
    fault = heard(staged, laid_out / "data", scorer)["fault"]
    assert fault["status"] == "illegal"
    assert fault["line"].startswith("predictions depend on tokens that they may not see: chunk ")
    assert line in fault["line"]


def test_counterfeits_are_pieces_of_a_shard_that_no_box_sees(laid_out: Path) -> None:
    whole = shard(KEPT)[1024:]
    for one in json.loads((laid_out / "secret" / "0.forged").read_text("utf-8")):
        cut = one["seams"][0]
        for at, end in zip(one["seams"], [*one["seams"][1:], SCORED // 8], strict=True):
            piece = one["tokens"][at - cut : end - cut]
            assert shard(piece[1:])[1024:] in whole, "all but the first token, which is drawn from the scored text"
    shown = {path.name: path.stat().st_ino for path in (laid_out / "public" / "0" / "train").iterdir()}
    assert sorted(shown) == ["fineweb_train_000000.bin", "tokenizer.model"]
    assert (laid_out / "data" / "hidden" / "fineweb_train_000001.bin").stat().st_ino not in shown.values()


@pytest.mark.slow
def test_a_scorer_that_recognises_counterfeits_by_their_repeats_is_caught(long: Path, tmp_path: Path) -> None:
    scorer = Recognising()
    fault = heard(staging(long, tmp_path / "job"), long / "data", scorer)["fault"]
    assert fault["status"] == "illegal"
    assert "was a random draw of probability 0.0" in fault["line"]
    assert scorer.honest == 0, "no counterfeit repeats what was told"


@pytest.mark.slow
def test_a_cache_of_everything_shown_gains_nothing_from_counterfeits(long: Path, tmp_path: Path) -> None:
    (told, shown) = (
        heard(staging(long, tmp_path / str(shown)), long / "data", Caching(shown=shown))["metrics"]["bpb"][0]
        for shown in (False, True)
    )
    assert shown > told - 1e-4 * told


@pytest.mark.slow
def test_earlier_text_does_not_predict_counterfeits(laid_out: Path, tmp_path: Path) -> None:
    often, ratios = Counter(VAL[1 : SCORED + 1]), list[list[float]]()
    shutil.copytree(laid_out / "evaluator", tmp_path / "evaluator")
    (tmp_path / "data").symlink_to(laid_out / "data")
    for forged in prepare(tmp_path, 100):
        ratios.append([])
        for one in forged:
            seams: list[int] = one["seams"]
            tokens: list[int] = [*VAL[1 + one["chunk"] * SCORED // 8 :][: seams[0]], *one["tokens"]]
            for at in seams:
                scores = struct.unpack(f"<{VOCABULARY}f", ROWS[tokens[at - 1]])
                p = math.exp(scores[tokens[at]]) / sum(map(math.exp, scores))
                ratios[-1].append(p / (often[tokens[at]] / SCORED))
    flat = [ratio for some in ratios for ratio in some]
    assert len(flat) > 5000
    assert sum(flat) / len(flat) == pytest.approx(1, abs=0.05)
    assert all(
        sum(math.log1p(w * (r - 1)) for r in some) < math.log(1e6) for some in ratios for w in (0.003, 0.03, 0.3)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scorer", "line"),
    [
        (Sloppy(1), "chunk 0: sent block 1, of 1"),
        (Sloppy(0, code=7), "its format of scores is 7; 0, 1 and 2 are known"),
        (Sloppy(), "the scorer ended in chunk 0 of 8"),
        (Leaving(by_last), "the scorer ended in chunk 4 of 8"),
        (Scorer(strange(math.nan)), "chunk 0, token 130: scored symbol 9 nan, not finite"),
        (Scorer(strange(-math.inf)), "chunk 0, token 130: scored symbol 9 -inf, not finite"),
    ],
)
def test_a_scorer_that_breaks_the_protocol_has_no_score(
    staged: Path, laid_out: Path, scorer: Scorer, line: str
) -> None:
    def talk(end: socket.socket) -> None:
        try:
            scorer(end)
        except (OSError, struct.error, ValueError):  # the evaluator has hung up
            return

    fault = heard(staged, laid_out / "data", talk)["fault"]
    assert fault["status"] == "crash"
    assert line in fault["line"]


def half(scores: Sequence[float]) -> bytes:
    return struct.pack(f"<{VOCABULARY}e", *scores)


def brain(scores: Sequence[float]) -> bytes:
    return b"".join(struct.pack("<f", score)[2:] for score in scores)


@pytest.mark.slow
@pytest.mark.parametrize(("code", "packed"), [(1, half), (2, brain)])
def test_scores_in_half_precision_are_read_exactly(
    staged: Path, laid_out: Path, code: int, packed: Callable[[Sequence[float]], bytes]
) -> None:
    row = [0.5 * s - 4 for s in range(VOCABULARY)]  # exact in either format
    counted = cuts(laid_out)
    metrics = heard(staged, laid_out / "data", Scorer(lambda _known, _i: packed(row), code, 2))["metrics"]
    spread, step = math.log(sum(map(math.exp, row))), SCORED // 8
    seen = Counter(VAL[1 + n * step + i] for n, used in enumerate(counted) for i in range(used))
    nats = sum(often * (spread - row[token]) for token, often in seen.items())
    assert metrics["nats_per_token"] == pytest.approx([nats / sum(counted)], rel=1e-6)


@pytest.mark.slow
def test_huge_scores_of_both_signs_get_a_very_bad_score(staged: Path, laid_out: Path) -> None:
    row = floats(3e38, *[-3e38] * (VOCABULARY - 1))
    (bpb,) = heard(staged, laid_out / "data", Scorer(lambda _known, _i: row))["metrics"]["bpb"]
    assert 1e37 < bpb < 1e40


# ---- data


def test_train_and_hidden_data_are_laid_out_apart_and_marked_as_synthetic(laid_out: Path) -> None:
    made = json.loads((laid_out / "data" / "data.json").read_text("utf-8"))
    assert sorted(made) == [
        "hidden/SYNTHETIC",
        "hidden/bytes.npy",
        "hidden/fineweb_train_000001.bin",
        "hidden/fineweb_val_000000.bin",
        "hidden/fineweb_val_000001.bin",
        "train/fineweb_train_000000.bin",
        "train/tokenizer.model",
    ]
    table = (laid_out / "data" / "hidden" / "bytes.npy").read_bytes()[128:]
    sizes = struct.unpack(f"<{3 * VOCABULARY}h", table)
    assert [sizes[t] + sizes[VOCABULARY + t] for t in range(VOCABULARY)] == [
        told_bytes(t, 3) for t in range(VOCABULARY)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "body", "line"),
    [
        ("datasets/fineweb10B_sp32/fineweb_train_000001.bin", shard([1, 2], magic=7), "it begins with [7, 1]"),
        ("datasets/fineweb10B_sp32/fineweb_train_000001.bin", shard([1, 2], count=3), "3 tokens need 1030"),
        (
            "datasets/fineweb10B_sp32/fineweb_train_000001.bin",
            shard([1, 2]),
            "2 tokens, counterfeits need 7,168: it is",
        ),
        (
            "datasets/fineweb10B_sp32/fineweb_train_000001.bin",
            None,
            "000000.bin is the only train shard, two are needed",
        ),
        ("datasets/fineweb10B_sp32/fineweb_val_000001.bin", shard([3, 99, 2]), "token 1 is 99, the tokenizer has 32"),
        ("datasets/fineweb10B_sp32/fineweb_val_000001.bin", None, "fill no window of 2,048 tokens"),
        ("tokenizers/fineweb_32_bpe.model", b"\x0a\x50text", "is not a sentencepiece model: it ends within a field"),
        ("tokenizers/fineweb_32_bpe.model", model(PIECES[:4]), "no token for the space mark"),
        ("tokenizers/fineweb_32_bpe.model", None, "no tokenizer (*.model) below"),
        ("tokenizers/other.model", model(PIECES), "more than one kind of tokenizer"),
        ("SYNTHETIC", None, "tokens in the vocabulary 32, not 8,192; validation tokens to score 4,096, not 40,540,160"),
    ],
)
def test_unsuitable_data_are_refused(
    raw: Path, laid_out: Path, tmp_path: Path, name: str, body: bytes | None, line: str
) -> None:
    mine = shutil.copytree(raw, tmp_path / "raw")
    (mine / name).write_bytes(body) if body is not None else (mine / name).unlink()
    if "window" in line:
        (mine / name).with_name("fineweb_val_000000.bin").write_bytes(shard([1] * 2048))
    assert line in program(laid_out / "evaluator", "data", mine, tmp_path / "data")


# ---- the adapter

FILES = sorted((TASK.path / "adapter" / "files").glob("*.py"))
RECORD = "records/track_10min_16mb/2026-04-09_SP8192_3LayerRecur_ParResid_QK525_LegalTTT/train_gpt.py"


def adapted(folder: Path, program: str, *options: str) -> str:
    """Pack a program as upstream packs it, adapt it, and return the first error line."""
    filters = [{"id": lzma.FILTER_LZMA2}]
    body = base64.b85encode(lzma.compress(program.encode(), lzma.FORMAT_RAW, filters=filters)).decode()
    (folder / RECORD).parent.mkdir(parents=True)
    (folder / RECORD).write_text(f"import lzma as L,base64 as B\nexec(L.decompress(B.b85decode({body!r})))\n", "utf-8")
    (folder / "LICENSE").touch()
    (folder / "recipe").mkdir()
    argv = [sys.executable, "-EsB", TASK.path / "adapter" / "adapt.py", folder, folder / "recipe", *options]
    return subprocess.run(argv, capture_output=True, text=True).stderr.strip()


CLONE = Path(os.environ.get("ESPALIER_CLONES", "")) / "parameter-golf"
cloned = pytest.mark.skipif(not CLONE.is_dir(), reason="ESPALIER_CLONES names no folder with a clone parameter-golf")


@pytest.mark.slow
@cloned
@pytest.mark.parametrize(("variant", "seconds"), [(None, 600), ("one_gpu", 4800), ("short", 60)])
def test_upstreams_record_becomes_a_recipe_that_compiles_and_fits(
    tmp_path: Path, variant: str | None, seconds: int
) -> None:
    making = Preparation(TASK, tmp_path / "task", variant, Path(sys.executable))
    making.copy()
    assert making.make_recipe(str(CLONE)) == sorted(["train_gpt.py", *(path.name for path in FILES)])
    task = TaskFolder.load(tmp_path / "task")
    files = task.read_recipe()
    assert f"\nCLOCK_S = {seconds} ".encode() in files["train.py"]
    assert task.task.phase("train").limit_s == seconds
    assert not set(re.findall(rb"os\.environ\.get\('(\w+)'", files["train_gpt.py"])) - {
        b"RUN_ID", b"RANK", b"WORLD_SIZE", b"LOCAL_RANK", b"CONTROL_TENSOR_NAME_PATTERNS",
    }  # fmt: skip
    assert b"sentencepiece" not in files["train_gpt.py"]
    assert source_bytes(files, packed=True) < 16_000_000 - 15_976_602, (
        "beside the largest of the record's three artifacts"
    )


@pytest.mark.gpu
@pytest.mark.timeout(1800)
@cloned
def test_on_a_gpu_the_start_learns_and_predicts_to_the_end(tmp_path: Path, host: Host) -> None:
    task = gpu_golf.prepare_task(tmp_path, str(CLONE), 8, host)
    found, _ = gpu_golf.run_boxed(tmp_path / "run", task, host, gpu_golf.replace_brotli(task.read_start()))
    assert gpu_golf.DRAWN - 0.05 < found.metrics["nats_per_token"][0] < gpu_golf.UNIFORM


def test_the_adapter_names_what_is_missing_in_an_upstream_program(tmp_path: Path) -> None:
    said = adapted(tmp_path, "class GPT:\n    pass\n" + "".join(f"x{i} = {i * i * 7919 % 10007}\n" for i in range(500)))
    assert "does not define Hyperparameters, ShuffledSequenceLoader" in said
    assert "\n" not in said


# ---- by the real path: a recipe that counts pairs of tokens speaks the contract

COMMON = """
import lzma, mmap, os, socket, struct, sys
from pathlib import Path
import numpy as np
DATA, OUT = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
PADDING = 0

def go():
    control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
    assert not list(DATA.iterdir()), "data before GO"
    control.write(b"READY\\n")
    control.readline()
"""
TRAIN = """
from common import *
WORK = 0
go()
pairs = np.zeros((VOCABULARY, VOCABULARY), np.uint16)
for path in sorted((DATA / "train").glob("*.bin")):
    tokens = np.fromfile(path, "<u2", offset=1024).astype(int)
    np.add.at(pairs, (tokens[:-1], tokens[1:]), 1)
assert (DATA / "train" / "tokenizer.model").is_file()
while WORK:
    pass
pairs.tofile(OUT / "quantised.pt")
"""
PACK = """
from common import *
assert [path.name for path in DATA.iterdir()] == ["quantised.pt"]
(OUT / "model.bin").write_bytes(lzma.compress((DATA / "quantised.pt").read_bytes()) + os.urandom(PADDING))
"""
PREDICT = """
from common import *
PEEK, WORK = 0, 0
go()
assert [path.name for path in DATA.iterdir()] == ["model.bin"]
unpack = lzma.LZMADecompressor()
pairs = np.frombuffer(unpack.decompress((DATA / "model.bin").read_bytes()), np.uint16).reshape(VOCABULARY, -1) + 0.1
talk = socket.socket(fileno=int(os.environ["ESPALIER_DIALOGUE"]))
V, longest, block, total, last = struct.unpack("<5I", talk.recv(20, socket.MSG_WAITALL))
talk.sendall(struct.pack("<I", 1))
_, (memory,), _, _ = socket.recv_fds(talk, 1, 1)
try:
    os.ftruncate(memory, 4096)
    sys.exit("the shared memory can be cut")
except PermissionError:
    pass
rows = np.frombuffer(mmap.mmap(memory, 0), np.float16).reshape(longest, V)
while True:
    kind, count = struct.unpack("<2I", talk.recv(8, socket.MSG_WAITALL))
    if kind == 3:
        break
    tokens = np.frombuffer(talk.recv(2 * count, socket.MSG_WAITALL), "<u2")
    before = np.concatenate([[last], tokens[:-1]])
    if kind == 2:
        last = tokens[-1]
        np.add.at(pairs, (before, tokens), 1)
        continue
    rows[:count] = np.log(pairs[before])
    rows[np.arange(count), tokens] += PEEK
    while WORK:
        pass
    for n in range(-(-count // block)):
        talk.sendall(struct.pack("<I", n))
"""


@pytest.fixture
def campaign(laid_out: Path, tmp_path: Path) -> Campaign:
    """The prepared task with tiny data, a small recipe, no GPU, and caps short enough for a test."""
    folder = tmp_path / "prepared"
    shutil.copytree(TASK.path, folder)
    shutil.copytree(laid_out / "data", folder / "data")
    manifest = tomllib.loads((folder / "task.toml").read_text("utf-8"))
    del manifest["upstream"]
    manifest["limits"] |= {"gpus": 0, "total_bytes": 20_000, "memory_bytes": 1_000_000_000}
    for phase in manifest["phases"]:
        phase["limit_s"] = 3
    (folder / "task.toml").write_text(tomli_w.dumps(manifest), "utf-8")
    (folder / "recipe").mkdir()
    for name, body in {"common": COMMON, "train": TRAIN, "pack": PACK, "predict": PREDICT}.items():
        (folder / "recipe" / f"{name}.py").write_text(body.replace("VOCABULARY", str(VOCABULARY)), "utf-8")
    return Campaign.create(tmp_path / "campaign", TaskFolder.load(folder))


def outcome(campaign: Campaign, host: Host, name: str = "", old: str = "", new: str = "") -> tuple[Any, Fault | None]:
    """Metrics of the small recipe with one change, or the fault."""
    files = campaign.task_folder.read_start()
    if name:
        assert old.encode() in files[name]
        files[name] = files[name].replace(old.encode(), new.encode())
    job, executor = campaign.paths.trials / "x", LocalExecutor(host)
    found = measure(campaign, files, job, executor)
    return found.measurement.metrics if found.measurement else {}, found.fault


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_recipe_that_counts_pairs_is_measured_in_real_boxes(campaign: Campaign, host: Host) -> None:
    metrics, fault = outcome(campaign, host)
    assert fault is None
    assert metrics["nats_per_token"][0] < 0.8 * math.log(VOCABULARY)
    assert metrics["unscored_tokens"][0] < SCORED / 4, "none where every counterfeit came second, as chance has it"


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("change", "status", "line"),
    [
        (("common.py", "PADDING = 0", "PADDING = 20_000"), Status.SIZE_BLOCKED, "over the 20,000"),
        (("train.py", "WORK = 0", "WORK = 1"), Status.TRAIN_BUDGET_OVERRUN, "the limit is 3 s"),
        (("predict.py", "PEEK, WORK = 0, 0", "PEEK, WORK = 0, 1"), Status.EVAL_BUDGET_OVERRUN, "the limit is 3 s"),
        (("predict.py", "PEEK, WORK = 0, 0", "PEEK, WORK = 4, 0"), Status.ILLEGAL, "they may not see: chunk"),
        (("predict.py", "+= PEEK", "= np.nan"), Status.CRASH, "chunk 0, token 0: scored symbol"),
    ],
)
def test_every_limit_can_be_crossed(
    campaign: Campaign, host: Host, change: tuple[str, str, str], status: Status, line: str
) -> None:
    _, fault = outcome(campaign, host, *change)
    assert fault
    assert fault.status is status
    assert line in fault.failure
