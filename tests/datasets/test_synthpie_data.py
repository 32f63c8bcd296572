from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from recog_restore.datasets import synthpie_tree
from recog_restore.datasets.landmarks import read_landmarks
from recog_restore.datasets.multipie import MultiPIE
from recog_restore.datasets.opening import is_computed, open_dataset
from recog_restore.datasets.shots import FRONTAL, ILLUMINATIONS, LAST_SUBJECT, PEOPLE_OF, YAW, fields_of, path_of
from recog_restore.datasets.synthpie import (
    MARK,
    NOTE,
    Options,
    SynthPIE,
    attendance,
    names,
    shot_of,
    subjects,
    true_landmarks,
)
from recog_restore.datasets.synthpie_tree import Part, write
from recog_restore.decode import read_image
from recog_restore.engine.acquire import digest
from recog_restore.errors import DataError, RecordError
from recog_restore.synthpie import Studio

SETTING2 = {"train_people": 200, "test_people": 137}


def test_sessions_have_the_published_numbers_of_people_and_numbers_follow_the_first_appearance():
    people, there = subjects(), attendance()
    assert len(people) == len(set(people)) == 337
    assert (min(people) >= 1, max(people) <= LAST_SUBJECT) == (True, True)
    assert {session: len(set(come)) for session, come in there.items()} == PEOPLE_OF
    assert set().union(*map(set, there.values())) == set(people)
    first = [min(session for session, come in there.items() if person in come) for person in people]
    assert first == sorted(first)
    assert set(first) == {1, 2, 3, 4}


def test_full_has_every_recording_camera_and_illumination_once():
    full = names("full")
    assert len(full) == len(set(full)) == 2516 * 13 * 20
    assert full == sorted(full)
    assert {fields_of(name)[3] for name in full} == set(YAW)


def test_small_is_a_part_of_full_with_all_people_and_poses_in_two_sessions():
    small = names("small")
    assert small == sorted(small)
    assert set(small) < set(names("full"))
    fields = [fields_of(name) for name in small]
    assert {int(f[0]) for f in fields} == set(subjects())
    assert max(len({f[1] for f in fields if f[0] == f"{person:03d}"}) for person in subjects()) == 2
    shots_of = {}
    for *moment, camera, light in fields:
        shots_of.setdefault((*moment, camera), []).append(light)
    assert {moment[:3] for moment in shots_of} == {moment[:3] for moment in shots_of if moment[3] == "24_0"}
    for moment, lights in shots_of.items():
        assert len(lights) == 1 or (moment[3] == FRONTAL and {"06", "07"} <= set(lights) and len(lights) <= 3)
    drawn = [lights[0] for moment, lights in shots_of.items() if moment[3] != FRONTAL]
    counts = [drawn.count(light) for light in ILLUMINATIONS]
    assert min(counts) > 0.9 * len(drawn) / 20
    assert max(counts) < 1.1 * len(drawn) / 20


def test_setting_2_in_small_suits_two_cores_and_searches_across_sessions():
    dataset = SynthPIE(options=Options(**SETTING2))
    chosen, table = dataset._chosen, dataset.table
    assert len(chosen.gallery) == 137
    assert 3_000 < len(chosen.probes) < 4_500
    session = table["session"].to_numpy()[chosen.rows]
    subject = table["subject"].to_numpy()[chosen.rows]
    enrolled = dict(zip(subject[chosen.gallery], session[chosen.gallery], strict=True))
    assert np.mean([session[p] != enrolled[subject[p]] for p in chosen.probes]) > 0.3
    assert set(table["abs_yaw"].to_numpy()[chosen.rows][chosen.probes]) == {0, 15, 30, 45, 60, 75, 90}
    assert dataset.note == f"SynthPIE (small): {NOTE}"


def test_a_picture_is_rendered_when_it_is_read_and_its_digest_is_the_shots():
    frontal, profile = shot_of("003_01_02_051_07"), shot_of("003_01_02_240_13")
    assert (frontal.shot.subject, frontal.shot.session, frontal.shot.expression) == (3, 1, "smile")
    assert (profile.shot.yaw, profile.shot.light) == (90.0, 13)
    image = read_image(profile)
    assert (image.shape, image.dtype) == ((128, 128, 3), np.uint8)
    assert np.array_equal(image, pickle.loads(pickle.dumps(profile)).read())
    assert digest(profile) == digest(shot_of("003_01_02_240_13")) != digest(frontal)
    assert len(digest(frontal)) == 64


