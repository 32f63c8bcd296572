from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from recog_restore.decode import read_image
from recog_restore.detect import DETECTORS, Detections, Detector, main_face
from recog_restore.detect.base import distinct
from recog_restore.detect.spec import create
from recog_restore.errors import RecordError, UnknownName, WeightsError
from recog_restore.geometry import ARCFACE_112, face_size


def boxes(*rows: tuple[float, float, float, float]) -> Detections:
    return Detections(np.array(rows).reshape(-1, 4), np.zeros((len(rows), 5, 2)), np.ones(len(rows)))


def test_main_face_is_large_and_central() -> None:
    centre, corner_larger, tiny = (40, 40, 20, 20), (0, 0, 22, 22), (48, 48, 4, 4)
    assert main_face(boxes(corner_larger, centre, tiny), 100, 100) == 1
    assert main_face(boxes((0, 0, 90, 90), centre), 100, 100) == 0
    assert main_face(boxes(), 100, 100) is None


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the mean distance of five points in units of the distance between the eyes of a frontal face."""
    return float(np.hypot(*(found - expected).T).mean() / face_size(expected[None])[0])


@pytest.fixture(scope="module")
def lfw(shared: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return 20 images and their points, found by a separate script with the same network."""
    with (shared / "data" / "lfw" / "landmarks.csv").open() as file:
        rows = list(csv.reader(file))[1:400:20]
    folder = shared / "data" / "lfw" / "lfw-deepfunneled"
    return [(read_image(folder / path), np.array(numbers[:10], float).reshape(5, 2)) for path, *numbers in rows]


@pytest.fixture(scope="module")
def yunet(shared: Path) -> Detector:
    return create(f"yunet:{shared / 'weights' / 'yunet.onnx'}")


def main_points(detector: Detector, image: np.ndarray) -> np.ndarray:
    found = detector.detect(image)
    best = main_face(found, *image.shape[:2])
    assert best is not None
    return found.points[best]


def test_yunet_finds_the_landmarks_of_the_published_table(yunet: Detector, lfw) -> None:
    for image, points in lfw:
        assert distance(main_points(yunet, image), points) < 0.15


