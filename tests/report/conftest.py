"""Results of simulated runs: scores like those of LFW, and names that try to break out of every format."""

from __future__ import annotations

import base64
import dataclasses
import functools
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recog_restore.results import (
    NO_DIFFERENCE,
    Confusion,
    Curve,
    Difference,
    Example,
    ExampleFace,
    Failure,
    Flip,
    Harm,
    Histogram,
    Raised,
    Result,
    Threshold,
    Value,
)

from .browser import Browser

NASTY = (
    "<script>alert(1)</script>.jpg",
    "</script><img src=x onerror=alert(1)>",
    "\"quoted\" 'twice' `and` \\back.png",
    "<!--comment-->]]>&amp;&lt;.jpg",
    "😀 שלום \u202egnp.exe",
    "=cmd|' /C calc'!A0,\nnext_line%$#{}~^",
    "lone \udc80 surrogate, nul \x00 and bell \x07",
    "https://example.org/steal?javascript:alert(1)",
    "{{ 7 * 7 }} {% raw %} %{x} ${y} <b>bold</b>",
)

Floats = NDArray[np.float64]


@functools.cache
def face(seed: int, blocks: int = 16) -> str:
    """A drawn face of 128×128 as a data address; fewer blocks make it coarser."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:128, 0:128].astype(float)
    image = np.ones((128, 128, 3)) * rng.uniform(40, 200, 3)
    skin, dark = rng.uniform((170, 120, 90), (235, 190, 160)), rng.uniform(20, 80, 3)
    image[((x - 64) / 42) ** 2 + ((y - 66) / 54) ** 2 < 1] = skin
    image[((x - 64) / 44) ** 2 + ((y - 30) / 28) ** 2 < 1] = dark
    for centre in (46, 82):
        image[((x - centre) / 8) ** 2 + ((y - 58) / 4) ** 2 < 1] = 245
        image[(x - centre) ** 2 + (y - 58) ** 2 < 12] = dark
    image[((x - 64) / 16) ** 2 + ((y - 96) / 4) ** 2 < 1] = (170, 60, 60)
    step = 128 // blocks
    image = image.reshape(blocks, step, blocks, step, 3).mean((1, 3)).repeat(step, 0).repeat(step, 1)
    rows = b"".join(b"\0" + row.tobytes() for row in image.clip(0, 255).astype(np.uint8))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 128, 128, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def rates(mated: Floats, non_mated: Floats, threshold: float) -> tuple[float, float]:
    """FMR and FNMR at a threshold."""
    return float((non_mated >= threshold).mean()), float((mated < threshold).mean())


def verification(
    losses: dict[str, float] | None = None,
    *,
    seed: int = 0,
    embedder: str = "mobilefacenet-arcface-ms1m-112",
    protocol: str = "lfw@1",
    partial: str = "",
    names: tuple[str, ...] = ("Aaron_Peirsol_0001.jpg", "Zoran_Djindjic_0004.jpg"),
    examples: int = 4,
    failures: int = 3,
    breakdown: bool = True,
    warnings: tuple[str, ...] = (),
    interval: bool = False,
) -> Result:
    """A result as LFW gives it: 3,000 mated and 3,000 non-mated scores; a loss draws the mated ones down."""
    losses = {"bicubic-down8": 0.55, "clahe": -0.02} if losses is None else losses
    rng = np.random.default_rng(seed)
    mated0, non_mated0 = rng.normal(0.66, 0.12, 3000).clip(-1, 1), rng.normal(0.02, 0.075, 3000)
    edges = np.linspace(-1, 1, 101)
    fixed = float(np.quantile(non_mated0, 0.999, method="higher"))
    values, curves, histograms = [], {}, {}
    preprocessors = [
        {"name": "none", "title": "untouched", "task": "none", "settings": {}, "card": {"rights": "Apache-2.0"}}
    ]
    for name, loss in {"none": 0.0, **losses}.items():
        mated = mated0 - loss * (mated0 - 0.25) + rng.normal(0, 0.03 * (name != "none"), 3000)
        non_mated = non_mated0 + max(0, loss) * 0.12
        thresholds = np.unique(np.concatenate([mated, non_mated]))[::-1]
        fmr = 1 - np.searchsorted(np.sort(non_mated), thresholds) / 3000
        fnmr = np.searchsorted(np.sort(mated), thresholds) / 3000
        best = int(np.argmin(fmr + fnmr))
        low, high = (1 - (fmr + fnmr)[best] / 2 - 0.004, 1 - (fmr + fnmr)[best] / 2 + 0.003) if interval else (0, 0)
        values.append(
            Value(
                "accuracy_10fold",
                name,
                float(1 - (fmr + fnmr)[best] / 2),
                6000,
                std=0.0042 + abs(loss) / 50,
                threshold=float(thresholds[best]),
                interval=(float(low), float(high)) if interval else None,
            )
        )
        cross = int(np.argmin(abs(fmr - fnmr)))
        values.append(Value("eer", name, float((fmr + fnmr)[cross] / 2), 6000, threshold=float(thresholds[cross])))
        values.append(Value("auc", name, float(np.searchsorted(np.sort(non_mated), mated).mean() / 3000), 6000))
        for k in range(1, 7):
            place = int(np.searchsorted(fmr, 10.0**-k, side="right")) - 1
            accepts = int((non_mated >= thresholds[place]).sum()) if place >= 0 else 0
            tar = float(1 - fnmr[place]) if k < 6 else None
            values.append(
                Value(f"tar@far=1e-{k}", name, tar, 6000, false_accepts=accepts, threshold=float(thresholds[place]))
            )
        at = rates(mated, non_mated, fixed)
        values.append(Value("fnmr@baseline", name, at[1], 3000, threshold=fixed))
        values.append(Value("fmr@baseline", name, at[0], 3000, threshold=fixed, false_accepts=round(at[0] * 3000)))
        if breakdown:
            for fold in ("1", "2"):
                values.append(Value("accuracy", name, 0.99 - abs(loss) / 10, 600, {"fold": fold}))
            for i, yaw in enumerate(("0", "15", "30", "45 to 90")):
                part = slice(i * 750, (i + 1) * 750)
                where = {"yaw": yaw}
                values.append(
                    Value("fnmr@baseline", name, rates(mated[part], non_mated, fixed)[1], 750, where, threshold=fixed)
                )
                values.append(
                    Value(
                        "auc", name, float(np.searchsorted(np.sort(non_mated), mated[part]).mean() / 3000), 3750, where
                    )
                )
        kept = np.unique(np.linspace(0, len(thresholds) - 1, 1500).astype(int))
        curves[name] = Curve(
            (None, *map(float, thresholds[kept])), (0.0, *map(float, fmr[kept])), (1.0, *map(float, fnmr[kept]))
        )
        histograms[name] = Histogram(
            tuple(map(int, np.histogram(mated, edges)[0])), tuple(map(int, np.histogram(non_mated, edges)[0]))
        )
        if name != "none":
            card = {"name": name, "task": "degrade", "title": name, "deterministic": True, "rights": "Apache-2.0"}
            preprocessors.append(
                {"name": name, "title": name, "task": "degrade", "settings": {"strength": 1.0}, "card": card}
            )
    shown = tuple(
        Example(
            name,
            kind,
            mated=i % 3 > 0,
            score_before=0.61 - 0.05 * i,
            score_after=0.61 - 0.05 * i + change * (1 - i / 10) * (1 if i % 3 else -1),
            faces=tuple(
                ExampleFace(names[(i + k) % len(names)], face(10 * i + k), face(10 * i + k, 8)) for k in range(2)
            ),
        )
        for name in losses
        for kind, change in (("gain", 0.21), ("loss", -0.38))
        for i in range(examples)
    )
    failed = tuple(
        Failure(
            names[i % len(names)],
            "none" if i % 3 else next(iter(losses), "none"),
            "decode" if i % 3 else "preprocess",
            "the file is truncated" if i % 3 else "output is not finite",
        )
        for i in range(failures)
    )
    already = sum(f.preprocessor == "none" for f in failed)
    return Result(
        protocol={
            "id": protocol,
            "title": "Labeled Faces in the Wild, view 2",
            "kind": "verification",
            "failure": "a failed face never matches",
            "settings": {
                "name": "lfw",
                "version": 1,
                "primary": "accuracy",
                "metrics": ["accuracy", "eer"],
                "data": {"dataset": "lfw", "expect": {"comparisons": 6000, "mated": 3000}},
                "compat": [],
            },
        },
        data={
            "dataset": "lfw",
            "root": "data/lfw",
            "fingerprint": "9f2c41d6a0b84e55" * 4,
            "samples": 7701,
            "subjects": 4281,
            "comparisons": 6000,
            "mated": 3000,
            "folds": 10,
            "partial": partial,
        },
        embedder={
            "name": embedder,
            "words": "112×112 RGB, (x − 127.5) / 127.5; no flip; cosine (feature norm dropped)",
            "sha256": "ab" * 32,
            "card": {"network": "onnx", "rights": {"weights": "unknown"}},
        },
        preprocessors=tuple(preprocessors),
        values=tuple(values),
        failed={p["name"]: already + sum(f.preprocessor == p["name"] != "none" for f in failed) for p in preprocessors},
        failures=failed,
        settings={
            "command": ["rr-eval", "--protocol", "lfw", "--data", "my faces/lfw", "--pre", "bicubic-down8"],
            "seed": 0,
            "batch": 64,
            "device": "cpu",
        },
        provenance={"date": "2025-06-01", "commit": "0123abc", "versions": {"torch": "2.13.0", "numpy": "2.4.6"}},
        seconds={"acquire": 41.2, "embed": 130.55, "score": 1.01},
        curves=curves,
        histogram_edges=tuple(map(float, edges)),
        histograms=histograms,
        examples=shown,
        warnings=warnings,
    )


def identification(names: tuple[str, ...] = ("gfrnet",)) -> Result:
    """A result of a closed-set search: ranks and a CMC, no curves, no histograms."""
    ranks = {
        name: tuple(1 - 0.5 * 0.82**k * (1 - 0.2 * i) for k in range(20)) for i, name in enumerate(("none", *names))
    }
    return Result(
        protocol={
            "id": "folder@1",
            "title": "My own faces",
            "kind": "identification",
            "settings": {"primary": "rank1"},
        },
        data={"dataset": "folder", "fingerprint": "c0ffee", "partial": ""},
        embedder={"name": "sphere20a", "words": "112×96 RGB", "sha256": "", "card": {}},
        preprocessors=tuple(
            {"name": name, "title": name, "task": "restore", "settings": {}, "card": {}} for name in ranks
        ),
        values=tuple(Value(f"rank{k}", name, hits[k - 1], 548) for name, hits in ranks.items() for k in (1, 5, 10)),
        failed=dict.fromkeys(ranks, 0),
        failures=(),
        settings={},
        provenance={},
        seconds={},
        cmc=ranks,
    )


def interval(rate: float, n: int) -> tuple[float, float]:
    """About 95 %, by Wilson's formula."""
    centre, half = (rate + 1.92 / n) / (1 + 3.84 / n), 1.96 * (rate * (1 - rate) / n + 0.96 / n**2) ** 0.5
    return max(0.0, centre - half / (1 + 3.84 / n)), min(1.0, centre + half / (1 + 3.84 / n))


