from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from recog_restore.decode import read_image
from recog_restore.detect import DETECTORS, Detections, main_face
from recog_restore.detect.spec import create
from recog_restore.errors import RecordError, UnknownName, WeightsError


def boxes(*rows: tuple[float, float, float, float]) -> Detections:
    return Detections(np.array(rows).reshape(-1, 4), np.zeros((len(rows), 5, 2)), np.ones(len(rows)))


def test_main_face_is_large_and_central() -> None:
    centre, corner_larger, tiny = (40, 40, 20, 20), (0, 0, 22, 22), (48, 48, 4, 4)
    assert main_face(boxes(corner_larger, centre, tiny), 100, 100) == 1
    assert main_face(boxes((0, 0, 90, 90), centre), 100, 100) == 0
    assert main_face(boxes(), 100, 100) is None


def test_yunet_finds_the_landmarks_of_the_published_table(shared: Path) -> None:
    """Golden: landmarks.csv was made from the same ONNX file by a separate script; it rounds to 0.01 px."""
    detector = create(f"yunet:{shared / 'weights' / 'yunet.onnx'}")
    with (shared / "data" / "lfw" / "landmarks.csv").open() as file:
        rows = list(csv.reader(file))[1:400:20]
    for path, *numbers in rows:
        image = read_image(shared / "data" / "lfw" / "lfw-deepfunneled" / path)
        found = detector.detect(image)
        best = main_face(found, *image.shape[:2])
        assert best is not None
        np.testing.assert_allclose(found.points[best].ravel(), np.array(numbers[:10], float), atol=0.0051)


def test_yunet_finds_nobody_on_a_plain_wall(shared: Path) -> None:
    detector = create(f"yunet:{shared / 'weights' / 'yunet.onnx'}")
    assert len(detector.detect(np.full((200, 300, 3), 128, np.uint8)).scores) == 0


def test_yunet_reduces_large_images_and_scales_back(shared: Path) -> None:
    file = shared / "weights" / "yunet.onnx"
    image = read_image(next((shared / "data" / "lfw" / "lfw-deepfunneled").rglob("*.jpg")))
    whole, reduced = create(f"yunet:{file}").detect(image), create(f"yunet:{file},longest=200").detect(image)
    np.testing.assert_allclose(reduced.points[0], whole.points[0], atol=3)


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


def test_every_registered_detector_is_tested_here() -> None:
    assert set(DETECTORS) == {"yunet", "scrfd"}
