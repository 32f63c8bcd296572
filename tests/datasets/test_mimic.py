from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from recog_restore.datasets.base import Samples
from recog_restore.datasets.drawn import Drawn, draw
from recog_restore.datasets.ijb import IJBB, IJBC
from recog_restore.datasets.lfw import LFW
from recog_restore.datasets.mark import MARK, Mark, read_mark, write_mark
from recog_restore.datasets.mimics import MIMICS, write_mimic
from recog_restore.datasets.multipie import MultiPIE
from recog_restore.datasets.opening import open_dataset
from recog_restore.datasets.tinyface import TinyFace
from recog_restore.decode import read_image
from recog_restore.engine.plan import make
from recog_restore.errors import DataError, RecordError, UnknownName
from recog_restore.protocol import load

READERS = {"ijbc": IJBC, "ijbb": IJBB, "tinyface": TinyFace, "lfw": LFW, "multipie": MultiPIE}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Return the samples of 22 drawn people with 4 images each."""
    return Drawn(draw(tmp_path_factory.mktemp("people") / "faces", people=22, images=4)).samples()


@pytest.fixture(scope="module")
def mimics(people, tmp_path_factory):
    """Return the folder of each layout's mimic of 20 of the people; read only."""
    root = tmp_path_factory.mktemp("mimics")
    for layout in MIMICS:
        write_mimic(MIMICS.create(layout, samples=people, people=20, images=4), root / layout, "drawn faces")
    return root


def test_every_layout_has_a_reader(mimics):
    assert sorted(READERS) == list(MIMICS)


@pytest.mark.parametrize("layout", list(MIMICS))
def test_its_reader_finds_what_was_written_and_says_that_it_is_a_mimic(mimics, layout):
    dataset = open_dataset(layout, mimics / layout)
    assert isinstance(dataset, READERS[layout])
    findings = dataset.check()
    assert [finding for finding in findings if not finding.ok] == []
    assert "(as written)" in findings[0].what
    assert dataset.note.startswith("a mimic of ")
    assert ", not a number of it; made of drawn faces" in dataset.note


@pytest.mark.parametrize("layout", list(MIMICS))
def test_every_image_decodes_and_the_points_lie_in_it(mimics, layout):
    samples = open_dataset(layout, mimics / layout).samples()
    assert samples.missing() == []
    for row in range(0, len(samples), 7):
        height, width = read_image(samples.files[row]).shape[:2]
        points = samples.landmarks[row]
        assert (points > -1).all()
        assert (points < (width + 1, height + 1)).all()


@pytest.mark.parametrize("layout", list(MIMICS))
def test_the_protocols_that_run_it_are_there_and_read_its_layout(layout):
    for run in MIMICS.factory(layout)[0].runs:
        name, *changes = [part for part in run.split() if not part.startswith("--")]
        assert load(name, changes).data.dataset == layout


def test_ijbc_has_two_galleries_of_different_people_and_two_probes_of_each(mimics):
    dataset = IJBC(mimics / "ijbc")
    table, galleries = dataset.samples().table, dataset.galleries()
    subject = table["subject"].to_numpy()
    one, other = (set(subject[galleries[name].gallery]) for name in ("G1", "G2"))
    assert (len(one), len(other), len(one & other)) == (10, 10, 0)
    probes = table.iloc[galleries["G1"].probes]
    assert probes.groupby("subject")["template"].nunique().unique().tolist() == [2]
    assert np.diff(np.unique(table["template"])).max() > 1  # numbers have gaps
    assert (table["detected"] == "no").sum() == 1


def test_ijbc_comparisons_are_true_and_cells_of_gallery_and_probes(mimics):
    dataset = IJBC(mimics / "ijbc")
    templates, row = dataset.samples().templates()
    subject = np.empty(len(templates), object)
    subject[row] = dataset.samples().table["subject"].to_numpy()
    pairs = dataset.template_pairs()
    assert ((subject[pairs.first] == subject[pairs.second]) == pairs.mated).all()
    assert pairs.mated.sum() == 40
    probes = set(row[dataset.galleries()["G1"].probes])
    assert set(pairs.second) <= probes
    assert not set(pairs.first) & probes
    assert len(set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))) == len(pairs.mated)


def test_a_template_of_many_frames_is_one_medium_and_a_photograph(people, tmp_path):
    write_mimic(MIMICS.create("ijbc", samples=people, people=4, images=4), tmp_path / "m", "x")
    table = IJBC(tmp_path / "m").samples().table
    media = table.groupby("template")["media"].agg(["size", "nunique"])
    assert sorted(map(tuple, media.to_numpy().tolist())) == [(1, 1)] * 8 + [(2, 2)] * 4


def test_tinyface_has_few_pixels_several_mates_and_the_others_as_distractors(mimics):
    dataset = TinyFace(mimics / "tinyface")
    table, split = dataset.samples().table, dataset.split()
    heights = [read_image(file).shape[0] for file in dataset.samples().files[::5]]
    assert min(heights) >= 16
    assert max(heights) <= 40
    assert (len(split.probes), len(split.gallery)) == (40, 40 + 8)  # the two others' images are distractors
    gallery = table["subject"].iloc[split.gallery]
    assert (gallery == "distractor").sum() == 8
    assert gallery[gallery != "distractor"].value_counts().unique().tolist() == [2]


def test_lfw_has_ten_folds_of_different_people(mimics):
    dataset = LFW(mimics / "lfw")
    pairs, subject = dataset.pairs(), dataset.samples().table["subject"].to_numpy()
    assert ((subject[pairs.first] == subject[pairs.second]) == pairs.mated).all()
    people = [set(subject[pairs.first[pairs.fold == fold]]) for fold in range(10)]
    assert sum(map(len, people)) == len(set.union(*people)) == 20