YAWS = {"0": 0.995, "15": 0.9862, "30": 0.9841, "45": 0.9713, "60": 0.8592, "75": 0.551, "90": 0.155}
NOTE = "SynthPIE: synthetic faces rendered by this program; not a Multi-PIE number"


def multipie(
    gains: dict[str, float] | None = None,
    *,
    embedder: str = "arcface-synthpie",
    confusions: int = 3,
    note: str = NOTE,
    subjects: tuple[str, ...] = ("217", "301", "188"),
    by: tuple[str, ...] = ("abs_yaw", "yaw", "illumination", "session"),
    search: dict[str, object] | None = None,
    degradation: dict[str, object] | None = None,
) -> Result:
    """A search as the Multi-PIE protocols give it: rates that fall with yaw, intervals, and the worst confusions."""
    gains = {"clahe": -0.006, "mdfr": 0.2} if gains is None else gains
    rng = np.random.default_rng(len(embedder))
    values, hits = [], {}
    for name, gain in {"none": 0.0, **gains}.items():
        rates = {yaw: min(0.9993, rate + gain * (1 - rate) - 0.002 * (name != "none")) for yaw, rate in YAWS.items()}
        counts = {yaw: 137 * (19 if yaw == "0" else 40) for yaw in YAWS}
        counts["90"] -= 3  # of missing files
        right = {yaw: round(rates[yaw] * counts[yaw]) for yaw in YAWS}
        total = sum(counts.values())
        hits[name] = tuple(1 - (1 - sum(right.values()) / total) * 0.93**k for k in range(50))
        for rank in (1, 5, 10):
            rate = round(hits[name][rank - 1] * total) / total
            values.append(Value(f"rank{rank}", name, rate, total, interval=interval(rate, total), method="wilson"))

        def add(rank: int, key: str, parts: dict[str, tuple[int, int]], name: str = name) -> None:
            for part, (k, n) in parts.items():
                values.append(
                    Value(f"rank{rank}", name, k / n, n, {key: part}, interval=interval(k / n, n), method="wilson")
                )
            mean = sum(k / n for k, n in parts.values()) / len(parts)
            values.append(Value(f"rank{rank}_macro", name, mean, len(parts), {"over": key}))

        if "abs_yaw" in by:
            add(1, "abs_yaw", {yaw: (right[yaw], counts[yaw]) for yaw in YAWS})
            add(5, "abs_yaw", {yaw: (min(counts[yaw], round(1.02 * right[yaw])), counts[yaw]) for yaw in YAWS})
        if "yaw" in by:
            signed = [f"{sign}{yaw}" for sign in ("-", "") for yaw in YAWS if yaw != "0"] + ["0"]
            halves = {y: (min(2740, max(0, round(rates[y.strip("-")] * 2740 + 9 * (y > "0")))), 2740) for y in signed}
            add(1, "yaw", dict(sorted(halves.items(), key=lambda part: float(part[0]))))
        if "illumination" in by:
            add(1, "illumination", {f"{i:02d}": (int(2000 * (0.7 + 0.02 * rng.random())), 2000) for i in range(20)})
        if "session" in by:
            add(1, "session", {str(i): (int(9000 * (0.76 - 0.03 * i)), 9000) for i in range(1, 5)})
    found = tuple(
        Confusion(
            preprocessor=name,
            subject=subject,
            impostor_subject=subjects[(i + 1) % len(subjects)],
            rank=7 - i,
            mate_score=0.12 + 0.05 * i,
            impostor_score=0.61 - 0.04 * i,
            probe=ExampleFace(f"{subject}_01_01_240_{i:02d}", face(i), face(i, 8 if name != "none" else 16)),
            mate=ExampleFace(f"{subject}_01_01_051_07", face(i, 32), face(i, 32)),
            impostor=ExampleFace(f"{subjects[i - 1]}_01_01_051_07", face(i + 50), face(i + 50)),
        )
        for name in hits
        for i, subject in enumerate(subjects[:confusions])
    )
    return Result(
        protocol={
            "id": "multipie-setting2@1",
            "title": "Multi-PIE setting 2: four sessions, 137 subjects, frontal gallery, ±90° to 0°",
            "kind": "identification",
            "failure": "a failed face never matches",
            "settings": {"primary": "rank1", "preprocess": "probes", "degradation": degradation},
        },
        data={
            "dataset": "synthpie",
            "root": "",
            "fingerprint": "5e" * 32,
            "partial": "",
            "gallery": 137,
            "probes": total,
            "gallery_subjects": 137,
            "templates": False,
            "note": note,
        },
        embedder={"name": embedder, "words": "112×112 RGB, (x − 127.5) / 127.5", "sha256": "cd" * 32, "card": {}},
        preprocessors=tuple(
            {"name": name, "title": name, "task": "restore", "settings": {}, "card": {}} for name in hits
        ),
        values=tuple(values),
        failed={name: 3 for name in hits},
        failures=tuple(Failure(f"217_01_01_240_{i:02d}.png", "none", "decode", "no such file") for i in range(3)),
        settings={"command": ["rr-eval"], "search": search or {"backend": "exact", "exact": True, "device": "cpu"}},
        provenance={"date": "2025-06-01"},
        seconds={"search": 0.2},
        cmc=hits,
        confusions=found,
    )


