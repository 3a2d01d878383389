"""Train with upstream's scripts.base_train on every GPU there is, and leave model.safetensors.

Without a GPU it trains in one process on the CPU, which is for trying the way only.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

DEPTH = 12  # blocks; a rule of the task
RATIO = 12  # [sched] training tokens for each weight of the blocks and the head; 6 to 200
SEQUENCE = 2048  # [data] tokens of a row; 512 to 4096
ROWS = 32  # [sys] rows in one pass of one GPU; 4 to 128
MATRIX_LR = 0.02  # [opt] Muon's rate; 0.005 to 0.08
EMBEDDING_LR = 0.3  # [opt] Adam's rate for embeddings; 0.05 to 1.0
UNEMBEDDING_LR = 0.008  # [opt] Adam's rate for the head; 0.001 to 0.03
WEIGHT_DECAY = 0.28  # [opt] Muon's decay; 0.0 to 0.6
WARMUP = 40  # [sched] steps in which the rates rise; 0 to 500
WARMDOWN = 0.65  # [sched] share of the steps in which they fall; 0.1 to 1.0
WINDOWS = "SSSL"  # attention per block, repeated: S a quarter of the row, L all of it

FLAGS = {
    "run": "dummy",
    "depth": DEPTH,
    "target-param-data-ratio": RATIO,
    "max-seq-len": SEQUENCE,
    "device-batch-size": ROWS,
    "matrix-lr": MATRIX_LR,
    "embedding-lr": EMBEDDING_LR,
    "unembedding-lr": UNEMBEDDING_LR,
    "weight-decay": WEIGHT_DECAY,
    "warmup-steps": WARMUP,
    "warmdown-ratio": WARMDOWN,
    "window-pattern": WINDOWS,
    # There is nothing to measure here: neither the bundle nor held-out text is in this box.
    "eval-every": -1,
    "core-metric-every": -1,
    "sample-every": -1,
}
DATA, OUT = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])
RECIPE, BASE = Path(__file__).parent, Path(os.environ["ESPALIER_OUT"], "base")
RENDEZVOUS = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500", "NCCL_SOCKET_IFNAME": "lo"}


def lay_out() -> None:
    """The folder that upstream expects, with links to the data."""
    shards = sorted((DATA / "train").glob("shard_*.parquet"))
    (BASE / "base_data_climbmix").mkdir(parents=True)
    for shard in shards:
        (BASE / "base_data_climbmix" / shard.name).symlink_to(shard)
    # Upstream keeps the last file for validation: a second name of the last one, so that it trains on every shard.
    (BASE / "base_data_climbmix" / "shard_99999.parquet").symlink_to(shards[-1])
    (BASE / "tokenizer").symlink_to(DATA / "train" / "tokenizer")


def train(gpus: int) -> None:
    """One process per GPU; the first that fails ends all."""
    shared = dict(os.environ) | {"NANOCHAT_BASE_DIR": str(BASE), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    shared["TORCHINDUCTOR_CACHE_DIR"] = str(OUT / "compiled")  # older ones name it after the user, whom a box has not
    module = ["scripts.base_train"] if gpus else ["uncompiled", "scripts.base_train"]
    argv = [sys.executable, "-m", *module, *(f"--{name}={value}" for name, value in FLAGS.items())]
    ranks: list[subprocess.Popen[bytes]] = []
    for rank in range(max(1, gpus)):
        place = RENDEZVOUS | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(gpus)} if gpus > 1 else {}
        ranks.append(subprocess.Popen(argv, cwd=RECIPE, env=shared | place))
    codes = [rank.poll() for rank in ranks]
    while None in codes and not any(codes):
        time.sleep(0.2)
        codes = [rank.poll() for rank in ranks]
    for rank in ranks:
        rank.kill()
    if any(codes):
        sys.exit(f"base_train ended with {codes}")


def keep() -> None:
    """The last checkpoint's weights as they are, and the net's settings, as one safetensors file."""
    newest = max((BASE / "base_checkpoints").glob("*/model_*.pt"))
    settings = json.loads(newest.with_name(newest.name.replace("model_", "meta_")).with_suffix(".json").read_text())
    weights = torch.load(newest, map_location="cpu", weights_only=True)
    save_file(
        {name.removeprefix("_orig_mod."): weight.contiguous() for name, weight in weights.items()},
        OUT / "model.safetensors",
        {"config": json.dumps(settings["model_config"])},
    )


if __name__ == "__main__":
    lay_out()
    train(torch.cuda.device_count())
    keep()
