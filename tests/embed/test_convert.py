from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from recog_restore.embed.card import CardEmbedder
from recog_restore.embed.convert import convert, verify
from recog_restore.errors import RecordError, ResourceMissing, UnknownName, WeightsError
from recog_restore.faces import to_float
from recog_restore.networks import NETWORKS
from recog_restore.networks.cards import read_card
from recog_restore.networks.folder import drawn_faces


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MobileFaceNet with seeded weights, saved as training programs do."""
    torch.manual_seed(0)
    network = NETWORKS.create("mobilefacenet", dim=32, size=(112, 96))
    file = tmp_path_factory.mktemp("checkpoint") / "w.ckpt"
    torch.save({"epoch": 1, "state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, file)
    return file


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    return convert(checkpoint, None, tmp_path / "mine", flip="concat")


def test_folder_holds_card_weights_and_golden_tensors(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {"card.toml", "weights.safetensors", "golden.safetensors"}
    assert [file.name for file in folder.parent.iterdir()] == ["mine"]
    card = read_card(folder / "card.toml")
    assert (card.name, card.network, card.dim, card.flip) == ("mine", "mobilefacenet", 32, "concat")
    assert card.arguments == {"dim": 32, "size": [112, 96]}
    assert card.input.words() == "112×96 RGB, (x − 127.5) / 128"
    assert card.weights.sha256 == hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    assert CardEmbedder(folder).identity() == card.weights.sha256


def test_converted_network_computes_what_the_checkpoint_does(folder: Path, checkpoint: Path) -> None:
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    network = NETWORKS.create("mobilefacenet", dim=32, size=(112, 96)).eval()
    network.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    faces = to_float(drawn_faces())
    with torch.inference_mode():
        expected = network((faces[:, :, :112, 16:112] * 255 - 127.5) / 128)
    torch.testing.assert_close(CardEmbedder(folder, flip="none")(faces), expected, rtol=1e-4, atol=1e-5)


def test_conversion_is_repeatable_byte_for_byte(checkpoint: Path, tmp_path: Path) -> None:
    a, b = (convert(checkpoint, "mobilefacenet", tmp_path / name, name="n") for name in "ab")
    for file in ("card.toml", "weights.safetensors"):
        assert (a / file).read_bytes() == (b / file).read_bytes()


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("iresnet18", "112×112 RGB, (x − 127.5) / 127.5"),
        ("sphereface20", "112×96 BGR, (x − 127.5) / 128"),
        ("mobilefacenet", "112×112 RGB, (x − 127.5) / 128"),
    ],
)
def test_input_is_that_of_the_family(network: str, words: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(NETWORKS.create(network, dim=8).state_dict(), tmp_path / "w.pth")
    folder = convert(tmp_path / "w.pth", None, tmp_path / "out")
    assert read_card(folder / "card.toml").input.words() == words
    assert verify(folder) < 1e-4


def test_options_override_the_family(checkpoint: Path, tmp_path: Path) -> None:
    folder = convert(checkpoint, None, tmp_path / "out", name="x", colour="bgr", mean=0.0, std=255.0)
    assert read_card(folder / "card.toml").input.words() == "112×96 BGR, (x − 0) / 255"


def test_embedder_is_differentiable_and_its_weights_frozen(folder: Path) -> None:
    faces = to_float(drawn_faces()).requires_grad_()
    embedder = CardEmbedder(folder)
    embedder(faces).square().sum().backward()
    assert faces.grad is not None
    assert (faces.grad[:, :, :112, 16:112].abs().amax((1, 2, 3)) > 0).all()
    assert not faces.grad[:, :, 112:].any()
    assert not any(parameter.requires_grad for parameter in embedder._network.parameters())


def test_batch_may_be_split(folder: Path) -> None:
    embedder = CardEmbedder(folder)
    faces = torch.rand(5, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    split = torch.cat([embedder(faces[:2]), embedder(faces[2:])])
    torch.testing.assert_close(embedder(faces), split, rtol=1e-4, atol=1e-4)


def test_nan_stays_with_its_face(folder: Path) -> None:
    faces = torch.rand(3, 3, 128, 128)
    faces[1, 0, 60, 60] = float("nan")
    assert torch.isfinite(CardEmbedder(folder)(faces)).all(1).tolist() == [True, False, True]


def test_published_checkpoint_is_recognized_and_reproduced(shared: Path, tmp_path: Path) -> None:
    file = shared / "weights" / "mobilefacenet-arcface-casia-112x96.ckpt"
    folder = convert(file, None, tmp_path / "casia")
    card = read_card(folder / "card.toml")
    assert (card.network, card.dim, card.weights.parameters) == ("mobilefacenet", 128, 999_552)
    assert card.input.words() == "112×96 RGB, (x − 127.5) / 128"
    assert verify(folder) < 1e-4


@pytest.mark.parametrize("what", ["file", "folder"])
def test_output_that_holds_something_is_refused(what: str, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if what == "folder":
        out.mkdir()
    (out / "note.txt" if what == "folder" else out).write_text("mine", "utf-8")
    with pytest.raises(RecordError, match="out: expected a folder that does not exist yet, or an empty one"):
        convert(checkpoint, None, out)


def test_empty_output_folder_is_filled(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert verify(convert(checkpoint, None, tmp_path / "out")) == 0


def test_nothing_is_left_when_writing_fails(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WeightsError, match="out: cannot be written: .*No space left on device"):
        convert(checkpoint, None, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_checkpoint_of_no_known_network_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(RecordError, match="names of no known network; say which it is"):
        convert(tmp_path / "w.pth", None, tmp_path / "out")


def test_wrong_network_is_named_and_the_right_one_too(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match="does not fit the network: .* missing: .*; its names are those of mobilefacenet"
    ):
        convert(checkpoint, "sphereface20", tmp_path / "out")
    with pytest.raises(UnknownName, match="no network named 'mobilefacenett'"):
        convert(checkpoint, "mobilefacenett", tmp_path / "out")
    with pytest.raises(WeightsError, match=r"linear7.conv.weight \(512, 1, 7, 6\) instead of \(512, 1, 7, 7\)"):
        convert(checkpoint, None, tmp_path / "out", arguments={"dim": 32})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("crop", ["arcface-112", "canonical-128"])
def test_crop_that_the_network_does_not_take_is_refused(crop: str, checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="network mobilefacenet"):
        convert(checkpoint, None, tmp_path / "out", crop=crop)


def tampered(folder: Path, change: Tensor) -> None:
    file = folder / "golden.safetensors"
    stored = safetensors.torch.load(file.read_bytes())
    file.write_bytes(safetensors.torch.save({**stored, "embeddings": stored["embeddings"] + change}))


def test_golden_tensors_that_are_not_met_are_refused(folder: Path) -> None:
    tampered(folder, torch.tensor(1e-6))
    assert verify(folder) == pytest.approx(1e-6, rel=0.5)
    tampered(folder, torch.tensor(0.5))
    with pytest.raises(WeightsError, match=r"golden\.safetensors are off by up to 0\.5; expected them within 0\.001"):
        verify(folder)
    tampered(folder, torch.zeros(3, 2, 32))
    with pytest.raises(WeightsError, match="off by up to inf"):
        verify(folder)


def test_golden_file_of_other_tensors_is_refused(folder: Path) -> None:
    safetensors.torch.save_file({"x": torch.zeros(1)}, folder / "golden.safetensors")
    with pytest.raises(WeightsError, match=r"expected tensors faces and embeddings, found \['x'\]"):
        verify(folder)


def test_weights_that_are_not_the_cards_are_refused(folder: Path) -> None:
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(
        WeightsError, match=r"weights\.safetensors: expected SHA-256 [0-9a-f]{64}, as its card says, got"
    ):
        CardEmbedder(folder)
    file.unlink()
    with pytest.raises(WeightsError, match=r"weights\.safetensors: no such file"):
        CardEmbedder(folder)


def test_number_of_parameters_must_be_the_cards(folder: Path) -> None:
    card = folder / "card.toml"
    parameters = read_card(card).weights.parameters
    card.write_text(card.read_text("utf-8").replace(str(parameters), "7"), "utf-8")
    with pytest.raises(WeightsError, match=f"expected 7 parameters, got {parameters}"):
        CardEmbedder(folder)


def test_folder_without_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceMissing, match=r"card\.toml: no such file"):
        CardEmbedder(tmp_path)


def test_absent_device_is_named(folder: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(RecordError, match="no device 'cuda' here"):
        CardEmbedder(folder, "cuda")


def test_drawn_faces_are_two_different_ones() -> None:
    faces = drawn_faces()
    assert (faces.shape, faces.dtype) == ((2, 128, 128, 3), torch.uint8)
    assert not torch.equal(faces[0], faces[1])
    assert torch.equal(faces, drawn_faces())
