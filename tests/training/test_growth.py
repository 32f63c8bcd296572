from __future__ import annotations

from typing import Any

import pytest
import torch

from recog_restore.errors import WeightsError
from recog_restore.networks import NETWORKS
from recog_restore.training.growth import grown

NETS: list[tuple[str, dict[str, Any], str, tuple[int, int]]] = [
    ("mobilefacenet", {"dim": 16}, "linear7.conv.weight", (112, 112)),
    ("iresnet18", {"dim": 16, "width": 0.125}, "fc.weight", (112, 112)),
    ("sphereface20", {"dim": 16, "width": 0.125}, "fc5.weight", (112, 96)),
]


@pytest.mark.parametrize(("name", "arguments", "last", "size"), NETS)
def test_only_the_last_layer_changes_and_an_even_one_answers_an_even_input_alike(
    name: str, arguments: dict[str, Any], last: str, size: tuple[int, int]
) -> None:
    small, large = (NETWORKS.create(name, **arguments, size=s) for s in ((64, 56), size))
    state = small.state_dict()
    state[last].fill_(0.5)
    new = grown(state, large.state_dict(), (64, 56), size)
    large.load_state_dict(new)
    assert all(torch.equal(new[key], state[key]) for key in state if key != last)
    grids = [-(-h // 16) * -(-w // 16) for h, w in ((64, 56), size)]
    torch.testing.assert_close(new[last] * grids[1], torch.full_like(new[last], 0.5 * grids[0]))


def test_places_keep_their_order() -> None:
    plane = torch.arange(16.0).reshape(1, 1, 4, 4)
    new = grown({"w": plane}, {"w": torch.zeros(1, 1, 7, 7)}, (64, 64), (112, 112))["w"]
    expected = torch.nn.functional.interpolate(plane, (7, 7), mode="bilinear") * 16 / 49
    torch.testing.assert_close(new, expected)
    flat = grown({"w": plane.reshape(1, 16)}, {"w": torch.zeros(1, 49)}, (64, 64), (112, 112))["w"]
    torch.testing.assert_close(flat, new.reshape(1, 49))


def test_weights_of_the_same_size_stay() -> None:
    state = {"w": torch.rand(3, 4)}
    assert torch.equal(grown(state, state, (64, 64), (64, 64))["w"], state["w"])


def test_another_difference_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"w: \(3, 16\) cannot become \(4, 49\) by a larger input"):
        grown({"w": torch.zeros(3, 16)}, {"w": torch.zeros(4, 49)}, (64, 64), (112, 112))
