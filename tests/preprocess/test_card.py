from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from recog_restore import resources
from recog_restore.degrade import bicubic
from recog_restore.errors import RecordError, UnknownName, WeightsError
from recog_restore.networks import NETWORKS
from recog_restore.networks.cards import OriginCard, RestorerCard, RightsCard, Teacher, read_restorer_card
from recog_restore.preprocess.card import CardRestorer
from recog_restore.preprocess.folder import verify
from recog_restore.preprocess.spec import create, names
from recog_restore.testing import check_preprocessor, sample_faces

Build = Callable[..., Path]
JUDGE = Teacher("arcface-x", "ab" * 32)


def test_card_is_read_back_as_it_was_written(restorer: Build) -> None:
    folder = restorer(
        title="a tint",
        task="frontalize",
        blends=False,
        tested_range="yaw to 90°",
        rights=RightsCard("Apache-2.0", "Apache-2.0", "nobody's face"),
        origin=OriginCard(training_sets=("SynthPIE",)),
        teachers=(JUDGE, Teacher("lbp")),
    )
    card = read_restorer_card(folder / "card.toml")
    assert (card.kind, card.task, card.blends, card.size) == ("restorer", "frontalize", False, 128)
    assert card.teachers == (JUDGE, Teacher("lbp"))
    assert card.arguments == {"gain": 2.0}
    assert card.weights.parameters == 3 * 3 * 9 + 3
    assert card.weights.sha256 == hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    assert card.words() == "frontalize, 128×128 RGB, 0..1; taught by arcface-x, lbp"


def test_restorer_keeps_the_contract_and_is_its_network(restorer: Build) -> None:
    folder = restorer()
    made = create(f"card:{folder}")
    check_preprocessor(made)
    faces = sample_faces()
    network = NETWORKS.create("tint", gain=2.0)
    network.load_state_dict(safetensors.torch.load_file(folder / "weights.safetensors"))
    with torch.no_grad():
        torch.testing.assert_close(made(faces).images, network(faces.images))
    assert made.card.name == f"card:{folder}"
    assert made.card.sha256 == read_restorer_card(folder / "card.toml").weights.sha256


def test_gradients_reach_the_face_and_not_the_weights(restorer: Build) -> None:
    made = CardRestorer(restorer())
    images = sample_faces().images.requires_grad_()
    made.restore(images, None).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert all(p.grad is None and not p.requires_grad for p in made._network.parameters())


def test_network_of_another_size_sees_the_face_at_its_own(restorer: Build) -> None:
    made = CardRestorer(restorer(size=64))
    seen: list[torch.Tensor] = []
    made._network.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    faces = sample_faces()
    assert made(faces).images.shape == faces.images.shape
    image = faces.images[0].permute(1, 2, 0).numpy()
    torch.testing.assert_close(seen[0][0].permute(1, 2, 0), torch.from_numpy(bicubic(image, (64, 64))))


def test_strength_blends_unless_the_card_forbids_it(restorer: Build) -> None:
    faces, spec = sample_faces(), f"card:{restorer()}"
    full, half, none = (create(f"{spec},strength={s}")(faces).images for s in (1, 0.5, 0))
    torch.testing.assert_close(half, (full + faces.images) / 2)
    assert torch.equal(none, faces.images)
    rigid = restorer("rigid", blends=False)
    assert torch.equal(create(f"card:{rigid},strength=0")(faces).images, faces.images)
    with pytest.raises(RecordError, match=r"strength is 0.5; rigid takes only 0 \(the input\) or 1 .* double exposure"):
        create(f"card:{rigid},strength=0.5")


def test_every_part_of_the_card_that_changes_the_faces_is_in_the_settings(restorer: Build) -> None:
    cards = [{}, {"arguments": {"gain": 1.0}}, {"size": 64}]
    made = [CardRestorer(restorer(str(number), **card)) for number, card in enumerate(cards)]
    assert len({one.card.sha256 for one in made}) == 1
    assert [made[0].settings() == one.settings() for one in made] == [True, False, False]
    names = {"strength", "network", "arguments", "size", "guide"}
    assert all(set(one.settings()) == names for one in made)


