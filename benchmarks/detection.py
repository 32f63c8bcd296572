"""Faces that YuNet misses, and wrong ones, against one plain look at each image, in the same run.

    python benchmarks/detection.py yunet.onnx --set lfw lfw-deepfunneled landmarks.csv --every 4 --out detection.json

The plain look is OpenCV's detector on the image as it is, reduced to 1,024 pixels. A face is wrong where its five
points lie further from the table's, on average, than 0.35 of the distance between the eyes of a frontal face of that
size. The table should come from another program, or from looks at several scales. Each image is tried as it is,
reduced until its face has 28 pixels (the side of its 112×112 crop), and, one in eight, as a crop of the face alone of
2,000 pixels. The median distance and the milliseconds stand beside.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from recog_restore.decode import read_image
from recog_restore.detect import Detections, main_face
from recog_restore.detect.yunet import YuNet
from recog_restore.geometry import face_size

WRONG, LONGEST = 0.35, 1024
CROP = 112 / 35.2  # sides of the 112×112 crop per distance between the eyes
Image = NDArray[np.uint8]
Face = tuple[Image, NDArray[np.float64]]


def resized(image: Image, points: NDArray[np.float64], scale: float) -> Face:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=method), (points + 0.5) * scale - 0.5


def as_it_is(image: Image, points: NDArray[np.float64]) -> Face:
    return image, points


def small(image: Image, points: NDArray[np.float64]) -> Face | None:
    scale = 28 / (CROP * face_size(points[None])[0])
    return resized(image, points, scale) if scale < 1 and min(image.shape[:2]) * scale >= 8 else None


def close_up(image: Image, points: NDArray[np.float64]) -> Face | None:
    half, centre = 0.5 * CROP * face_size(points[None])[0], points.mean(axis=0)
    left, top = np.maximum(0, np.round(centre - half)).astype(int)
    right, bottom = np.round(centre + half).astype(int) + 1
    crop = image[top:bottom, left:right]
    return resized(crop, points - (left, top), 2000 / max(crop.shape)) if min(crop.shape[:2]) >= 8 else None


def plain(file: Path) -> Callable[[Image], Detections]:
    net = cv2.FaceDetectorYN.create(str(file), "", (320, 320), 0.6, 0.3)

    def look(image: Image) -> Detections:
        scale = min(1.0, LONGEST / max(image.shape[:2]))
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if scale < 1:
            bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        net.setInputSize(bgr.shape[1::-1])
        _, rows = net.detect(bgr)
        rows = np.zeros((0, 15)) if rows is None else rows.astype(np.float64)
        return Detections(rows[:, :4] / scale, rows[:, 4:14].reshape(-1, 5, 2) / scale, rows[:, 14])

    return look


def measured(faces: list[Face], look: Callable[[Image], Detections]) -> dict[str, float]:
    distances, missed, began = [], 0, time.perf_counter()
    for image, points in faces:
        found = look(image)
        row = main_face(found, *image.shape[:2])
        if row is None:
            missed += 1
        else:
            distances.append(np.hypot(*(found.points[row] - points).T).mean() / face_size(points[None])[0])
    return {
        "images": len(faces),
        "missed": missed,
        "wrong": int(np.sum(np.array(distances) > WRONG)),
        "median_distance": round(float(np.median(distances)), 4),
        "milliseconds": round(1000 * (time.perf_counter() - began) / len(faces), 1),
    }


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--set", "sets", type=(str, click.Path(path_type=Path), click.Path(path_type=Path)), multiple=True)
@click.option("--every", default=1, show_default=True, help="Take each such image of a table.")
@click.option("--out", type=click.Path(path_type=Path))
def main(file: Path, sets: tuple[tuple[str, Path, Path], ...], every: int, out: Path | None) -> None:
    cv2.setNumThreads(1)
    parties = {"plain": plain(file), "yunet": YuNet(file).detect}
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for name, folder, table in sets:
        with table.open(newline="") as opened:
            rows = list(csv.reader(opened))[1::every]
        for kind, make, step in (("as it is", as_it_is, 1), ("28 px", small, 1), ("close-up", close_up, 8)):
            taken = [(read_image(folder / row[0]), np.array(row[1:11], float).reshape(5, 2)) for row in rows[::step]]
            faces = [face for image, points in taken if (face := make(image, points)) is not None]
            for party, look in parties.items():
                numbers = found.setdefault(name, {}).setdefault(kind, {})[party] = measured(faces, look)
                click.echo(f"{name}, {kind}, {party}: {numbers}")
    if out is not None:
        machine = {"cpu_count": os.cpu_count(), "platform": platform.platform(), "opencv": cv2.__version__}
        out.write_text(json.dumps({"settings": {"every": every}, "machine": machine, "sets": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
