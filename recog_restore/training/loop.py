"""``train``: stages of steps, with Lightning Fabric from one CPU to several GPUs; killed and resumed, it goes on alike.

All randomness comes from (seed, stage, step), never from where a generator happens to stand: there is nothing to save
but weights and the optimizer's tensors.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..engine.progress import Progress
from ..errors import ExtraMissing, RecordError
from ..records import plain
from . import checkpoint as checkpoints
from .augment import network_input
from .checkpoint import Checkpoint
from .data import Batches, Photos, open_photos, stream
from .growth import grown
from .learner import Learner, new_learner, new_optimizer
from .log import LOG, VALIDATION, Log
from .photos import cache_key, missing, render
from .recipe import Recipe, Stage
from .schedule import rate
from .validation import numbers, validate

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Place:
    """Where a training runs and writes.

    Attributes:
        out: checkpoint, logs and, at the end, the network's weights.
        cache: of rendered photos.
        workers: processes that read or render photos.
        limit: at most so many steps, for a trial.
        resume: go on from the checkpoint in ``out``.
    """

    out: Path
    cache: Path
    workers: int
    limit: int | None = None
    resume: bool = False


def new_fabric(device: str, precision: str) -> Fabric:
    """Return the Fabric for a device: ``auto``, ``cpu``, ``cuda`` (all GPUs), ``cuda:1``, or ``cuda:0,1``.

    Raises:
        ExtraMissing: Lightning Fabric is not installed.
        RecordError: there is no such device.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise ExtraMissing("training needs Lightning Fabric: pip install 'recog-restore[train]'") from None
    kind, _, which = device.partition(":")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "cpu"
    if kind not in ("cpu", "cuda") or (kind == "cpu" and which):
        raise RecordError(f"--device {device}: expected auto, cpu, cuda, cuda:1 or cuda:0,1")
    if kind == "cuda" and not torch.cuda.is_available():
        raise RecordError(f"--device {device}: there is no GPU that torch {torch.__version__} can use")
    try:
        devices: list[int] | int = [int(number) for number in which.split(",")] if which else -1
    except ValueError:
        raise RecordError(f"--device {device}: expected numbers of GPUs after the colon") from None
    if precision == "auto":
        precision = "bf16-mixed" if kind == "cuda" else "32-true"
    return Fabric(accelerator=kind, devices=1 if kind == "cpu" else devices, precision=precision)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Trained:
    """Weights of a network, on the CPU, and the size of the inputs that they are for."""

    network: Mapping[str, Tensor]
    size: tuple[int, int]


def train(recipe: Recipe, place: Place, fabric: Fabric, progress: Progress | None = None) -> Trained:
    """Return the trained network's weights; checkpoint and logs are in ``place.out``.

    Raises:
        RecordError: the recipe does not suit the data, ``out`` holds another training, or the loss is not finite.
        DataError, StoreError: photos or checkpoints cannot be read or written.
    """
    progress = progress or Progress()
    fabric.launch()
    start = _checkpoint(recipe, place)
    if fabric.is_global_zero:
        place.out.mkdir(parents=True, exist_ok=True)
        fill_cache(recipe, place, progress)
    fabric.barrier()
    photos = open_photos(recipe.data, place.cache)
    with Log(place.out, start.step if start else 0, keep=fabric.is_global_zero) as log:
        return _Training(recipe, place, fabric, photos, log, progress).run(start)


def fill_cache(recipe: Recipe, place: Place, progress: Progress) -> None:
    """Render the photos that the recipe wants cached, and that are not there yet."""
    people = recipe.data.synthpie
    if people is None or not people.cached:
        return
    folder = place.cache / cache_key(people)
    if lacking := missing(people, folder):
        progress.start("render", lacking)
        for _ in render(people, folder, place.workers):
            progress.advance()


def _checkpoint(recipe: Recipe, place: Place) -> Checkpoint | None:
    found = checkpoints.load(place.out)
    if found is None:
        return None
    if not place.resume:
        raise RecordError(
            f"{place.out} stands at step {found.step} of a training; --resume goes on with it, or name another --out"
        )
    ours, theirs = plain(recipe), found.recipe
    changed = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
    if changed:
        raise RecordError(
            f"{place.out} holds a training by another recipe: {', '.join(changed)} differ; name another --out"
        )
    return found


@dataclass(frozen=True)
class _Span:
    """A stage, its number and input size, and its first step and the one after its last."""

    number: int
    stage: Stage
    size: tuple[int, int]
    first: int
    last: int