def test_yunet_finds_small_faces_of_small_images(yunet: Detector, lfw) -> None:
    for image, points in lfw:
        scale = 28 / 112 * np.hypot(*(ARCFACE_112[1] - ARCFACE_112[0])) / face_size(points[None])[0]
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tight = small[small.shape[0] // 5 : -(small.shape[0] // 5), small.shape[1] // 5 : -(small.shape[1] // 5)]
        corner = (small.shape[1] // 5, small.shape[0] // 5)
        assert distance(main_points(yunet, tight), (points + 0.5) * scale - 0.5 - corner) < 0.3


def test_yunet_finds_a_face_that_fills_a_large_photo_once(yunet: Detector, lfw) -> None:
    image, points = lfw[0]
    left, top = np.round(points.mean(axis=0) - 60).astype(int)
    large = cv2.resize(image[top : top + 120, left : left + 120], (2400, 2400), interpolation=cv2.INTER_CUBIC)
    found = yunet.detect(large)
    assert len(found.scores) == 1
    assert distance(found.points[0], (points - (left, top) + 0.5) * 20 - 0.5) < 0.15


def test_yunet_finds_small_faces_of_a_large_photo(yunet: Detector, lfw) -> None:
    faces = [image[45:205, 45:205] for image, _ in lfw[:12]]
    wall = np.full((1000, 1000, 3), 128, np.uint8)
    for place, face in enumerate(faces):
        top, left = 60 + 230 * (place // 4), 60 + 230 * (place % 4)
        wall[top : top + 60, left : left + 60] = cv2.resize(face, (60, 60), interpolation=cv2.INTER_AREA)
    assert len(yunet.detect(wall).scores) == 12


def test_what_changes_a_landmark_is_in_the_identity(yunet: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    before = yunet.identity()
    assert before["longest"] == 1024
    for name in ("_WHOLE", "_RETRY", "_MARGIN", "_SMALL_FACES"):
        with monkeypatch.context() as patch:
            patch.setattr(f"recog_restore.detect.yunet.{name}", 1)
            assert yunet.identity() != before


def test_of_two_findings_of_one_face_the_surer_is_kept() -> None:
    points = np.arange(40.0).reshape(4, 5, 2)
    first = Detections(np.array([[0, 0, 100, 100], [200, 0, 20, 20]], float), points[:2], np.array([0.9, 0.7]))
    part, same = (10, 10, 30, 30), (201, 1, 20, 20)
    found = distinct([first, Detections(np.array([part, same], float), points[2:], np.array([0.6, 0.8]))])
    np.testing.assert_array_equal(found.points, points[[0, 3]])
    np.testing.assert_array_equal(found.scores, [0.9, 0.8])
    assert len(distinct([boxes(), boxes()]).scores) == 0


def test_yunet_finds_nobody_on_a_plain_wall(yunet: Detector) -> None:
    assert len(yunet.detect(np.full((200, 300, 3), 128, np.uint8)).scores) == 0


@pytest.mark.parametrize("longest", [0, 200])
def test_yunet_reduces_large_images_and_scales_back(shared: Path, lfw, longest: int) -> None:
    image, points = lfw[0]
    detector = create(f"yunet:{shared / 'weights' / 'yunet.onnx'},longest={longest}")
    assert distance(main_points(detector, image), points) < 0.15
    small = cv2.resize(image, (60, 60), interpolation=cv2.INTER_AREA)
    assert distance(main_points(detector, small), (points + 0.5) * 0.24 - 0.5) < 0.2


def scrfd_file(path: Path) -> Path:
    """Write a detector with SCRFD's nine outputs that always finds one face, at stride 32 in row 10, column 8."""
    counts = {8: 12_800, 16: 3_200, 32: 800}
    row = (10 * 20 + 8) * 2
    outputs, constants, nodes = [], [], []
    for kind, width in (("score", 1), ("box", 4), ("points", 10)):
        for stride, count in counts.items():
            value = np.zeros((count, width), np.float32)
            if stride == 32:
                value[row] = {"score": [0.9], "box": [2, 3, 2, 3], "points": [-1, -1, 1, -1, 0, 0, -1, 1, 1, 1]}[kind]
            name = f"{kind}_{stride}"
            constants.append(numpy_helper.from_array(value, f"{name}_value"))
            nodes.append(helper.make_node("Add", [f"{name}_value", "zero"], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [count, width]))
    constants.append(numpy_helper.from_array(np.float32(0), "nothing"))
    head = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["zero"]),
    ]
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 640, 640])
    graph = helper.make_graph(head + nodes, "scrfd", [source], outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def test_scrfd_gives_points_in_pixels_of_the_image(tmp_path: Path) -> None:
    detector = create(f"scrfd:{scrfd_file(tmp_path / 'det.onnx')}")
    found = detector.detect(np.zeros((320, 320, 3), np.uint8))  # insightface doubles it to 640×640
    np.testing.assert_allclose(found.boxes, [[96, 112, 64, 96]], atol=1)
    np.testing.assert_allclose(found.points[0], [[112, 144], [144, 144], [128, 160], [112, 176], [144, 176]], atol=1)
    assert found.scores[0] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("yunett:x", UnknownName, r"no detector named 'yunett'; did you mean 'yunet'\?"),
        ("yunet", RecordError, "expected yunet:FILE"),
        ("yunet:none.onnx", WeightsError, "none.onnx: no such file; yunet:FILE names"),
        ("scrfd:none.onnx", WeightsError, "none.onnx: no such file; scrfd:FILE names"),
        ("yunet:x,scor=1", RecordError, r"unknown option 'scor'; did you mean 'score'\?"),
    ],
)
def test_a_wrong_text_says_what_is_right(text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        create(text)


def test_another_network_is_no_detector(shared: Path) -> None:
    with pytest.raises(WeightsError, match="OpenCV cannot read this as a YuNet"):
        create(f"yunet:{shared / 'weights' / 'pfld-68.onnx'}")


def test_yunet_is_no_scrfd(shared: Path) -> None:
    with pytest.raises(WeightsError, match="not a detector of SCRFD's form: .*; YuNet's is yunet:FILE"):
        create(f"scrfd:{shared / 'weights' / 'yunet.onnx'}")


def test_what_is_no_detector_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="OpenCV cannot read this as a YuNet"):
        create(f"yunet:{tmp_path / 'bad.onnx'}")


@pytest.mark.parametrize("name", ["yunet", "scrfd"])
def test_a_network_that_is_no_regular_file_is_refused_at_once(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(WeightsError, match="fifo: cannot be read: expected a regular file, found a FIFO"):
        create(f"{name}:{tmp_path / 'fifo'}")


def test_every_registered_detector_is_tested_here() -> None:
    assert set(DETECTORS) == {"yunet", "scrfd"}
