from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recog_restore.degrade import bicubic
from recog_restore.errors import ConventionError, RecordError, UnknownName
from recog_restore.faces import FaceBatch
from recog_restore.preprocess import PREPROCESSORS, Card, Preprocessor
from recog_restore.preprocess.spec import create, public_name
from recog_restore.testing import check_preprocessor, sample_faces

# Each registered name as a user would type it; families with a number.
TYPED = {"none": "none", "bicubic-down{n}": "bicubic-down8", "clahe": "clahe", "gamma": "gamma"}


def test_every_registered_preprocessor_is_listed_here() -> None:
    assert set(PREPROCESSORS) == set(TYPED)


@pytest.mark.parametrize("text", TYPED.values())
def test_contract(text: str) -> None:
    check_preprocessor(create(text))


class Broken(Preprocessor):
    """Fails in the way it is told to."""

    card = Card("broken", "restore", "broken")

    def __init__(self, how: str = "nan", strength: float = 1.0) -> None:
        super().__init__(strength)
        self.how = how

    def restore(self, images: torch.Tensor, landmarks: torch.Tensor | None) -> torch.Tensor:
        if self.how == "shape":
            return images[:, :, ::2, ::2]
        if self.how == "write":
            images.mul_(0.5)
            landmarks.zero_()
            return images
        if self.how == "half":
            return images.to(torch.bfloat16)
        if self.how == "raise" and (images.mean(dim=(1, 2, 3)) > 0.9).any():
            raise RuntimeError("no face\nin it")
        if self.how == "absent":
            raise FileNotFoundError("weights.bin")
        if self.how == "neighbour":
            return images * 0 + images.mean()
        if self.how == "raise":
            return images
        output = images * 3 - 1
        output[1] = torch.nan
        return output


def test_output_is_clamped_and_a_face_with_nan_fails_alone() -> None:
    done = Broken()(sample_faces())
    assert done.status == ("", "broken: output is not finite", "", "")
    assert not done.images[1].any()
    assert done.images.min() >= 0
    assert done.images.max() <= 1


def test_output_of_a_wrong_shape_is_refused() -> None:
    with pytest.raises(
        ConventionError, match=r"'broken': expected a float32 output of shape \(4, 3, 128, 128\), got .*64"
    ):
        Broken("shape")(sample_faces())


def test_contract_check_finds_what_is_broken() -> None:
    with pytest.raises(AssertionError, match="neighbours"):
        check_preprocessor(Broken("neighbour"))


def test_a_preprocessor_that_writes_into_its_input_writes_into_a_copy() -> None:
    faces = sample_faces()
    images, landmarks = faces.images.clone(), faces.landmarks.clone()
    assert torch.equal(Broken("write")(faces).images, images / 2)
    assert torch.equal(faces.images, images)
    assert torch.equal(faces.landmarks, landmarks)


def test_a_face_for_which_it_raises_fails_alone() -> None:
    faces = sample_faces()
    faces.images[2] = 1.0
    done = Broken("raise")(faces)
    assert done.status == ("", "", "broken: RuntimeError: no face", "")
    assert not done.images[2].any()
    with pytest.raises(ConventionError, match="'broken' cannot run: FileNotFoundError: weights.bin"):
        Broken("absent")(faces)


def test_output_of_half_precision_is_taken() -> None:
    faces = sample_faces()
    torch.testing.assert_close(Broken("half")(faces).images, faces.images, atol=0.01, rtol=0)


def test_strength_blends_and_zero_is_the_input_bit_for_bit() -> None:
    faces = sample_faces()
    full, half, none = (create(f"bicubic-down8,strength={s}")(faces).images for s in (1, 0.5, 0))
    torch.testing.assert_close(half, (full + faces.images) / 2)
    assert torch.equal(none, faces.images)
    with pytest.raises(RecordError, match="strength is 2.0; expected a number from 0"):
        create("clahe,strength=2")


