"""cifar10_airbench96: batches become arrays, every seed has its own puzzle, upstream's program becomes a recipe."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cifar, gpu_airbench
from lineage_repo.errors import TaskError
from lineage_repo.model.comparison import Comparison, Turn
from lineage_repo.model.manifest import parse_manifest
from lineage_repo.model.measurement import Fault, Measurement, Status, now
from lineage_repo.model.upstream import apply_variant
from lineage_repo.prompting.system_prompt import system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.task.find import find_task
from lineage_repo.task.folder import TaskFolder
from lineage_repo.verdict.judge import judge
from mcp_server.commands.task_prepare import Preparation
from mcp_server.sandbox.host import Host
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.preflight import preflight

NAME = "cifar10_airbench96"
PER_BATCH = 20
HEADER = 128  # of an .npy file
CLONE = Path(os.environ.get("ESPALIER_CLONES", "")) / "cifar10-airbench"
cloned = pytest.mark.skipif(
    not ("ESPALIER_CLONES" in os.environ and CLONE.is_dir()),
    reason="ESPALIER_CLONES names no folder with a clone called cifar10-airbench",
)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    cifar.write(folder, PER_BATCH)
    return folder


def preparation(folder: Path, variant: str | None = None) -> Preparation:
    making = Preparation(find_task(NAME), folder, variant, Path(sys.executable))
    making.copy()
    return making


@pytest.fixture(scope="module")
def prepared(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The task with a recipe of a few lines, tiny data and no GPU."""
    folder = tmp_path_factory.mktemp("task") / NAME
    making = preparation(folder)
    (folder / "recipe").mkdir()
    (folder / "recipe" / "train.py").write_text(RECIPE, "utf-8")
    making.lay_out_data(raw, dry_run=False)
    edited(folder, ("gpus = 1", "gpus = 0"), ("limit_s = 600", "limit_s = 3"), ("ready_s = 600", "ready_s = 3"))
    return folder