def test_multipie_takes_the_cameras_in_turn_or_by_yaw(people, tmp_path, mimics):
    table = MultiPIE(mimics / "multipie").table
    assert table.groupby("subject")["camera"].agg(set).tolist() == [{"05_1", "12_0", "09_0", "08_0"}] * 20
    assert set(table["illumination"]) == {"07"}
    turned = people.take(np.arange(len(people)))
    turned.table["yaw"] = [str(angle) for angle in ([0, 44, -88, 10] * 22)]
    write_mimic(MIMICS.create("multipie", samples=turned, people=20, images=4), tmp_path / "m", "x")
    yaw = MultiPIE(tmp_path / "m").table.groupby("subject")["yaw"].agg(lambda v: sorted(map(int, v)))
    assert yaw.tolist() == [[-90, 0, 15, 45]] * 20


def test_a_mimic_is_the_same_for_the_same_seed(people, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_mimic(MIMICS.create("ijbc", samples=people, people=4, images=4, seed=seed), tmp_path / name, "x")
    one, same, other = (
        {file.relative_to(tmp_path / name).as_posix(): file.read_bytes() for file in (tmp_path / name).rglob("*.*")}
        for name in "abc"
    )
    assert one == same
    assert one != other


def test_too_little_is_refused_and_so_is_a_folder_that_holds_something(people, tmp_path):
    with pytest.raises(DataError, match="a mimic of LFW needs at least 20 people with 2 images each, got 3 with 4"):
        MIMICS.create("lfw", samples=people, people=3)
    with pytest.raises(UnknownName, match="no layout to mimic named 'ijbx'; did you mean"):
        MIMICS.create("ijbx", samples=people)
    (tmp_path / "file").write_text("x")
    mimic = MIMICS.create("ijbc", samples=people, people=4, images=4)
    with pytest.raises(DataError, match="expected a new or an empty folder, found other files in it"):
        write_mimic(mimic, tmp_path, "x")
    with pytest.raises(DataError, match="expected a new or an empty folder"):
        write_mimic(mimic, tmp_path / "file", "x")
    with pytest.raises(DataError, match="a mimic cannot be written .*; name another folder"):
        write_mimic(mimic, tmp_path / "file" / "below", "x")


def test_multipie_holds_so_many_images_of_a_person_and_no_more(people, tmp_path):
    table = pd.DataFrame({"sample": [f"{n}" for n in range(162)], "subject": ["a"] * 81 + ["b"] * 81})
    many = Samples(table, people.files[:1] * 162, np.repeat(people.landmarks[:1], 162, axis=0))
    mimic = MIMICS.create("multipie", samples=many, people=2, images=81)
    with pytest.raises(DataError, match="a mimic of Multi-PIE holds at most 80 images of a person, got 81"):
        write_mimic(mimic, tmp_path / "m", "x")


def test_a_mark_is_read_as_it_was_written_and_a_broken_one_is_refused(tmp_path):
    mark = Mark("IJB-C", 'faces "quoted" ÿ', {"images": 3, "mated comparisons": 2})
    assert read_mark(tmp_path) is None
    write_mark(tmp_path, mark)
    assert read_mark(tmp_path) == mark
    assert [f.ok for f in mark.check({"images": 3})] == [True, False]
    (tmp_path / MARK).write_text('layout = "x"\n')
    with pytest.raises(RecordError, match=r"mimic.toml: expected layout, source and \[counts\]"):
        read_mark(tmp_path)


@pytest.mark.parametrize(
    ("layout", "protocol", "file"),
    [
        ("ijbc", "ijbc", "ijbc_template_pair_label.txt"),
        ("ijbc", "ijbc-1n", "ijbc_1N_gallery_G1.csv"),
        ("ijbc", "ijbc-1n", "ijbc_1N_gallery_G2.csv"),
        ("ijbc", "ijbc-1n", "ijbc_1N_probe_mixed.csv"),
        ("tinyface", "tinyface", None),
    ],
)
def test_a_list_that_was_cut_short_is_refused(mimics, tmp_path, layout, protocol, file):
    def plan():
        dataset = open_dataset(load(protocol).data.dataset, tmp_path / layout)
        return make(load(protocol), dataset, limit=None, allow_missing=True)

    shutil.copytree(mimics / layout, tmp_path / layout)
    plan()
    if file is None:
        for distractor in sorted((tmp_path / layout).rglob("Gallery_Distractor/*"))[:3]:
            distractor.unlink()
    else:
        path = tmp_path / layout / "meta" / file
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    with pytest.raises(DataError, match=r"\(as written\): expected .*, found .*; is a list cut short\?"):
        plan()


def test_a_gallery_without_its_header_is_refused(mimics, tmp_path):
    shutil.copytree(mimics / "ijbc", tmp_path / "ijbc")
    path = tmp_path / "ijbc" / "meta" / "ijbc_1N_gallery_G1.csv"
    path.write_text(path.read_text().split("\n", 1)[1])
    with pytest.raises(DataError, match=r"G1.csv: line 1: expected a header, found b'.*; is the first line missing\?"):
        IJBC(tmp_path / "ijbc").galleries()


def test_templates_far_beyond_the_list_take_no_memory(mimics, tmp_path):
    shutil.copytree(mimics / "ijbc", tmp_path / "ijbc")
    path = tmp_path / "ijbc" / "meta" / "ijbc_template_pair_label.txt"
    path.write_text("1 2147483647 1\n" + path.read_text())
    with pytest.raises(DataError, match="comparison 1: template 2147483647 has no image in"):
        IJBC(tmp_path / "ijbc").template_pairs()
