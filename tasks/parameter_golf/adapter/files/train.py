"""Train within the clock, quantise, and leave quantised.pt; READY after compiling and warming up on noise."""

import os
import sys
from pathlib import Path

import ranks

CLOCK_S = 600  # [opt] seconds from GO to the end of the last process, by the evaluator's clock; no tolerance
RESERVE_S = 12  # [opt] of these, for calibration, quantising and writing
DATA, OUT = Path(os.environ["ESPALIER_DATA"]), Path(os.environ["ESPALIER_OUT"])


def loader_of(up, rank, model):
    """Upstream's loader: noise for the first one made, and the second waits for GO and draws the weights anew."""
    import torch

    class Loader(up.ShuffledSequenceLoader):
        made = 0

        def __init__(self, h, device):
            Loader.made += 1
            self.noise = Loader.made == 1
            self.device, self.h = device, h
            if Loader.made == 2:
                torch.cuda.synchronize()
                draw(model["it"], rank.go())
            if not self.noise:
                super().__init__(h, device)

        def next_batch(self, global_tokens, grad_accum_steps):
            if not self.noise:
                return super().next_batch(global_tokens, grad_accum_steps)
            rows = global_tokens // (self.h.world_size * grad_accum_steps) // self.h.train_seq_len
            x = torch.randint(0, self.h.vocab_size, (rows, self.h.train_seq_len + 1), device=self.device)
            return x[:, :-1].contiguous(), x[:, 1:].contiguous()

    return Loader


def draw(model, seed):
    """New weights, the same on every rank, of a seed that nobody knew before GO."""
    import torch

    torch.manual_seed(seed)
    with torch.no_grad():
        model._init_weights()


def calibrated(up, rank, model):
    """Each rank reads its share of the calibration batches; together they are upstream's number of them."""
    import torch
    import torch.distributed as dist

    h = rank.h
    loader = up.ShuffledSequenceLoader(h, rank.device)
    share = -(-h.gptq_calibration_batches // h.world_size)
    hessians = up.collect_hessians(model, loader, h, rank.device, n_calibration_batches=share)
    for name in sorted(hessians):
        whole = hessians[name].to(rank.device)
        dist.all_reduce(whole, op=dist.ReduceOp.SUM)
        hessians[name] = whole / h.world_size
    torch.cuda.synchronize()
    return hessians


def quantised(up, rank, model):
    """Upstream's rounding, on the GPU, the weights shared out among the ranks; the first one returns all of them."""
    import torch
    import torch.distributed as dist

    h, hessians, plain = rank.h, calibrated(up, rank, model), up.gptq_quantize_weight

    def on_device(weight, hessian, **settings):
        with torch.device(rank.device):
            return tuple(part.cpu() for part in plain(weight.to(rank.device), hessian.to(rank.device), **settings))

    up.gptq_quantize_weight = on_device
    state = {name: weight.detach() for name, weight in model.state_dict().items()}
    slowest_first = sorted(state, key=lambda name: (-hessians[name].shape[0] if name in hessians else 0, name))
    mine = {name: state[name] for name in slowest_first[h.rank :: h.world_size]}
    torch.save(up.gptq_mixed_quantize(mine, hessians, h), OUT / f"part-{h.rank}.pt")
    dist.barrier()
    if h.rank:
        return None
    weights, kinds = {}, {}
    for other in range(h.world_size):
        part = torch.load(OUT / f"part-{other}.pt", weights_only=True)
        weights.update(part[0])
        kinds.update(part[1])
    order = [key for name in state for key in (name, f"{name}.q", f"{name}.scale") if key in weights]
    return {"w": {key: weights[key] for key in order}, "m": {name: kinds[name] for name in state}}


def work():
    """One rank."""
    import torch
    import train_gpt as up

    rank, model = ranks.Rank(up), {}
    h = rank.h
    h.train_files = str(DATA / "train" / "fineweb_train_*.bin")
    h.max_wallclock_seconds, h.gptq_reserve_seconds = CLOCK_S, RESERVE_S
    torch.manual_seed(h.seed)
    net = up.GPT
    up.GPT = lambda h: model.setdefault("it", net(h))
    up.ShuffledSequenceLoader = loader_of(up, rank, model)
    trained, _ = up.train_model(h, rank.device, None)
    result = quantised(up, rank, trained)
    if result:
        torch.save(result, OUT / "quantised.pt")
    rank.done()


if __name__ == "__main__":
    if ranks.RANK:
        work()
    try:
        import brotli  # noqa: F401
    except ImportError:
        sys.exit("brotli is missing where recipes run, and pack.py needs it: pip install brotli into recipe_python")
    started = ranks.start()
    ranks.ready(started)
    ranks.finish(started)