def test_landmarks_are_the_renderers_to_a_hundredth_and_the_same_under_every_light():
    shots = [shot_of(name) for name in ("003_01_01_051_07", "003_01_01_050_02", "003_01_01_050_13")]
    points = true_landmarks(shots)
    assert points.shape == (3, 5, 2)
    assert np.array_equal(points[1], points[2])
    assert not np.array_equal(points[0], points[1])
    exact = Studio().photograph(shots[2].shot).truth.landmarks5
    assert np.abs(points[2] - exact).max() <= 0.005 + 1e-9


def test_it_is_computed_and_refuses_a_path():
    assert is_computed("synthpie")
    assert not is_computed("multipie")
    with pytest.raises(DataError, match="the data set 'synthpie' is computed, not read; leave out the path"):
        open_dataset("synthpie", Path("x"))
    with pytest.raises(RecordError, match=r"data.options.size is 'large'; expected one of 'small', 'full'"):
        open_dataset("synthpie", None, size="large")
    assert all(finding.ok for finding in open_dataset("synthpie", None).check())


PART = Part(subjects=(1, 3), sessions=(1,), recordings=(1,), cameras=("05_1", "14_0"))


def test_a_written_tree_is_the_same_data_set(tmp_path):
    chosen = PART.names()
    assert {name[:9] for name in chosen} == {"001_01_01", "003_01_01"}
    told = []
    write(tmp_path / "pie", chosen, 1, told.append)
    assert sum(told) == len(chosen)
    files, memory = MultiPIE(tmp_path / "pie"), SynthPIE()
    samples = files.samples()
    names_ = samples.table["sample"].tolist()
    rows = memory.table.set_index("sample").loc[names_]
    assert samples.table.set_index("sample").equals(rows)
    shots = [shot_of(name) for name in names_]
    assert np.array_equal(samples.landmarks, true_landmarks(shots))
    for file, shot in zip(samples.files, shots, strict=True):
        assert np.array_equal(read_image(file), shot.read())
    assert files.note == f"SynthPIE: {NOTE}"
    assert {finding.what for finding in files.check() if not finding.ok} == {
        "people",
        *(f"people in session {session}" for session in PEOPLE_OF),
        "images of the 13 cameras at head height",
        "images of the people and sessions that are there",
    }


def test_writing_goes_on_where_it_stopped_and_adds_to_what_is_there(tmp_path, monkeypatch):
    out, chosen = tmp_path / "pie", PART.names()
    write(out, chosen, 1)
    first, kept = (out / path_of(name) for name in (chosen[0], chosen[1]))
    before, stamp = first.read_bytes(), kept.stat().st_mtime_ns
    first.unlink()
    more = Part(subjects=(3, 4), sessions=(1,), recordings=(1,), cameras=("05_1",)).names()
    write(out, sorted({*chosen, *more}), 1)
    assert first.read_bytes() == before
    assert kept.stat().st_mtime_ns == stamp
    only = Part(subjects=(6,), sessions=(1,), recordings=(1,), cameras=("05_1",)).names()
    write(out, only, 1)
    everything = sorted({*chosen, *more, *only})
    points = read_landmarks(out / "landmarks.csv", [path_of(name) for name in everything])
    assert np.array_equal(points, true_landmarks([shot_of(name) for name in everything]))
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


def test_a_picture_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recog_restore.files.os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        synthpie_tree._write_png(tmp_path / "a" / "b.png", np.zeros((8, 8, 3), np.uint8))
    assert list((tmp_path / "a").iterdir()) == []


def test_several_processes_write_the_same_files(tmp_path):
    chosen = PART.names()
    write(tmp_path / "one", chosen, 1)
    write(tmp_path / "two", chosen, 2)
    for path in (tmp_path / "one").rglob("*.*"):
        if path.is_file():
            assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes()


def test_a_process_that_dies_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(synthpie_tree, "_render", os._exit)
    with pytest.raises(DataError, match="a process that reads or renders photos died twice"):
        list(synthpie_tree._each([1, 1, 1], 2))  # type: ignore[list-item]


def test_another_version_and_other_files_are_refused(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / MARK).write_text('version = "0"\n')
    with pytest.raises(DataError, match=r"old: written by SynthPIE 0, but this is .*; name another folder"):
        write(tmp_path / "old", PART.names(), 1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").touch()
    with pytest.raises(DataError, match="mine: expected a new folder, or one that SynthPIE has written, found other"):
        write(tmp_path / "mine", PART.names(), 1)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file: pictures cannot be written .*; name another folder"):
        write(tmp_path / "file", PART.names(), 1)


def test_a_part_without_pictures_is_refused():
    with pytest.raises(RecordError, match=r"SynthPIE \(small\) has no picture of subjects \(1,\), cameras \('19_1',\)"):
        Part(subjects=(1,), cameras=("19_1",)).names()