@dataclass(frozen=True)
class _Training:
    recipe: Recipe
    place: Place
    fabric: Fabric
    photos: Photos
    log: Log
    progress: Progress

    def run(self, start: Checkpoint | None) -> Trained:
        """Go through the stages, from the first one or from where the checkpoint stands."""
        spans, done = self._spans(), start.step if start else 0
        self.progress.start("train", spans[-1].last)
        self.progress.advance(done)
        state = dict(start.learner) if start else None
        held = next((s.size for s in spans if s.first < done <= s.last), spans[0].size)
        for span in spans:
            if done >= span.last and span is not spans[-1]:
                continue
            learner = new_learner(self.recipe, span.size, self.photos.classes, self.recipe.name)
            if state is not None:
                learner.load_state_dict(grown(state, learner.state_dict(), held, span.size))
            gathered = start.optimizer if start and done > span.first else {}
            state, held = self._stage(span, learner, gathered, max(done, span.first)), span.size
            start, done = None, max(done, span.last)
        assert state is not None
        prefix = "network."
        return Trained({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}, held)

    def _spans(self) -> list[_Span]:
        spans, first = [], 0
        end = min(self.recipe.steps, self.place.limit or self.recipe.steps)
        for number, stage in enumerate(self.recipe.stages):
            last = min(first + stage.steps, end)
            if first < last:
                spans.append(_Span(number, stage, self.recipe.size(stage), first, last))
            first += stage.steps
        return spans

    def _stage(
        self, span: _Span, learner: Learner, gathered: Mapping[int, Mapping[str, Tensor]], begin: int
    ) -> dict[str, Tensor]:
        """Do the steps ``begin`` … ``span.last - 1`` and return the learner's weights on the CPU."""
        fabric, recipe = self.fabric, self.recipe
        optimizer = new_optimizer(recipe.optimizer, learner)
        if gathered:
            checkpoints.restore_optimizer(optimizer, gathered)
        module, optimizer = fabric.setup(learner, optimizer)
        seed = [recipe.seed, span.number]
        shares = (fabric.global_rank, fabric.world_size)
        batches = Batches(self.photos, span.stage.batch, span.last - span.first, begin - span.first, seed, *shares)
        watch = _Watch()
        coming = stream(self.photos, batches, self.place.workers)
        for step in range(begin, span.last):
            lr = rate(span.stage, step - span.first)
            for group in optimizer.param_groups:
                group["lr"] = lr
            canvases, labels = (tensor.to(fabric.device) for tensor in next(coming))
            generator = torch.Generator(fabric.device).manual_seed(_mixed(recipe.seed, step, fabric.global_rank))
            images = recipe.augment(canvases, recipe.input.crop, span.size, generator)
            loss, accuracy = module(network_input(images, recipe.input), labels)
            optimizer.zero_grad()
            fabric.backward(loss)
            if recipe.optimizer.clip:
                fabric.clip_gradients(module, optimizer, max_norm=recipe.optimizer.clip, error_if_nonfinite=False)
            optimizer.step()
            watch.saw(len(labels) * fabric.world_size)
            self._tell(span, step + 1, loss, accuracy, lr, watch)
            self._keep(span, step + 1, learner, optimizer)
        return {name: tensor.detach().cpu() for name, tensor in learner.state_dict().items()}

    def _tell(self, span: _Span, step: int, loss: Tensor, accuracy: Tensor, lr: float, watch: _Watch) -> None:
        """Log a step, where it is due, and before a checkpoint."""
        self.progress.advance()
        if not (self._due(span, step, self.recipe.log_every) or self._due(span, step, self.recipe.keep_every)):
            return
        value = float(loss.detach())
        if not math.isfinite(value):
            raise RecordError(f"{self.recipe.name}: the loss is {value} at step {step}; lower stages.lr")
        values = {"stage": span.number + 1, "loss": value, "accuracy": float(accuracy), "lr": lr}
        self.log.row(LOG, step, {**values, "images_per_second": watch.speed()})

    def _keep(self, span: _Span, step: int, learner: Learner, optimizer: Any) -> None:
        """Keep a checkpoint, and validate, where it is due."""
        recipe = self.recipe
        if not self.fabric.is_global_zero:
            return
        if self._due(span, step, recipe.keep_every):
            tensors = checkpoints.optimizer_tensors(optimizer)
            checkpoints.save(Checkpoint(step, plain(recipe), learner.state_dict(), tensors), self.place.out)
        asked = recipe.validation
        if asked.protocol and (step == recipe.steps or (asked.every and step % asked.every == 0)):
            self.log.row(VALIDATION, step, numbers(validate(learner.network, recipe, span.size)))

    def _due(self, span: _Span, step: int, every: int) -> bool:
        return step % every == 0 or step == span.last


class _Watch:
    """Images per second since the last time that one asked."""

    def __init__(self) -> None:
        self._images, self._since = 0, time.perf_counter()

    def saw(self, images: int) -> None:
        self._images += images

    def speed(self) -> float:
        now = time.perf_counter()
        speed = self._images / max(1e-9, now - self._since)
        self._images, self._since = 0, now
        return round(speed, 1)


def _mixed(*numbers: int) -> int:
    """Return one seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
