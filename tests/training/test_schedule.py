from __future__ import annotations

import pytest
import torch

from recog_restore.training.plan import Stage
from recog_restore.training.schedule import rate


def test_onecycle_rises_and_falls_as_torchs_does() -> None:
    # torch.optim.lr_scheduler.OneCycleLR ends at 1/(25·final_div_factor) of the highest rate: a thousandth with 40.
    stage = Stage(steps=101, lr=0.2, rise=0.3)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    torchs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.2, total_steps=101, pct_start=0.31, final_div_factor=40, cycle_momentum=False
    )  # it counts 0.31·101 − 1 = 30 steps of rising
    for step in range(101):
        assert rate(stage, step) == pytest.approx(torchs.get_last_lr()[0], rel=0.03), step
        optimizer.step()
        if step < 100:
            torchs.step()


def test_cosine_falls_from_the_highest_to_a_thousandth() -> None:
    stage = Stage(steps=11, lr=1.0, schedule="cosine")
    rates = [rate(stage, step) for step in range(11)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1]) == (pytest.approx(1.0), pytest.approx(1e-3))
    assert rates[5] == pytest.approx((1 + 1e-3) / 2)


def test_step_falls_to_a_tenth_at_each_milestone() -> None:
    stage = Stage(steps=11, lr=1.0, schedule="step", milestones=(0.5, 0.8))
    assert [rate(stage, step) for step in (0, 4, 5, 7, 8, 10)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize("schedule", ["onecycle", "cosine", "step"])
def test_a_stage_of_one_step_has_a_rate(schedule: str) -> None:
    assert rate(Stage(steps=1, schedule=schedule), 0) > 0  # type: ignore[arg-type]