def test_bicubic_down_equals_reduction_and_enlargement_one_after_the_other() -> None:
    faces = sample_faces()
    done = create("bicubic-down8")(faces).images[0].permute(1, 2, 0).numpy()
    image = faces.images[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(done, bicubic(bicubic(image, (16, 16)), (128, 128)).clip(0, 1), atol=1e-5)


def test_gamma_brings_the_mean_to_one_half_within_its_limit() -> None:
    images = torch.stack([torch.full((3, 128, 128), level) for level in (0.25, 0.6, 0.001)])
    done = create("gamma")(FaceBatch(images)).images.mean(dim=(1, 2, 3))
    torch.testing.assert_close(done[:2], torch.tensor([0.5, 0.5]))
    torch.testing.assert_close(done[2], torch.tensor(0.001 ** (1 / 3)))


def test_chain_applies_from_left_to_right() -> None:
    faces = sample_faces()
    chain = create("bicubic-down4+clahe,clip=3")
    expected = create("clahe,clip=3")(create("bicubic-down4")(faces)).images
    assert torch.equal(chain(faces).images, expected)
    assert chain.card.name == "bicubic-down4+clahe,clip=3"
    assert chain.settings()["links"][1]["clip"] == 3.0


def test_python_class_is_found_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_pre.py").write_text(
        "from recog_restore.preprocess import Card, Preprocessor\n"
        "class Mine(Preprocessor):\n"
        "    card = Card('mine', 'restore', 'mine')\n"
        "    def restore(self, images, landmarks):\n        return images.flip(3)\n"
        "class Other:\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    check_preprocessor(create("python:mine_pre:Mine,strength=0.3"))
    with pytest.raises(RecordError, match="expected a class derived from recog_restore.preprocess.Preprocessor"):
        create("python:mine_pre:Other")


def test_edited_source_and_retrained_weights_have_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = (
        "import torch\nfrom recog_restore.preprocess import Card, Preprocessor\n"
        "class Edited(Preprocessor):\n"
        "    card = Card('edited', 'restore', 'edited')\n"
        "    def __init__(self, amount=0.1):\n        self.net, self.amount = torch.nn.Linear(2, 2), amount\n"
        "        self.net.weight.data.fill_(WEIGHT)\n"
        "    def restore(self, images, landmarks):\n        return images + self.amount\n"
    )
    keys = set()
    for module, text in (("ed_a", source.replace("WEIGHT", "1")), ("ed_b", source.replace("WEIGHT", "2"))):
        (tmp_path / f"{module}.py").write_text(text)
        made = create(f"python:{module}:Edited,amount=0.3")
        made.net.bias.data.zero_()
        assert made.amount == 0.3
        keys.add(made.card.sha256)
    assert len(keys) == 2
    assert "" not in keys


def test_weights_in_an_object_change_the_key_and_what_cannot_be_read_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holding.py").write_text(
        "import cv2, torch\nfrom types import SimpleNamespace\n"
        "from recog_restore.preprocess import Card, Preprocessor\n"
        "class Wrapped(Preprocessor):\n"
        "    card = Card('wrapped', 'restore', 'a network inside a helper object')\n"
        "    def __init__(self, file: str = 'w.pt'):\n"
        "        super().__init__()\n        self.helper = SimpleNamespace(net=torch.load(file))\n"
        "    def restore(self, images, landmarks):\n        return images\n"
        "class Foreign(Wrapped):\n"
        "    def __init__(self):\n        super().__init__()\n        self.net = cv2.createCLAHE()\n"
        "class Declared(Foreign):\n    card = Card('declared', 'restore', 'x', sha256='ab')\n"
    )
    keys = set()
    for weight in (1.0, 2.0):
        torch.save(torch.full((2,), weight), tmp_path / "w.pt")
        made = create("python:holding:Wrapped")
        assert made.content == made.card.sha256
        assert made.notes == ()
        keys |= {
            made.content,
            create("clahe+python:holding:Wrapped").content,
            create("python:holding:Declared").content,
        }
    assert len(keys) == 4
    foreign = create("clahe+python:holding:Foreign")
    assert foreign.content is None
    assert foreign.card.name == "clahe+wrapped"
    assert foreign.links[1].notes == (
        "nothing identifies the weights in net (cv2.CLAHE), so the embeddings of its faces are "
        "not kept in the store; give its card a sha256 that changes with the weights",
    )
    assert create("clahe").content == ""


def test_a_class_that_lacks_something_says_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lacking.py").write_text(
        "from recog_restore.preprocess import Preprocessor\n"
        "class NoCard(Preprocessor):\n    def restore(self, images, landmarks):\n        return images\n"
        "class NoRestore(Preprocessor):\n    pass\n"
    )
    with pytest.raises(RecordError, match="expected a recog_restore.preprocess.Preprocessor with a card, got NoCard"):
        create("python:lacking:NoCard")
    with pytest.raises(RecordError, match="cannot be made: .*NoRestore.*restore"):
        create("python:lacking:NoRestore")


def test_a_name_before_the_specification_is_the_name_in_its_card() -> None:
    made = create("strong CLAHE=clahe,clip=4+gamma")
    assert (made.card.name, made.card.spec) == ("strong CLAHE", "clahe,clip=4+gamma")
    assert public_name(made) == "strong CLAHE"
    assert public_name(create("clahe,clip=4+gamma")) == "clahe,clip=4+gamma"


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("none=clahe", RecordError, "expected NAME=SPEC with a printable name .* other than 'none', got 'none'"),
        ("=clahe", RecordError, "expected NAME=SPEC .* got ''"),
        (f"{'x' * 61}=clahe", RecordError, "of at most 60 characters"),
        ("bicubic-down", UnknownName, r"no preprocessor named 'bicubic-down'; did you mean 'bicubic-down\{n\}'\?"),
        ("clahee", UnknownName, r"did you mean 'clahe'\?"),
        ("clahe,clipp=3", RecordError, r"unknown option 'clipp'; did you mean 'clip'\?"),
        ("clahe,clip=x", RecordError, "clip is 'x'; expected a number"),
        ("clahe,clip=0", RecordError, "expected clip > 0"),
        ("gamma,limit=0.5", RecordError, "expected limit >= 1"),
        ("clahe:3", RecordError, "clahe takes options after a comma"),
        ("python:nothing_here:X", RecordError, "nothing_here"),
    ],
)
def test_a_wrong_text_says_what_is_right(text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        create(text)
