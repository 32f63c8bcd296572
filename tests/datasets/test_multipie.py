from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from recog_restore.datasets.multipie import MultiPIE, Options
from recog_restore.datasets.opening import open_dataset
from recog_restore.datasets.posed import Selection, choose
from recog_restore.datasets.shots import (
    CAMERA_FLASH,
    EXPRESSION,
    PEOPLE_OF,
    YAW,
    fields_of,
    name_of,
    path_of,
    table_of,
    whole_session,
)
from recog_restore.errors import DataError, RecordError

# Two people come to sessions 1 and 4, one to session 1, one to session 2; of some cameras and illuminations.
ATTENDED = {2: (1, 4), 5: (1, 4), 7: (1,), 11: (2,)}
CAMERAS, LIGHTS = ("05_1", "05_0", "11_0"), ("00", "06", "07")
NAMES = sorted(
    name_of(subject, session, recording, camera, light)
    for subject, sessions in ATTENDED.items()
    for session, recording in EXPRESSION
    if session in sessions
    for camera in CAMERAS
    for light in LIGHTS
)


@pytest.fixture
def tree(tmp_path, put):
    for name in NAMES:
        put(path_of(name))
    put("session01/highres/001/001_01_01.jpg")
    put(path_of("002_01_01_081_07"))
    put("landmarks.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n" + f"{path_of(NAMES[0])},1,2,3,4,5,6,7,8,9,10\n")
    return tmp_path


def chosen(selection, names=NAMES):
    table = table_of(names)
    found = choose(table, selection)
    sample = table["sample"].to_numpy()[found.rows]
    return sample[found.gallery].tolist(), sample[found.probes].tolist()


def slowly(s, names=NAMES):
    """The selection again, one image after another."""
    people = sorted({n[:3] for n in names if int(n[4:6]) in s.sessions})
    part = people[s.train_people :] if s.part == "test" else people[: s.train_people]
    part = part[: s.test_people] if s.part == "test" and s.test_people else part
    gallery, probes = [], []
    for person in part:
        own = [n for n in sorted(names) if n[:3] == person and int(n[4:6]) in s.sessions]
        enrolled = None
        for n in own:
            _, session, recording, camera, light = fields_of(n)
            expression = EXPRESSION[int(session), int(recording)]
            if (camera, light, expression) == ("05_1", s.gallery_illumination, "neutral"):
                enrolled = n
                break
        if enrolled is None:
            continue
        gallery.append(enrolled)
        for n in own:
            _, session, recording, camera, light = fields_of(n)
            if n == enrolled and not s.gallery_among_probes:
                continue
            if EXPRESSION[int(session), int(recording)] not in s.expressions:
                continue
            if not s.min_yaw <= abs(YAW[camera]) <= s.max_yaw:
                continue
            if (session, recording) == ("04", "02") and not s.recording_4_2:
                continue
            if s.probe_illumination not in ("all", light, "camera"):
                continue
            if s.probe_illumination == "camera" and CAMERA_FLASH[camera] != light:
                continue
            probes.append(n)
    return gallery, probes


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"sessions": (1,)},
        {"sessions": (4, 2)},
        {"train_people": 1, "test_people": 2},
        {"train_people": 1, "part": "train"},
        {"train_people": 2, "sessions": (1,)},
        {"gallery_illumination": "06"},
        {"gallery_illumination": "08"},
        {"min_yaw": 15},
        {"max_yaw": 75},
        {"probe_illumination": "07"},
        {"probe_illumination": "camera"},
        {"expressions": ("neutral", "smile", "scream")},
        {"gallery_among_probes": True},
        {"gallery_among_probes": True, "min_yaw": 15},
    ],
    ids=str,
)
def test_selection_equals_a_loop_over_all_images(change):
    assert chosen(Selection(**change)) == slowly(Selection(**change))


def test_the_second_neutral_recording_of_session_4_is_in_or_out():
    with_it, without = (chosen(Selection(recording_4_2=value))[1] for value in (True, False))
    assert {n for n in with_it if n not in without} == {n for n in NAMES if n[4:9] == "04_02"}


def test_first_people_are_counted_among_those_present_in_the_sessions():
    gallery, _ = chosen(Selection(train_people=1, sessions=(2, 4)))
    assert [n[:3] for n in gallery] == ["005", "011"]
    assert gallery[0] == "005_04_01_051_07"


