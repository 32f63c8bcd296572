"""Images per second of a restorer: its card in torch, rr-export's file in ONNX Runtime, and bfloat16 on a GPU.

    python benchmarks/restore.py models/mdfr --out benchmarks/results/restore.json

On the CPU both take turns with the same batch and threads, and the medians stand side by side: a shared machine's speed
drifts. On a GPU the network runs as it is, in bfloat16, and in bfloat16 as a CUDA graph; the share is of what the same
GPU does in a multiplication of large matrices, timed in the same run. A network that is guided by poses has no ONNX
file.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import onnxruntime
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from recog_restore.cli.exporting import run as export
from recog_restore.networks.weights import load_network
from recog_restore.preprocess.card import CardRestorer
from recog_restore.preprocess.onnx import OnnxPreprocessor
from recog_restore.preprocess.poses import poses

SIDE = 8192  # of the matrices
REPEATS = 20
Restore = Callable[[], Any]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--batch", default=32, show_default=True)
@click.option("--gpu-batch", default=256, show_default=True)
@click.option("--threads", default=os.cpu_count(), show_default=True)
@click.option("--rounds", default=9, show_default=True)
@click.option("--out", type=click.Path(path_type=Path))
def main(folder: Path, batch: int, gpu_batch: int, threads: int, rounds: int, out: Path | None) -> None:
    torch.set_num_threads(threads)
    restorer = CardRestorer(folder)
    card = restorer.model
    faces = drawn(batch, card.size)
    work = flops(folder)
    click.echo(f"{card.name}: {card.weights.parameters:,} parameters, {work / 1e9:.2f} GFLOP a face")
    with tempfile.TemporaryDirectory() as place, torch.inference_mode():
        parties: dict[str, Restore] = {"torch": lambda: restorer.restore(faces, None)}
        if card.guide == "none":
            file = Path(place) / f"{card.name}.onnx"
            export(f"card:{folder}", file)
            onnx = OnnxPreprocessor(file, threads=threads)
            parties["onnxruntime"] = lambda: onnx.restore(faces, None)
        cpu = in_turns(parties, batch, rounds)
    gpu = on_gpu(folder, gpu_batch, work) if torch.cuda.is_available() else None
    if out is not None:
        model = {"name": card.name, "sha256": card.weights.sha256, "parameters": card.weights.parameters}
        settings = {
            "size": card.size,
            "batch": batch,
            "threads": threads,
            "rounds": rounds,
            "gflop_per_image": work / 1e9,
        }
        machine = {
            "cpu_count": os.cpu_count(),
            "platform": platform.platform(),
            "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__,
        }
        record = {"model": model, "settings": settings, "machine": machine, "images_per_second": cpu, "gpu": gpu}
        out.write_text(json.dumps(record, indent=1) + "\n")


def drawn(batch: int, size: int, device: str = "cpu") -> Tensor:
    """Return (batch, 3, size, size) images of noise; how fast a network is does not depend on what it sees."""
    return torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(0)).to(device)


def flops(folder: Path) -> int:
    """Return floating-point operations for one face, two for each multiply-add."""
    network, inputs = whole(folder, 1, "cpu")
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(*inputs)
    return counter.get_total_flops()


def whole(folder: Path, batch: int, device: str) -> tuple[nn.Module, list[Tensor]]:
    """Return the network of a folder and its inputs, channels last."""
    card = CardRestorer(folder).model
    network = load_network(folder, card, device)
    guides = poses(batch, None, card.size) if card.guide == "poses" else ()
    inputs = [drawn(batch, card.size), *guides]
    return network, [x.to(device).contiguous(memory_format=torch.channels_last) for x in inputs]


def in_turns(parties: dict[str, Restore], batch: int, rounds: int) -> dict[str, Any]:
    """Return of each party images per second in every round, and their median, after one round to warm up."""
    records: dict[str, list[float]] = {name: [] for name in parties}
    for number in range(rounds + 1):
        for name in list(parties)[number % len(parties) :] + list(parties)[: number % len(parties)]:
            began = time.perf_counter()
            parties[name]()
            if number:
                records[name].append(batch / (time.perf_counter() - began))
    found = {name: {"rounds": rates, "median": statistics.median(rates)} for name, rates in records.items()}
    for name, record in found.items():
        click.echo(f"{name}: {record['median']:.1f} images/s")
    return found


@torch.inference_mode()
def on_gpu(folder: Path, batch: int, work: int) -> dict[str, Any]:
    """Return images per second and share of the measured peak of each way to compute on the GPU."""
    torch.backends.cudnn.allow_tf32 = False
    network, inputs = whole(folder, batch, "cuda")
    exact = network(*inputs)
    rates = {"float32": batch / seconds(lambda: network(*inputs))}
    half, halves = network.to(torch.bfloat16), [x.to(torch.bfloat16) for x in inputs]
    difference = float((half(*halves).float() - exact).abs().max())
    rates["bfloat16"] = batch / seconds(lambda: half(*halves))
    rates["bfloat16, CUDA graph"] = batch / seconds(graphed(half, halves))
    peak = matmul_peak()
    found = {name: {"median": rate, "share_of_peak": rate * work / peak} for name, rate in rates.items()}
    for name, record in found.items():
        click.echo(
            f"{name}: {record['median']:.0f} images/s, {record['share_of_peak']:.1%} of {peak / 1e12:.0f} TFLOP/s"
        )
    return {
        "device": torch.cuda.get_device_name(),
        "batch": batch,
        "matmul_peak_tflops": peak / 1e12,
        "largest_difference_of_bfloat16": difference,
        "images_per_second": found,
    }


def graphed(network: nn.Module, inputs: list[Tensor]) -> Restore:
    """Return what replays the network on the same inputs as one CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            network(*inputs)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(*inputs)
    return graph.replay


def matmul_peak() -> float:
    """Return floating-point operations per second of a bfloat16 product of two large square matrices."""
    one, other = (torch.randn(SIDE, SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return 2 * SIDE**3 / seconds(lambda: one @ other)


def seconds(run: Restore) -> float:
    """Return the median time of one run on the GPU, after three to warm up."""
    times = []
    for number in range(3 + REPEATS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        end.synchronize()
        if number >= 3:
            times.append(begin.elapsed_time(end) / 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