def with_statistics(result: Result, faces: bool = True, names: tuple[str, ...] = ("a.jpg", "b.jpg", "c.jpg")) -> Result:
    """The result with what statistics add: differences of half a point or more are significant at ±0.3 points."""
    searches = result.protocol["kind"] == "identification"
    others = [p["name"] for p in result.preprocessors[1:]]
    found = []
    for value in result.values:
        base = result.value(value.metric, "none", **value.where)
        if value.preprocessor == "none" or "fold" in value.where or None in (value.value, base and base.value):
            continue
        change = value.value - base.value
        lower = value.metric in ("eer", "fnmr@baseline", "fmr@baseline")
        sure = abs(change) >= 0.005
        found.append(
            Difference(
                value.metric,
                value.preprocessor,
                "none",
                change,
                value.n,
                value.where,
                interval=(change - 0.003, change + 0.003),
                method="subject bootstrap",
                p=0.0004 if sure else 0.4,
                p_holm=0.0008 if sure else 0.8,
                test="mcnemar mid-p",
                fixed=None if value.metric in ("eer", "auc") else 30,
                broken=None if value.metric in ("eer", "auc") else 12,
                smallest_detectable=0.0042,
                verdict=("better" if (change > 0) != lower else "worse") if sure else NO_DIFFERENCE,
            )
        )
    subjects = ("217", names[0])
    shown = tuple(
        ExampleFace(name, face(i) if faces else "", face(i, 8) if faces else "") for i, name in enumerate(names[:3])
    )
    whole = tuple(d for d in found if d.metric in ("rank1", "fnmr@baseline", "fmr@baseline") and not d.where)
    return dataclasses.replace(
        result,
        differences=tuple(found),
        sides={side: whole for side in ("probe", "gallery")},
        harm=tuple(
            Harm(
                name,
                None if searches else 0.2915,
                30,
                12,
                None if searches else 1,
                None if searches else 3,
                3000,
                (0.02, 0.034),
                (0.26, 0.31),
                (Raised(shown[0], shown[1], 0.1, 0.45), Raised(shown[1], shown[0], -0.05, 0.2)),
            )
            for name in others
        ),
        thresholds=()
        if searches
        else tuple(
            Threshold(
                name,
                fmr,
                0.3 if fmr > 1e-4 else None,
                3000,
                round(fmr * 3000) if fmr > 1e-4 else None,
                (0.28, 0.33) if fmr > 1e-4 else None,
                0.012 if fmr > 1e-4 else None,
                (0.008, 0.017) if fmr > 1e-4 else None,
                "subject bootstrap" if fmr > 1e-4 else "",
            )
            for name in ("none", *others)
            for fmr in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
        ),
        flips=tuple(
            Flip(
                name,
                kind,
                True,
                (0.2, 0.6) if kind == "fixed" else (0.6, 0.2),
                shown,
                (0.4, 0.38),
                ((4, 1) if kind == "fixed" else (1, 4)) if searches else None,
                subjects,
            )
            for name in others
            for kind in ("fixed", "broken")
            if faces
        ),
    )