def edited(folder: Path, *changes: tuple[str, str]) -> None:
    text = (folder / "task.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "task.toml").write_text(text, "utf-8")


def body(path: Path) -> bytes:
    return path.read_bytes()[HEADER:]


def rows(raw: bytes, size: int) -> list[bytes]:
    return [raw[i : i + size] for i in range(0, len(raw), size)]


# ---- data


def test_the_batches_are_laid_out_pixel_by_pixel_and_marked_as_synthetic(prepared: Path) -> None:
    made = cifar.write(prepared.parent / "again", PER_BATCH)
    data = prepared / "data"
    assert body(data / "hidden" / "test_y.npy") == made["test_batch"][0]
    assert body(data / "train" / "train_y.npy") == b"".join(made[name][0] for name in cifar.FILES[:5])
    planes = rows(b"".join(made[name][1] for name in cifar.FILES[:5]), cifar.PIXELS)
    pixels = b"".join(bytes(v for p in zip(*rows(image, 1024), strict=True) for v in p) for image in planes)
    assert body(data / "train" / "train_x.npy") == pixels
    assert "SYNTHETIC" in json.loads((data / "data.json").read_text("utf-8"))


EVIL = b"cos\nsystem\n(S'true'\ntR."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("data_batch_3", None, "lacks data_batch_3: get cifar-10-python.tar.gz"),
        ("SYNTHETIC", None, "data_batch_1 has md5"),
        ("data_batch_2", EVIL, "it names os.system, which a batch of images does not need"),
        ("data_batch_2", b"", "is not a batch of CIFAR-10 (Ran out of input)"),
        ("data_batch_2", b"\x80\2}.", "is not a batch of CIFAR-10 (b'data')"),
        ("test_batch", cifar.encode_batch(b"\x0a", bytes(cifar.PIXELS)), "labels are not all integers from 0 to 9"),
        ("test_batch", cifar.encode_batch(b"\1\2", bytes(2 * cifar.PIXELS))[:-9], "is not a batch of CIFAR-10"),
    ],
)
def test_an_error_names_data_that_are_not_the_official_batches(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    cifar.write(tmp_path, 2)
    path = tmp_path / name if name == "SYNTHETIC" else tmp_path / "cifar-10-batches-py" / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(TaskError) as error:
        Preparation(find_task(NAME), tmp_path / "task", None, Path(sys.executable)).lay_out_data(tmp_path, dry_run=True)
    assert problem in str(error.value)


# ---- what agents are told


def test_every_role_has_a_prompt(prepared: Path, tmp_path: Path) -> None:
    campaign = Campaign.create(tmp_path / "campaign", TaskFolder.load(prepared))
    for role in ("arch", "opt", "aug", "loss", "reg"):
        assert f"# Your role: {role}" in system_prompt(campaign, role)


# ---- what boxes see, and the score


def verb(folder: Path, prepared: Path, *arguments: str | Path) -> None:
    program = TaskFolder.load(prepared).stage_evaluator(folder / "evaluator")
    environment = {"ESPALIER_PREPARED": str(prepared / "data")}
    subprocess.run([sys.executable, "-EsB", program, *arguments], cwd=folder, env=environment, check=True)


@pytest.fixture(scope="module")
def dealt(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dealt")
    verb(folder, prepared, "prepare", "--trial-seed", "7", "--n-seeds", "2", folder / "public", folder / "secret")
    return folder


def test_every_seed_has_its_own_numbers_of_classes_and_order_of_test_images(dealt: Path, prepared: Path) -> None:
    train, hidden = prepared / "data" / "train", prepared / "data" / "hidden"
    known = dict(zip(rows(body(hidden / "test_x.npy"), cifar.PIXELS), body(hidden / "test_y.npy"), strict=True))
    truths = rows(body(dealt / "secret" / "truth.npy"), PER_BATCH)
    seen: list[tuple[list[bytes], dict[int, int]]] = []
    for index, truth in enumerate(truths):
        public = dealt / "public" / str(index)
        assert sorted(p.name for p in public.iterdir()) == ["test_x.npy", "train_x.npy", "train_y.npy"]
        assert (public / "train_x.npy").samefile(train / "train_x.npy")
        numbers = dict(zip(body(train / "train_y.npy"), body(public / "train_y.npy"), strict=True))
        images = rows(body(public / "test_x.npy"), cifar.PIXELS)
        assert sorted(numbers.values()) == list(range(10))
        assert bytes(numbers[label] for label in body(train / "train_y.npy")) == body(public / "train_y.npy")
        assert bytes(numbers[known[image]] for image in images) == truth
        seen.append((images, numbers))
    assert sorted(seen[0][0]) == sorted(seen[1][0])
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]


def test_right_answers_are_counted_and_only_one_class_per_image_is_read(dealt: Path, prepared: Path) -> None:
    truths = rows(body(dealt / "secret" / "truth.npy"), PER_BATCH)
    sealed = [dealt / "sealed" / str(i) / "train" / "pred.u8" for i in (0, 1)]

    def report(second: bytes) -> dict[str, Any]:
        for path, predicted in zip(sealed, (truths[0], second), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(predicted)
        verb(dealt, prepared, "score", dealt / "sealed", dealt / "secret")
        return json.loads((dealt / "measurement.json").read_text("utf-8"))

    wrong = bytes((label + 1) % 10 for label in truths[1][:3]) + truths[1][3:]
    assert report(wrong) == {"metrics": {"accuracy": [1.0, (PER_BATCH - 3) / PER_BATCH]}}
    for bad, line in (
        (truths[1] + b"\0", f"pred.u8 holds more than {PER_BATCH} bytes"),
        (truths[1][:-1] + b"\x0a", f"holds class 10 at image {PER_BATCH - 1}, expected 0 to 9"),
    ):
        fault = report(bad)["fault"]
        assert (fault["seed_index"], fault["status"]) == (1, "crash")
        assert line in fault["line"]


def verdict(variant: str | None, right: list[int]) -> Status:
    """The judge's verdict on a trial with this many right answers of 10,000 in each seed."""
    manifest = {**find_task(NAME).task.model_dump(mode="json", exclude_defaults=True)}
    task = parse_manifest(apply_variant(manifest, variant) if variant else manifest)
    measured = Measurement(
        trial_seeds=tuple(range(len(right))),
        box_seeds=tuple(range(len(right))),
        metrics={"accuracy": tuple(n / 10_000 for n in right)},
        phases=(),
        source_bytes=1,
        clock="wall",
        evaluator_s=0,
    )
    start = Comparison(candidate=measured, turns=(Turn(side="candidate", began=now()),) * len(right))
    return judge(task, [start], None, None, {}).status


def test_the_papers_gate_compares_the_mean_and_ours_its_confidence_bound() -> None:
    level = [9600] * 8 + [9590, 9610]
    assert verdict("paper", level) is Status.BASELINE
    assert verdict("paper", [9599, *level[1:]]) is Status.DISQUALIFIED
    assert verdict(None, level) is Status.DISQUALIFIED
    assert verdict(None, [n + 10 for n in level]) is Status.BASELINE


# ---- in boxes

RECIPE = """
import os
from pathlib import Path
import numpy as np

data, out = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
early = list(data.iterdir())
with open(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0) as control:
    control.write(b"READY\\n")
    control.readline()
assert not early, early
x, y, test = (np.load(data / name).astype(int) for name in ("train_x.npy", "train_y.npy", "test_x.npy"))
means = np.stack([x[y == label].sum(0) // (y == label).sum() for label in range(10)])
far = [[abs(image - mean).sum() for mean in means] for image in test]
predicted = np.argmin(far, 1).astype(np.uint8).tobytes()
(out / "pred.u8").write_bytes(predicted)
"""


def outcome(folder: Path, task: Path, host: Host, files: dict[str, bytes]) -> tuple[Measurement | None, Fault | None]:
    """Measure one seed of a recipe."""
    campaign = Campaign.create(folder / "campaign", TaskFolder.load(task), n_seeds=1)
    job = campaign.paths.trials / "x"
    job.mkdir()
    found = measure(campaign, files, job, LocalExecutor(host))
    return found.measurement, found.fault


def nearest(data: Path) -> float:
    """The accuracy of the nearest mean, by plain arithmetic."""
    train = rows(body(data / "train" / "train_x.npy"), cifar.PIXELS)
    labels = body(data / "train" / "train_y.npy")
    means: list[list[int]] = []
    for label in range(10):
        mine = [image for image, other in zip(train, labels, strict=True) if other == label]
        means.append([sum(column) // len(mine) for column in zip(*mine, strict=True)])
    right = 0
    for image, label in zip(rows(body(data / "hidden/test_x.npy"), cifar.PIXELS), body(data / "hidden/test_y.npy"),
                            strict=True):  # fmt: skip
        far = [sum(abs(a - b) for a, b in zip(image, mean, strict=True)) for mean in means]
        right += far.index(min(far)) == label
    return right / PER_BATCH


@pytest.mark.slow
def test_a_recipe_that_follows_the_contract_scores_as_plain_arithmetic_does(
    prepared: Path, tmp_path: Path, host: Host
) -> None:
    found, fault = outcome(tmp_path, prepared, host, TaskFolder.load(prepared).read_start())
    assert fault is None
    assert found
    assert found.metrics["accuracy"] == (nearest(prepared / "data"),)
    assert found.metrics["accuracy"][0] > 0.3
    (run,) = found.phases
    assert 0 < run.elapsed_s < 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "status", "line"),
    [
        ("early =", "import time; time.sleep(60); early =", Status.CRASH, "did not say READY"),
        ("means =", "import time; time.sleep(60); means =", Status.TRAIN_BUDGET_OVERRUN, "the limit is 3 s"),
        ("_bytes(predicted)", "_bytes(predicted[1:])", Status.CRASH, "holds 19 bytes, expected 20"),
        ("_bytes(predicted)", "_bytes(predicted * 501)", Status.SIZE_BLOCKED, "over the 10,000"),
        ("predicted =", "x = np.load('test_y.npy'); predicted =", Status.CRASH, "FileNotFoundError"),
    ],
)
def test_every_limit_can_be_crossed(
    prepared: Path, tmp_path: Path, host: Host, old: str, new: str, status: Status, line: str
) -> None:
    assert old in RECIPE
    _, fault = outcome(tmp_path, prepared, host, {"train.py": RECIPE.replace(old, new).encode()})
    assert fault
    assert fault.status is status
    assert line in fault.failure


def test_a_source_over_its_cap_is_blocked_before_it_runs() -> None:
    fault = preflight(find_task(NAME).task, {"train.py": b"#" * 64_000})
    assert fault
    assert fault.status is Status.SIZE_BLOCKED
    assert "over the 64,000" in fault.failure


@pytest.mark.slow
def test_a_bare_process_with_the_same_inputs_predicts_as_a_box_does(prepared: Path, tmp_path: Path, host: Host) -> None:
    found = gpu_airbench.compare_seed(tmp_path, TaskFolder.load(prepared), host, 0)
    assert found.boxed_accuracy == found.bare_accuracy
    assert 0 < found.bare_s < 3


# ---- upstream


def adapt(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "upstream").mkdir()
    (folder / "recipe").mkdir()
    (folder / "upstream" / "airbench96_faster.py").write_text(text, "utf-8")
    program = find_task(NAME).path / "adapter" / "adapt.py"
    argv = [sys.executable, "-EsB", program, folder / "upstream", folder / "recipe"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("import torch\n", "import torchvision"),
        ("import torchvision\nimport torchvision.transforms as T\n", "InfiniteCifarLoader"),
    ],
)
def test_a_program_other_than_upstreams_is_refused_in_one_line(tmp_path: Path, text: str, missing: str) -> None:
    done = adapt(tmp_path, text)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"airbench96_faster.py has no {missing}: this adapter fits the commit that task.toml pins, and no other"
    ]