def test_drawn_gallery_and_probes_depend_on_the_seed_and_the_person_alone():
    draw = Selection(gallery_choice="drawn", probes_per_person=5, seed=1)
    gallery, probes = chosen(draw)
    assert (gallery, probes) == chosen(draw)
    assert probes == sorted(probes)
    assert np.unique([n[:3] for n in probes], return_counts=True)[1].tolist() == [5, 5, 5, 5]
    alone = [n for n in NAMES if n[:3] == "005"]
    assert chosen(draw, alone) == ([n for n in gallery if n in alone], [n for n in probes if n in alone])
    assert any(chosen(dataclasses.replace(draw, seed=seed)) != (gallery, probes) for seed in (2, 3))
    assert not set(gallery) & set(probes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sessions": []}, r"sessions is \[\]; expected some of 1, 2, 3, 4"),
        ({"sessions": [5]}, r"sessions is \[5\]; expected some of"),
        ({"max_yaw": 80}, "max_yaw is 80; expected one of 0, 15, 30, 45, 60, 75, 90"),
        ({"gallery_illumination": "20"}, "gallery_illumination is '20'; expected '00' to '19'"),
        ({"gallery_illumination": 7}, "data.options.gallery_illumination is 7; expected str"),
        (
            {"probe_illumination": "frontal"},
            "probe_illumination is 'frontal'; expected 'all', 'camera', or '00'",
        ),
        ({"expressions": ["smiles"]}, r"expressions: no expression 'smiles'; did you mean 'smile'\?"),
        ({"train_people": -1}, "train_people is -1; expected 0 or more"),
        ({"max_yow": 90}, r"data set 'multipie'.*unknown key 'data.options.max_yow'; did you mean 'max_yaw'\?"),
        ({"alignment": "tight"}, "alignment is 'tight'; expected one of 'landmarks'"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_right(tmp_path, options, message):
    with pytest.raises(RecordError, match=message):
        open_dataset("multipie", tmp_path, **options)


def test_the_official_tree_is_read_without_raised_cameras_and_high_resolution(tree):
    dataset = MultiPIE(tree)
    assert dataset.table["sample"].tolist() == NAMES
    row = dataset.table.set_index("sample").loc["005_04_03_110_06"]
    assert row.to_dict() == {
        "subject": "005",
        "session": 4,
        "recording": 3,
        "camera": "11_0",
        "illumination": "06",
        "expression": "scream",
        "yaw": "-90",
        "abs_yaw": 90,
    }
    samples, split = dataset.samples(), dataset.split()
    assert not samples.missing()
    assert samples.landmarks[0].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert np.isnan(samples.landmarks[1:]).all()
    gallery = samples.table["sample"][split.gallery].tolist()
    assert gallery == ["002_01_01_051_07", "005_01_01_051_07", "007_01_01_051_07", "011_02_01_051_07"]
    assert not set(split.gallery) & set(split.probes)
    assert dataset.note == ""


def test_crops_of_any_folder_give_the_same_samples(tree, tmp_path_factory):
    crops = tmp_path_factory.mktemp("crops")
    (crops / "a").mkdir()
    for number, name in enumerate(NAMES):
        (crops / ("a" if number % 2 else "") / f"{name}_crop_128.png").touch()
    flat = MultiPIE(crops, Options(alignment="canonical-128"))
    assert flat.samples().table.equals(MultiPIE(tree).samples().table)
    assert (flat.samples().alignment, flat.samples().landmarks) == ("canonical-128", None)
    assert flat.check()[-1].found == "crops, canonical-128"
    plain = MultiPIE(crops).check()[-1]
    assert not plain.ok
    assert plain.way_out == ("name a detector with --detector, or the crop: --set data.options.alignment=canonical-128")


def findings(root, **options):
    return {finding.what: finding for finding in MultiPIE(root, Options(**options)).check()}


def test_check_counts_people_and_images_against_the_published_numbers(tree):
    found = findings(tree)
    assert (found["people"].expected, found["people"].found) == ("337", "4")
    assert [(found[f"people in session {s}"].expected, found[f"people in session {s}"].found) for s in PEOPLE_OF] == [
        ("250", "3"),
        ("203", "1"),
        ("230", "0"),
        ("239", "2"),
    ]
    images = found["images of the 13 cameras at head height"]
    # 250·2 + 203·3 + 230·3 + 239·3 recordings; Multi-PIE's "over 750,000 images" are those of 15 cameras
    assert (images.expected, images.found) == (f"{2516 * 13 * 20:,}", f"{len(NAMES):,}")
    assert 2516 * 15 * 20 > 750_000
    gaps = found["images of the people and sessions that are there"]
    assert gaps.expected == f"{(3 * 2 + 1 * 3 + 2 * 3) * 13 * 20:,}"
    assert gaps.found.startswith(f"{len(NAMES):,}; {3900 - len(NAMES):,} missing: 002_01_01_110_01, ")
    assert found["images of the raised cameras 08_1 and 19_1"].found == "1"
    assert found["gallery and probes"].ok


def test_a_gap_is_named(tmp_path, put):
    for name in whole_session([1], 1):
        put(path_of(name))
    what = "images of the people and sessions that are there"
    assert findings(tmp_path)[what].ok
    (tmp_path / path_of("001_01_02_190_13")).unlink()
    assert findings(tmp_path)[what].found == "519; 1 missing: 001_01_02_190_13"


def test_extra_files_and_wrong_cameras_are_named_and_left_out(tree, put):
    put("session01/multiview/Thumbs.db")
    put("notes.txt")
    put("session01/multiview/002/01/05_0/002_01_01_140_07.png")  # the name says 14_0
    put("session01/multiview/002/01/06_1/002_01_01_061_07.png")  # no such camera
    put("002_05_01_051_07.png")  # no such session
    put("002_01_01_051_07x.png")
    put(".hidden.png")
    found = findings(tree)
    extra = found["files that are no images of Multi-PIE"]
    assert (extra.ok, extra.found) == (False, "3: 002_01_01_051_07x.png, notes.txt, session01/multiview/Thumbs.db")
    wrong = found["images of an unknown camera, session, recording or illumination, or in a wrong folder"]
    assert not wrong.ok
    assert wrong.found == (
        "3: 002_05_01_051_07.png, session01/multiview/002/01/05_0/002_01_01_140_07.png, "
        "session01/multiview/002/01/06_1/002_01_01_061_07.png"
    )
    dataset = MultiPIE(tree)
    assert dataset.table["sample"].tolist() == NAMES
    assert dataset.note == "files left out for a wrong name or folder: 3"


def test_a_root_inside_the_tree_is_read_too(tree):
    assert set(MultiPIE(tree / "session01").table["session"]) == {1}
    assert set(MultiPIE(tree / "session01" / "multiview").table["session"]) == {1}


def test_a_missing_gallery_image_stops_the_run_unless_the_person_may_be_left_out(tree):
    (tree / path_of("007_01_01_051_07")).unlink()
    what = "test people with a gallery image (camera 05_1, illumination 07)"
    finding = findings(tree)[what]
    assert (finding.ok, finding.expected, finding.found) == (False, "4", "3; 1 without: 007")
    with pytest.raises(
        DataError,
        match=r"1 of 4 people have no gallery image \(camera 05_1, illumination 07, neutral\), '007' for one; "
        r"copy it, or leave them out with --set data.options.skip_without_gallery=true",
    ):
        MultiPIE(tree).samples()
    without = MultiPIE(tree, Options(skip_without_gallery=True))
    assert set(without.samples().table["subject"]) == {"002", "005", "011"}
    assert without.note == "people left out for want of a gallery image: 1"


def test_too_few_people_are_said_wherever_a_number_stands(tree):
    assert MultiPIE(tree, Options(train_people=1, test_people=137)).note == "only 3 of the 137 test people are there"
    with pytest.raises(DataError, match="beyond the first 200, who are training people, found none; .*train_people=0"):
        MultiPIE(tree, Options(train_people=200, test_people=137)).samples()


def test_an_image_that_is_there_twice_is_refused(tree, put):
    put(f"more/{NAMES[0]}_crop_128.png")
    with pytest.raises(DataError, match=rf"expected each image once, but more/{NAMES[0]}.* is {NAMES[0]} too"):
        MultiPIE(tree).samples()


def test_what_is_no_multi_pie_is_refused(tmp_path, put):
    put("a/b.png")
    with pytest.raises(DataError, match="expected images as session01/multiview/.*, or crops .*, found none"):
        MultiPIE(tmp_path).samples()
    with pytest.raises(DataError, match="expected a folder with images as .*, found a file"):
        MultiPIE(tmp_path / "a" / "b.png").samples()
    with pytest.raises(DataError, match="defines no comparisons"):
        MultiPIE(tmp_path).pairs()