def nasty() -> Result:
    """A result whose every text is hostile."""
    first = NASTY[0]
    result = verification(
        dict.fromkeys(NASTY, 0.3), names=NASTY, failures=40, warnings=NASTY, partial=first, examples=1
    )
    result.protocol.update({"id": NASTY[1], "title": NASTY[0]})
    result.data.update({"dataset": NASTY[2], "root": NASTY[3], NASTY[4]: NASTY[5]})
    result.embedder.update({"name": NASTY[1], "words": NASTY[0], "card": {key: {key: [key]} for key in NASTY}})
    result.settings["command"] = list(NASTY)
    result.provenance.update({key: key for key in NASTY})
    result.seconds.update(dict.fromkeys(NASTY, 1.0))
    return with_statistics(result, names=NASTY)


@pytest.fixture(scope="session")
def make() -> Callable[..., Result]:
    return verification


@pytest.fixture(scope="session")
def search() -> Callable[..., Result]:
    return identification


@pytest.fixture(scope="session")
def poses() -> Callable[..., Result]:
    return multipie


@pytest.fixture(scope="session")
def judged() -> Callable[..., Result]:
    return with_statistics


@pytest.fixture(scope="session")
def hostile() -> Result:
    return nasty()


@pytest.fixture(scope="session")
def nasty_names() -> tuple[str, ...]:
    return NASTY


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on the PATH: the page cannot be opened (apt-get install chromium)")
    with Browser(program, Path(tmp_path_factory.mktemp("chromium"))) as browser:
        yield browser