@pytest.mark.slow
@cloned
@pytest.mark.parametrize(
    ("variant", "epochs", "warm"), [(None, "45.0", 2), ("stronger", "90.0", 2), ("paper", "45.0", 0)]
)
def test_upstreams_program_becomes_a_recipe_that_compiles(
    tmp_path: Path, variant: str | None, epochs: str, warm: int
) -> None:
    made = preparation(tmp_path / "task", variant).make_recipe(str(CLONE))
    assert made == ["LICENSE", "airbench96.py", "images.py", "train.py", "transforms.py"]
    program = (tmp_path / "task" / "recipe" / "airbench96.py").read_text("utf-8")
    assert f"'train_epochs': {epochs}" in program
    assert "torchvision" not in program
    driver = (tmp_path / "task" / "recipe" / "train.py").read_text("utf-8")
    assert f"\nWARMUP_EPOCHS = {warm} " in driver
    assert driver.count(gpu_airbench.END) == 1


ON_CPU = """
import runpy, time
import torch

class Event:  # the two calls of a CUDA event that upstream makes
    def __init__(self, enable_timing):
        self.at = 0.0
    def record(self):
        self.at = time.perf_counter()
    def elapsed_time(self, other):
        return 1000 * (other.at - self.at)

class Plain(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self._orig_mod = module
    def forward(self, x):
        return self._orig_mod(x)

torch.set_num_threads(1)
torch.Tensor.cuda = torch.nn.Module.cuda = lambda self: self
torch.cuda.Event, torch.cuda.synchronize, torch.compile = Event, lambda: None, lambda module, mode: Plain(module)
import airbench96, images
images.NOISE_TRAIN, images.NOISE_TEST = 128, 20
airbench96.hyp["opt"].update(train_epochs=2.0, batch_size=32, batch_size_masked=16)
airbench96.hyp["aug"].update(translate=2, cutout=4)
for part in ("proxy", "net"):
    airbench96.hyp[part]["widths"] = {"block1": 8, "block2": 8, "block3": 8}
runpy.run_path("/recipe/train.py")
"""
"""Run the driver without a GPU: upstream's program, but smaller and not compiled."""


