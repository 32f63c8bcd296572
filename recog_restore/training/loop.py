"""``train``: stages of steps, with Lightning Fabric from one CPU to several GPUs; killed and resumed, it goes on alike.

All randomness comes from (seed, stage, step), never from where a generator happens to stand: there is nothing to save
but weights and the optimizer's tensors.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..engine.progress import Progress
from ..errors import ExtraMissing, RecordError, StoreError
from ..files import locked
from ..records import nearest, plain
from . import average, best
from . import checkpoint as checkpoints
from .checkpoint import Checkpoint
from .course import Course, Learner, learning
from .courses import course_of, open_course
from .data import Batches, stream
from .log import LOG, VALIDATION, Log
from .place import Place
from .plan import Plan, Stage
from .reading import AnyRecipe
from .resume import kept
from .schedule import rate

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def new_fabric(device: str, precision: str) -> Fabric:
    """Return the Fabric for a device: ``auto``, ``cpu``, ``cuda`` (all GPUs), ``cuda:1``, or ``cuda:0,1``.

    Raises:
        ExtraMissing: Lightning Fabric is not installed.
        RecordError: there is no such device.
    """
    try:
        from lightning_fabric import Fabric

        from .precision import Mixed
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
    elif precision == "16-mixed" and kind == "cpu":
        precision = "bf16-mixed"
    plugin = None if precision == "32-true" else Mixed(precision, kind)  # type: ignore[arg-type]
    return Fabric(accelerator=kind, devices=1 if kind == "cpu" else devices, plugins=plugin)


@dataclass(frozen=True)
class Trained:
    """Weights of a learner, on the CPU, and the size of the inputs that they are for."""

    state: Mapping[str, Tensor]
    size: tuple[int, int]

    def part(self, name: str) -> dict[str, Tensor]:
        """Return the weights of one of the learner's modules."""
        return {k.removeprefix(f"{name}."): v for k, v in self.state.items() if k.startswith(f"{name}.")}


def train(recipe: AnyRecipe, place: Place, fabric: Fabric, progress: Progress | None = None) -> Trained:
    """Return the trained weights, the last ones, the best or the mean; checkpoint and logs are in ``place.out``.

    Raises:
        RecordError: the recipe does not suit the data, ``out`` holds another training, or the loss is not finite.
        ResourceMissing, UnknownName, WeightsError: validation, judge or weights to begin with are not to be had.
        DataError, StoreError: photos or checkpoints cannot be read or written, or ``out`` is no folder.
    """
    progress = progress or Progress()
    fabric.launch()
    start = kept(recipe, place)
    if start and place.limit is not None and place.limit < start.step:
        raise RecordError(f"{place.out} stands at step {start.step:,} already; expected --limit-steps of at least that")
    course_of(recipe).check(recipe)
    with ExitStack() as lock:
        if fabric.is_global_zero:
            try:
                lock.enter_context(locked(place.out))
            except OSError as error:
                raise StoreError(
                    f"{place.out}: expected a folder to write to, or nothing yet: {error.strerror}"
                ) from None
            fill_cache(recipe, place, progress)
        fabric.barrier()
        course = open_course(recipe, place, fabric.device)
        if start is not None and start.data not in ("", course.photos.digest):
            raise RecordError(
                f"{place.out} holds a training on other photos: since step {start.step:,} some were added, removed or "
                "changed; put them back, or name another --out"
            )
        for text in course.photos.warnings:
            progress.say(f"warning: {text}")
        with Log(place.out, start.step if start else 0, keep=fabric.is_global_zero) as log:
            return _Training(recipe, place, fabric, course, log, progress).run(start)