def test_golden_faces_hold_also_for_half_precision_and_not_for_other_weights(restorer: Build) -> None:
    assert verify(restorer()) < 1e-6
    folder = restorer("half", half=True)
    assert verify(folder) < 1e-6
    stored = safetensors.torch.load_file(folder / "weights.safetensors")
    assert stored["mix.weight"].dtype == torch.float16
    golden = safetensors.torch.load_file(folder / "golden.safetensors")
    safetensors.torch.save_file(golden | {"restored": golden["restored"] + 0.1}, folder / "golden.safetensors")
    with pytest.raises(WeightsError, match=r"the restored of golden.safetensors are off by up to 0.1"):
        verify(folder)


def test_other_weights_than_the_cards_are_refused(restorer: Build) -> None:
    folder = restorer()
    other = restorer("other", arguments={"gain": 1.0})
    data = bytearray((other / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="expected SHA-256 .*, as its card says"):
        create(f"card:{folder}")


def test_folder_that_holds_something_is_not_overwritten(restorer: Build) -> None:
    restorer()
    with pytest.raises(RecordError, match="expected a folder that does not exist yet"):
        restorer()


def test_arguments_that_the_network_does_not_take_leave_no_folder(restorer: Build, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="loss"):
        restorer(arguments={"loss": 1})
    assert not (tmp_path / "models").exists()


def test_weights_that_the_package_brings_are_found_by_name_by_their_kind(
    restorer: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restorer(teachers=(JUDGE,))
    monkeypatch.setattr(resources, "folder", lambda kind: tmp_path / "models")
    assert "tiny-tint" in names()
    made = create("tiny-tint,strength=1+clahe+tiny-tint")
    assert made.card.name == "tiny-tint,strength=1+clahe+tiny-tint"
    assert made.card.teachers == (JUDGE,)
    from recog_restore.embed import spec as embedders

    assert "tiny-tint" not in embedders.names()
    with pytest.raises(UnknownName, match="did you mean 'tiny-tint'"):
        create("tiny-tnt")
    with pytest.raises(UnknownName, match="no preprocessor named 'cards'"):
        create("cards:x")


def test_an_embedders_card_is_refused_and_a_restorers_by_embedders(restorer: Build, tmp_path: Path) -> None:
    from recog_restore.embed import spec as embedders

    folder = restorer()
    with pytest.raises(RecordError, match=r"card.toml: a card of kind 'restorer'; --pre takes it, not --embedder"):
        embedders.create(f"card:{folder}")
    (tmp_path / "card.toml").write_text('name = "x"\nnetwork = "mobilefacenet"\n')
    with pytest.raises(RecordError, match=r"card.toml: a card of kind 'embedder'; --embedder takes it, not --pre"):
        create(f"card:{tmp_path}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('tast = "restore"', r"unknown key 'tast'; did you mean 'task'\?"),
        ('task = "beautify"', "task is 'beautify'; expected one of 'restore'"),
        ("size = 0", "size is 0; expected a number from 1 to 16,384"),
        ('kind = "restore"', "kind is 'restore'; expected one of 'restorer'"),
    ],
)
def test_a_wrong_card_says_what_is_right(tmp_path: Path, line: str, message: str) -> None:
    kind = "" if line.startswith("kind") else 'kind = "restorer"\n'
    (tmp_path / "card.toml").write_text(f'name = "x"\nnetwork = "frn"\n{kind}{line}\n')
    with pytest.raises(RecordError, match=message):
        read_restorer_card(tmp_path / "card.toml")


def test_defaults_of_a_card_are_those_of_a_restorer_of_canonical_faces() -> None:
    card = RestorerCard("x", "frn")
    assert (card.task, card.size, card.blends, card.teachers) == ("restore", 128, True, ())