@pytest.mark.slow
@cloned
def test_upstreams_program_trains_between_go_and_its_predictions(prepared: Path, tmp_path: Path, host: Host) -> None:
    making = preparation(tmp_path / "task")
    making.make_recipe(str(CLONE))
    (prepared / "data").rename(tmp_path / "task" / "data")
    edited(tmp_path / "task", ("gpus = 1", "gpus = 0"), ("/recipe/train.py", "/recipe/on_cpu.py"))
    try:
        files = {**TaskFolder.load(tmp_path / "task").read_start(), "on_cpu.py": ON_CPU.encode()}
        found, fault = outcome(tmp_path, tmp_path / "task", host, files)
    finally:
        (tmp_path / "task" / "data").rename(prepared / "data")
    assert fault is None, fault
    assert found
    assert found.metrics["accuracy"][0] in {right / PER_BATCH for right in range(PER_BATCH + 1)}


@pytest.mark.gpu
@pytest.mark.timeout(1800)
@cloned
def test_on_a_gpu_the_start_learns_in_its_box_as_fast_as_bare(tmp_path: Path, host: Host) -> None:
    task = gpu_airbench.prepare_task(tmp_path, str(CLONE), gpu_airbench.PER_BATCH, host)
    assert gpu_airbench.check_gpu_use(tmp_path / "look", task, host).startswith("in the box: ")
    found = gpu_airbench.compare_seed(tmp_path / "pair", task, host, 0)
    assert min(found.boxed_accuracy, found.bare_accuracy) > 0.9
    assert found.boxed_s / found.bare_s < 1.05