def fill_cache(recipe: AnyRecipe, place: Place, progress: Progress) -> None:
    """Render the photos that the recipe wants cached, and that are not there yet."""
    course_of(recipe).fill(recipe, place, progress)


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
    recipe: Plan
    place: Place
    fabric: Fabric
    course: Course
    log: Log
    progress: Progress

    def run(self, start: Checkpoint | None) -> Trained:
        """Go through the stages, from the first one or from where the checkpoint stands."""
        if start is None:
            best.forget(self.place.out)
            average.forget(self.place.out)
        spans, done = self._spans(), start.step if start else 0
        self.progress.start("train", spans[-1].last)
        self.progress.advance(done)
        state = dict(start.learner) if start else None
        held = next((s.size for s in spans if s.first < done <= s.last), spans[0].size)
        for span in spans:
            if done >= span.last and span is not spans[-1]:
                continue
            learner = self.course.learner(span.number, span.size)
            if state is not None:
                learner.load_state_dict(self.course.grown(state, learner.state_dict(), held, span.size))
            elif 0 in self.recipe.average and self.fabric.is_global_zero:
                average.keep(self.place.out, learner.state_dict(), 0)
            gathered = start.optimizer if start and done > span.first else {}
            state, held = self._stage(span, learner, gathered, max(done, span.first)), span.size
            start, done = None, max(done, span.last)
        assert state is not None
        last = Trained(state, held)
        reached = [step for step in self.recipe.average if step <= spans[-1].last]
        if any(reached) and self.fabric.is_global_zero:  # who has kept them
            return self._averaged(average.mean(average.kept(self.place.out, reached)), last.size, spans[-1].number)
        return self._chosen(last) if self.recipe.validation.best else last

    def _averaged(self, state: dict[str, Tensor], size: tuple[int, int], stage: int) -> Trained:
        """Return the mean, and say what validation finds of it."""
        if self.recipe.validation.protocol:
            learner = self.course.learner(stage, size)
            learner.load_state_dict(state)
            if found := self.course.validate(learner.to(self.fabric.device), stage, size):
                self.progress.say(f"mean of the weights: {_said(found, self.recipe.validation.best)}")
        return Trained(state, size)

    def _chosen(self, last: Trained) -> Trained:
        """Return the weights that validation liked best, part by part; the last ones of what it never saw."""
        whole = best.load(self.place.out)
        if whole and whole.number < 0:
            self.progress.say(f"no weights surely gained; kept are those of step {whole.step:,}, {whole.number:+.4f}")
        state, size = (dict(whole.state), whole.size) if whole else (dict(last.state), last.size)
        for part in self.course.apart:
            found = best.load(self.place.out, part) or last
            state |= {name: tensor for name, tensor in found.state.items() if name.startswith(f"{part}.")}
        return Trained(state, size)

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
        optimizer = learning(recipe, learner)
        if gathered:
            checkpoints.restore_optimizer(optimizer, gathered)
        module, optimizer = fabric.setup(learner, optimizer)
        seed = [recipe.seed, span.number]
        shares = (fabric.global_rank, fabric.world_size)
        batches = Batches(
            self.course.photos, span.stage.batch, span.last - span.first, begin - span.first, seed, *shares
        )
        watch = _Watch()
        coming = stream(self.course.photos, batches, self.place.workers)
        for step in range(begin, span.last):
            lr = rate(span.stage, step - span.first)
            for group in optimizer.param_groups:
                group["lr"] = lr * group["pace"]
            generator = torch.Generator(fabric.device).manual_seed(_mixed(recipe.seed, step, fabric.global_rank))
            inputs = self.course.inputs(next(coming), span.number, span.size, generator)
            loss, told = module(*inputs)
            optimizer.zero_grad()
            fabric.backward(loss)
            if recipe.optimizer.clip:
                fabric.clip_gradients(module, optimizer, max_norm=recipe.optimizer.clip, error_if_nonfinite=False)
            optimizer.step()
            watch.saw(len(inputs[0]) * fabric.world_size)
            self._tell(span, step + 1, loss, told, lr, watch)
            self._keep(span, step + 1, learner, optimizer)
        return {name: tensor.detach().cpu() for name, tensor in learner.state_dict().items()}

    def _tell(self, span: _Span, step: int, loss: Tensor, told: Mapping[str, Tensor], lr: float, watch: _Watch) -> None:
        """Log a step, where it is due, and before a checkpoint."""
        self.progress.advance()
        if not (self._due(span, step, self.recipe.log_every) or self._due(span, step, self.recipe.keep_every)):
            return
        value = float(loss.detach())
        if not math.isfinite(value):
            raise RecordError(f"{self.recipe.name}: the loss is {value} at step {step}; lower stages.lr")
        numbers = {name: float(number) for name, number in told.items()}
        had = {name: "" if math.isnan(number) else number for name, number in numbers.items()}
        values = {"stage": span.number + 1, "loss": value, **had}
        self.log.row(LOG, step, {**values, "lr": lr, "images_per_second": watch.speed()})

    def _keep(self, span: _Span, step: int, learner: Learner, optimizer: Any) -> None:
        """Validate, and keep a checkpoint, where it is due.

        The checkpoint comes last: a training that is killed in a validation goes on before it.
        """
        recipe = self.recipe
        if not self.fabric.is_global_zero:
            return
        asked = recipe.validation
        if asked.protocol and (step == recipe.steps or (asked.every and step % asked.every == 0)):
            found = self.course.validate(learner, span.number, span.size)
            if found:
                self.log.row(VALIDATION, step, found)
                self.progress.say(f"validation at step {step:,}: {_said(found, asked.best)}")
            if found and asked.best:
                part, state = self.course.judged(span.number), learner.state_dict()
                best.offer(self.place.out, state, span.size, step, _number(found, asked.best), part)
        if step in recipe.average:
            average.keep(self.place.out, learner.state_dict(), step)
        if self._due(span, step, recipe.keep_every):
            tensors = checkpoints.optimizer_tensors(optimizer)
            checkpoints.save(
                Checkpoint(step, plain(recipe), learner.state_dict(), tensors, self.course.photos.digest),
                self.place.out,
            )
            self.course.show(learner, span.number, span.size, step)

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


def _number(found: Mapping[str, float], name: str) -> float:
    if name not in found:
        raise RecordError(f"validation.best is {name!r}, and validation gives no such number; {nearest(name, found)}")
    return found[name]


def _said(found: Mapping[str, float], best: str) -> str:
    """Return the number that chooses the weights, and of the first metric with and without the restorer."""
    metric = next(iter(found))
    names = [name for name in dict.fromkeys((best, metric, f"none {metric}")) if name in found]
    return ", ".join(f"{name} {found[name]:.4f}" for name in names)


def _mixed(*numbers: int) -> int:
    """Return one seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
