from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from recog_restore.errors import RecordError, UnknownName, WeightsError
from recog_restore.networks import NETWORKS
from recog_restore.networks.weights import build_network, fit, fitting, read_checkpoint


def small() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4))


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def zipped(content: Any, file: Path) -> None:
    torch.save(content, file)


def legacy(content: Any, file: Path) -> None:
    torch.save(content, file, _use_new_zipfile_serialization=False)


def pickled(content: Any, file: Path) -> None:
    file.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("save", [zipped, legacy, pickled])
def test_malicious_pickle_is_refused_and_does_not_run(save: Callable[[Any, Path], None], tmp_path: Path) -> None:
    marker, file = tmp_path / "it-ran", tmp_path / "weights.pth"
    save({"state_dict": {"a": torch.zeros(1)}, "extra": Malicious(marker)}, file)
    with pytest.raises(WeightsError, match=r"weights\.pth: holds objects besides tensors.*nothing was run.*state_dict"):
        read_checkpoint(file)
    assert not marker.exists()


@pytest.mark.parametrize("content", [small(), {"args": argparse.Namespace(lr=1.0), "model": {"a": torch.zeros(1)}}])
def test_harmless_object_besides_tensors_is_refused_as_well(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds objects besides tensors"):
        read_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize("save", [zipped, legacy])
@pytest.mark.parametrize(
    "wrapper", ["params_ema", "params", "g_ema", "state_dict", "state_dict_backbone", "model", None]
)
def test_checkpoint_is_unwrapped(wrapper: str | None, save: Callable[[Any, Path], None], tmp_path: Path) -> None:
    state = small().state_dict()
    save({wrapper: state, "epoch": 3} if wrapper else state, tmp_path / "w.ckpt")
    read = read_checkpoint(tmp_path / "w.ckpt")
    assert list(read) == list(state)
    assert all(torch.equal(read[key], state[key]) for key in state)


def test_averaged_weights_are_preferred(tmp_path: Path) -> None:
    torch.save({"params": {"a": torch.zeros(1)}, "params_ema": {"a": torch.ones(1)}}, tmp_path / "w.pth")
    assert read_checkpoint(tmp_path / "w.pth")["a"] == 1


def test_safetensors_are_read(tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.arange(3)}, tmp_path / "w.safetensors")
    assert read_checkpoint(tmp_path / "w.safetensors")["a"].tolist() == [0, 1, 2]


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize("save", [zipped, legacy])
def test_truncated_checkpoint_is_refused(save: Callable[[Any, Path], None], tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    save(small().state_dict(), file)
    file.write_bytes(truncated(file.read_bytes()))
    with pytest.raises(WeightsError, match=r"w\.pth: not a checkpoint, or damaged"):
        read_checkpoint(file)


@pytest.mark.parametrize("data", [b"", b"hello, this is text\n" * 9, bytes(range(256))])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_file_of_another_kind_is_refused(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WeightsError, match=f"{name}: not a (checkpoint|safetensors file), or damaged"):
        read_checkpoint(tmp_path / name)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"w\.pth: no such file"):
        read_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("content", "found"), [({"epoch": 3}, "a mapping of epoch"), ([1], "list"), ({}, "a mapping of nothing")]
)
def test_checkpoint_without_tensors_is_refused(content: Any, found: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=f"expected tensors by name, found {found}"):
        read_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "module.model.net."])
def test_prefix_is_whatever_makes_the_names_fit(prefix: str) -> None:
    source, target = small().state_dict(), small()
    for value in target.state_dict().values():
        value.zero_()
    others = {"head.weight": torch.ones(1)} if prefix else {}
    fit(target, {prefix + key: value for key, value in source.items()} | others, "here")
    assert all(torch.equal(target.state_dict()[key], source[key]) for key in source)


def test_half_precision_becomes_float32() -> None:
    target = small()
    fit(target, {key: value.half() for key, value in small().state_dict().items()}, "here")
    assert {value.dtype for key, value in target.state_dict().items() if "num" not in key} == {torch.float32}


def test_counts_of_training_steps_may_be_missing() -> None:
    fit(small(), {key: value for key, value in small().state_dict().items() if "num_batches" not in key}, "here")


def changed(change: Callable[[dict[str, Tensor]], object]) -> dict[str, Tensor]:
    state = dict(small().state_dict())
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("2.weight"), r"here: does not fit the network: 1 missing: 2\.weight"),
        (lambda s: s.update(extra=torch.ones(1)), r"1 unexpected: extra"),
        (lambda s: s.update({"2.weight": torch.ones(5)}), r"1 of another shape: 2\.weight \(5,\) instead of \(4,\)"),
        (
            lambda s: [s.pop(k) for k in list(s) if k.startswith("1.")],
            r"4 missing: 1\.bias, 1\.running_mean, .* and 1 more",
        ),
        (lambda s: s["2.weight"].fill_(float("nan")), r"here: 2\.weight holds values that are not finite"),
    ],
)
def test_what_does_not_fit_is_named(change: Callable[[dict[str, Tensor]], object], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        fit(small(), changed(change), "here")


@pytest.mark.parametrize("name", ["iresnet18", "mobilefacenet", "sphereface20"])
def test_network_is_recognized_by_its_names(name: str) -> None:
    with torch.device("meta"):
        state = NETWORKS.create(name).state_dict()
    assert fitting({"module." + key: value for key, value in state.items() if "num_batches" not in key}) == name


def test_nothing_known_fits_foreign_names() -> None:
    assert fitting(small().state_dict()) is None


def test_checkpoint_of_another_network_is_recognized_in_the_message() -> None:
    with torch.device("meta"):
        state, network = NETWORKS.create("iresnet34").state_dict(), NETWORKS.create("iresnet18")
    with pytest.raises(WeightsError, match="unexpected: .* and 141 more; its names are those of iresnet34"):
        fit(network, state, "here")


def test_layer_of_classes_is_passed_over() -> None:
    network = NETWORKS.create("sphereface20")
    fit(network, {**network.state_dict(), "fc6.weight": torch.zeros(512, 10574)}, "here")


def test_unknown_network_and_unsuitable_arguments_are_refused() -> None:
    with pytest.raises(UnknownName, match="no network named 'iresnet51'; did you mean 'iresnet50'"):
        build_network("iresnet51", {}, "here")
    with pytest.raises(RecordError, match="here: network iresnet18 does not take these arguments: .*'depth'"):
        build_network("iresnet18", {"depth": 3}, "here")


def test_archive_that_unpacks_to_far_more_than_its_length_is_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"K\x01" * 1_000_000 + b".")
        archive.writestr("archive/version", b"3\n")
    with pytest.raises(WeightsError, match=r"w\.pth: unpacks to 2,000,005 bytes, more than 10 times its length"):
        read_checkpoint(tmp_path / "w.pth")


def test_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    with pytest.raises(WeightsError, match=r"w\.pth: a Git LFS pointer, .*; fetch that with git lfs pull"):
        read_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize("kind", [torch.int8, torch.bool])
def test_weights_that_are_no_floats_are_refused(kind: torch.dtype) -> None:
    state = changed(lambda s: s.update({"0.weight": s["0.weight"].to(kind)}))
    with pytest.raises(WeightsError, match=rf"here: 0\.weight holds {kind}; expected torch\.float32"):
        fit(small(), state, "here")
