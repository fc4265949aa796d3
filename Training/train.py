"""Trains the default model from scratch.

python3 Training/train.py --config Training/config.json --seed 1 --directory RUN

The data of step n follow from (seed, n) alone, so a run resumes from its last checkpoint. The learning rate warms up,
stays constant and, with ``--decay N``, falls to zero over the last N steps. On a CPU each worker process computes with
one thread and takes the next unit of work when it is free, which keeps busy machines busy.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path

import torch
import torch.multiprocessing as mp
from tokenizers import Tokenizer

from circuits import set_circuits
from data import units_of_step
from model import DefaultModel, ModelConfig
from optimizer import Muon, is_matrix

FIELDS = ("tokens", "positions", "targets", "weights")


class Run:
    """Model, fp32 master weights and optimisers; with several workers all of it lies in shared memory."""

    def __init__(self, arguments: argparse.Namespace, settings: dict):
        self.arguments, self.settings = arguments, settings
        self.directory = Path(arguments.directory)
        self.tokenizer = Tokenizer.from_file(str(self.directory / "tokenizer.json"))
        self.config = ModelConfig(**settings["model"])
        self.model = DefaultModel(self.config).to(arguments.device)
        self.dtype = torch.bfloat16 if settings["dtype"] == "bf16" else torch.float32
        self.step = self.seen = 0
        self.started = time.time()
        self.target = self.directory / f"{arguments.name}.pt"
        source = Path(arguments.source) if arguments.source else self.target
        state = torch.load(source, map_location=arguments.device, weights_only=True) if source.exists() else None
        if state:
            self.model.load_state_dict(state["model"])
            self.step, self.seen = state["step"], state["tokens"]
        else:
            set_circuits(self.model)
        self.names = [n for n, _ in self.model.named_parameters()]
        self.parameters = [p for _, p in self.model.named_parameters()]
        self.masters = [p.detach().clone() for p in self.parameters]
        matrices = [i for i, n in enumerate(self.names) if is_matrix(n, self.parameters[i])]
        others = [i for i in range(len(self.names)) if i not in matrices]
        self.muon = Muon([self.masters[i] for i in matrices], lr=settings["muon_lr"])
        self.adam = torch.optim.AdamW([self.masters[i] for i in others], lr=settings["adam_lr"], betas=(0.9, 0.95), weight_decay=0.0)
        if state:
            for o, s in zip((self.muon, self.adam), state["optimizers"]):
                o.load_state_dict(s)
        for i in matrices:
            self.parameters[i].data = self.parameters[i].data.to(self.dtype)
        self.workers = arguments.workers
        if self.workers > 1:
            for tensor in [*self.masters, *self.parameters, *self.model.buffers()]:
                tensor.share_memory_()
            self.muon.share()
        self.layers = [l for l in [*self.model.layers, self.model.mtp.layer] if hasattr(l.mlp, "update_bias")]
        self.loads = torch.zeros(self.workers, len(self.layers), self.config.n_routed_experts, device=arguments.device).share_memory_()
        self.sums = torch.zeros(self.workers, 4, dtype=torch.float64).share_memory_()
        self.gradients = [[torch.zeros_like(p.data).share_memory_() for p in self.parameters] for _ in range(self.workers)]
        # Worker 0 owns what AdamW updates; the matrices are dealt out by size.
        self.owned: list[list[int]] = [[] for _ in range(self.workers)]
        self.owned[0] += others
        burden = [sum(self.masters[i].numel() for i in others) / 3] + [0.0] * (self.workers - 1)
        for i in sorted(matrices, key=lambda i: -self.masters[i].numel()):
            w = min(range(self.workers), key=lambda w: burden[w])
            self.owned[w].append(i)
            burden[w] += self.masters[i].numel()

    def rate(self, step: int) -> float:
        """Learning rate of a step relative to the constant one."""
        rate = min(1.0, (step + 1) / self.settings["warmup"])
        if self.arguments.decay:
            rate = min(rate, (self.arguments.steps - step) / self.arguments.decay)
        if self.arguments.finish:
            rate = min(rate, self.arguments.peak * max(0.0, self.arguments.finish - time.time()) / (self.arguments.finish - self.started))
        return rate

    def compute(self, worker: int, units: list, following) -> None:
        """Gradients of the units that this worker gets hold of."""
        total = sum(float(u.weights[u.targets >= 0].sum()) for u in units)
        device = self.arguments.device
        self.sums[worker] = 0
        for parameter in self.parameters:
            parameter.grad = None
        for layer in self.layers:
            layer.mlp.load = torch.zeros(self.config.n_routed_experts, device=device)
        while (index := following()) < len(units):
            unit = units[index]
            for field in FIELDS:
                setattr(unit, field, getattr(unit, field).to(device))
            main, mtp = self.model.losses(unit, self.dtype)
            loss = main / total
            self.sums[worker, 0] += float(loss.detach())
            self.sums[worker, 2] += unit.tokens.numel()
            if mtp is not None:
                self.sums[worker, 1] = float(mtp.detach())
                loss = loss + self.settings["mtp_weight"] * mtp
            loss.backward()
        for i, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                self.gradients[worker][i].zero_()
            else:
                self.gradients[worker][i].copy_(parameter.grad)
        for i, layer in enumerate(self.layers):
            self.loads[worker, i] = layer.mlp.load

    @torch.no_grad()
    def update(self, worker: int, rate: float) -> None:
        """Updates the parameters that this worker owns."""
        for master in self.masters:
            master.grad = None
        for i in self.owned[worker]:
            gradient = self.gradients[0][i].float()
            for other in self.gradients[1:]:
                gradient = gradient + other[i].float()
            self.masters[i].grad = gradient
        self.muon.param_groups[0]["lr"] = self.settings["muon_lr"] * rate
        self.muon.step()
        if worker == 0:
            self.adam.param_groups[0]["lr"] = self.settings["adam_lr"] * rate
            self.adam.step()
            for i, layer in enumerate(self.layers):
                layer.mlp.load = self.loads[:, i].sum(0)
                if float(layer.mlp.load.sum()) > 0:
                    layer.mlp.update_bias(self.settings["bias_speed"] * rate)
        for i in self.owned[worker]:
            self.parameters[i].data.copy_(self.masters[i])

    def save(self) -> None:
        """Writes the checkpoint so that a reader never sees half of it."""
        model = self.model.state_dict() | dict(zip(self.names, self.masters))
        state = {"model": model, "optimizers": [self.muon.state_dict(), self.adam.state_dict()], "step": self.step, "tokens": self.seen,
                 "config": asdict(self.config), "settings": self.settings, "seed": self.arguments.seed}
        temporary = self.target.with_suffix(".new")
        torch.save(state, temporary)
        os.replace(temporary, self.target)

    def loop(self, worker: int, barrier, counter, stop, halt) -> None:
        """The steps, in every worker."""
        s, a = self.settings, self.arguments
        torch.set_num_threads(a.threads)
        torch.set_flush_denormal(True)
        if worker:
            os.setsid()  # Linux shares processor time among sessions first; without this the workers may get one core.
        self.model.train()
        log = open(self.directory / "log.txt", "a", buffering=1) if worker == 0 else None
        if log:
            print(f"# start step {self.step} of {a.steps}, {sum(m.numel() for m in self.masters)} parameters, decay {a.decay}, {s}", file=log)
        last_save = last_log = time.time()
        window = [0.0, 0.0, 0.0]

        def following() -> int:
            with counter.get_lock():
                counter.value += 1
                return counter.value - 1

        while self.step < a.steps:
            units = units_of_step(self.tokenizer, a.seed, self.step, s["batch_tokens"], s["unit_tokens"], s.get("weights"))
            self.compute(worker, units, following)
            barrier.wait()
            if worker == 0:
                counter.value = 0
            self.update(worker, self.rate(self.step))
            if worker == 0:
                halt.value = stop.value or (a.finish > 0 and time.time() > a.finish)
            self.step += 1
            barrier.wait()
            if worker == 0:
                sums = self.sums.sum(0).tolist()
                self.seen += int(sums[2])
                window = [w + x for w, x in zip(window, sums)]
                now = time.time()
                if self.step % 20 == 0:
                    print(f"step {self.step} tokens {self.seen / 1e6:.2f}M loss {window[0] / 20:.4f} mtp {window[1] / 7:.3f} "
                          f"rate {self.rate(self.step):.3f} {window[2] / (now - last_log):.0f} tokens/s "
                          f"eta {(a.steps - self.step) * (now - last_log) / 20 / 60:.0f} min {time.strftime('%H:%M:%S')}", file=log)
                    last_log, window = now, [0.0, 0.0, 0.0]
                if now - last_save > s["save_seconds"]:
                    self.save()
                    last_save = time.time()
            if halt.value:
                break
        if worker == 0:
            self.save()
            print(f"# end step {self.step}", file=log)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default=str(Path(__file__).parent / "config.json"))
    parser.add_argument("--directory", required=True, help="folder of tokenizer.json, checkpoints and log")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100000, help="last step")
    parser.add_argument("--decay", type=int, default=0, help="length of the decay that ends at the last step")
    parser.add_argument("--finish", type=float, default=0, help="let the rate fall to zero by this time (seconds since 1970) instead")
    parser.add_argument("--peak", type=float, default=1.0, help="rate at the start of a decay by --finish")
    parser.add_argument("--from", dest="source", help="checkpoint to continue from, default: NAME.pt of the folder")
    parser.add_argument("--name", default="last", help="name of the checkpoint that is written")
    parser.add_argument("--workers", type=int, default=2, help="processes; 1 on a GPU")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    settings = json.loads(Path(arguments.config).read_text())
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    run = Run(arguments, settings)
    context = mp.get_context("fork")
    # Worker 0 copies a request to stop into halt before a barrier, so that all workers leave after the same step.
    barrier, counter = context.Barrier(run.workers), context.Value("i", 0)
    stop, halt = context.Value("b", 0, lock=False), context.Value("b", 0, lock=False)
    others = [context.Process(target=run.loop, args=(w, barrier, counter, stop, halt), daemon=True) for w in range(1, run.workers)]
    for process in others:
        process.start()
    signal.signal(signal.SIGTERM, lambda *_: setattr(stop, "value", 1))
    run.loop(0, barrier, counter, stop, halt)
    for process in others:
        process.join()


if __name__ == "__main__":
    main()
