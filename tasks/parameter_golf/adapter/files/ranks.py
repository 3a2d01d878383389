"""One process per GPU of the box: the first process starts them, and passes word between them and the outside."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

RANK = "RANK" in os.environ


def start(extra=()):
    """Run the calling program once more per GPU; return a socket to each."""
    count = len(list(Path("/dev").glob("nvidia[0-9]*"))) or 1
    ranks = []
    for rank in range(count):
        ours, theirs = socket.socketpair()
        environment = os.environ | {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(count),
            "GOLF_PARENT": str(theirs.fileno()),
            "NCCL_SOCKET_IFNAME": "lo",
            "USER": "box",
            "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // count)),
        }
        passed = (theirs.fileno(), *extra)
        child = subprocess.Popen([sys.executable, sys.argv[0]], env=environment, pass_fds=passed)
        theirs.close()
        threading.Thread(target=_watch, args=(rank, child), daemon=True).start()
        ranks.append(ours)
    return ranks


def _watch(rank, child):
    """A rank that fails ends everything: the others would wait for it until the clock runs out."""
    if code := child.wait():
        print(f"rank {rank} exited {code}; its own words stand above", flush=True)
        os._exit(1)


def ready(ranks):
    """Say READY once every rank is warm; tell each the seed when the data are there."""
    control = os.fdopen(int(os.environ["ESPALIER_CONTROL"]), "r+b", buffering=0)
    for link in ranks:
        link.recv(1)
    control.write(b"READY\n")
    seed = int(control.readline().split()[1]).to_bytes(8, "little")
    for link in ranks:
        link.sendall(seed)


def finish(ranks):
    """End once every rank is done."""
    for link in ranks:
        if not link.recv(1):
            threading.Event().wait()  # that one failed, and its watcher ends everything
    os._exit(0)


class Rank:
    """What a rank has: its device, its link to the first process, and the group of all ranks."""

    def __init__(self, up):
        import torch
        import torch.distributed as dist

        self.link = socket.socket(fileno=int(os.environ["GOLF_PARENT"]))
        self.h = h = up.Hyperparameters()
        h.logfile = None
        up.set_logging_hparams(h)
        self.device = torch.device("cuda", h.local_rank)
        torch.cuda.set_device(self.device)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
        torch._dynamo.config.optimize_ddp = False
        meeting = Path(os.environ["ESPALIER_OUT"], "meeting").as_uri()
        dist.init_process_group(
            "nccl", init_method=meeting, rank=h.rank, world_size=h.world_size, device_id=self.device
        )

    def go(self):
        """Tell that this rank is warm, and wait for the data; return the seed."""
        self.link.sendall(b"R")
        return int.from_bytes(self.link.recv(8, socket.MSG_WAITALL), "little")

    def done(self):
        """End well; skips the interpreter's teardown."""
        self.link.sendall(b"D")
        os._exit(0)
