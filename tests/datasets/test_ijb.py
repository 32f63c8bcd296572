from __future__ import annotations

import numpy as np
import pytest

from recog_restore.datasets.ijb import IJBB, IJBC
from recog_restore.errors import DataError

# Template 7 is one medium of many frames; 30 has two media; on 12, a photograph, the detector failed. Subject 3 is in
# neither gallery.
FACES = [("1.jpg", 7, 70), ("2.jpg", 7, 70), ("3.jpg", 7, 70), ("4.jpg", 12, 71), ("5.jpg", 30, 72), ("6.jpg", 30, 73)]
FACES += [("7.jpg", 31, 74), ("8.jpg", 40, 75)]
ROLES = {"G1": [(7, 1)], "G2": [(31, 2)], "probe": [(12, 1), (30, 2), (40, 3)]}
PAIRS = "7 12 1\n7 30 0\n7 40 0\n31 30 1\n31 12 0\n"


@pytest.fixture
def tree(tmp_path, put):
    put("meta/ijbc_face_tid_mid.txt", "".join(f"{name} {template} {media}\n" for name, template, media in FACES))
    points = " ".join(["10.5", "20.25"] * 5)
    put("meta/ijbc_name_5pts_score.txt", "".join(f"{n} {points} {0.1 if t == 12 else 0.99}\n" for n, t, _ in FACES))
    put("meta/ijbc_template_pair_label.txt", PAIRS)
    for role, listed in ROLES.items():
        name = "probe_mixed" if role == "probe" else f"gallery_{role}"
        rows = [f"{t},{s},{n}" for n, template, _ in FACES for t, s in listed if t == template]
        put(f"meta/ijbc_1N_{name}.csv", "\n".join(["TEMPLATE_ID,SUBJECT_ID,FILENAME", *rows]) + "\n")
    for name, *_ in FACES:
        put(f"loose_crop/{name}", "x")
    return tmp_path


def test_samples_have_template_medium_score_and_the_subject_of_their_template(tree):
    samples = IJBC(tree).samples()
    assert samples.table.to_numpy().tolist()[2:5] == [
        ["3.jpg", "1", 7, 70, 0.99, "yes"],
        ["4.jpg", "1", 12, 71, 0.1, "no"],
        ["5.jpg", "2", 30, 72, 0.99, "yes"],
    ]
    assert list(samples.table) == ["sample", "subject", "template", "media", "score", "detected"]
    assert samples.landmarks.shape == (8, 5, 2)
    assert samples.landmarks[0, 4].tolist() == [10.5, 20.25]
    assert samples.files[0] == tree / "loose_crop" / "1.jpg"


def test_comparisons_are_rows_of_the_sorted_templates(tree):
    dataset = IJBC(tree)
    pairs, (templates, _) = dataset.template_pairs(), dataset.samples().templates()
    assert templates.tolist() == [7, 12, 30, 31, 40]
    assert templates[pairs.first].tolist() == [7, 7, 7, 31, 31]
    assert templates[pairs.second].tolist() == [12, 30, 40, 30, 12]
    assert pairs.mated.tolist() == [True, False, False, True, False]
    assert (pairs.first.dtype, pairs.second.dtype, pairs.mated.dtype) == (np.int32, np.int32, np.bool_)
    assert pairs.fold.tolist() == [0] * 5


def test_each_gallery_is_searched_by_all_probes_also_by_those_who_are_in_neither(tree):
    dataset = IJBC(tree)
    names = dataset.samples().table["sample"]
    galleries = dataset.galleries()
    assert list(galleries) == ["G1", "G2"]
    assert names[galleries["G1"].gallery].tolist() == ["1.jpg", "2.jpg", "3.jpg"]
    assert names[galleries["G2"].gallery].tolist() == ["7.jpg"]
    for split in galleries.values():
        assert names[split.probes].tolist() == ["4.jpg", "5.jpg", "6.jpg", "8.jpg"]
    assert names[dataset.split().gallery].tolist() == ["1.jpg", "2.jpg", "3.jpg", "7.jpg"]


def test_the_folder_above_serves_as_well_and_ijbb_has_its_own_names(tree, tmp_path):
    above = tmp_path / "above"
    above.mkdir()
    (tree / "meta").rename(tmp_path / "kept")
    (above / "IJBC").mkdir()
    (tmp_path / "kept").rename(above / "IJBC" / "meta")
    assert len(IJBC(above).samples()) == 8
    for file in (above / "IJBC" / "meta").iterdir():
        file.rename(file.with_name(file.name.replace("ijbc", "ijbb").replace("G1", "S1").replace("G2", "S2")))
    (above / "IJBC").rename(above / "IJBB")
    assert list(IJBB(above).galleries()) == ["S1", "S2"]
    findings = {finding.what: (finding.ok, finding.expected, finding.found) for finding in IJBB(above).check()}
    assert findings["templates in both galleries"] == (False, "1,845", "2")
    assert findings["probes with a mate in S1, and without"] == (False, "5,016 and 5,254", "1 and 2")
    assert findings["probes with a mate in S2, and without"] == (False, "5,254 and 5,016", "1 and 2")


def test_without_the_csv_files_comparisons_run_and_subjects_are_unknown(tree):
    for file in (tree / "meta").glob("*.csv"):
        file.unlink()
    dataset = IJBC(tree)
    assert set(dataset.samples().table["subject"]) == {""}
    assert len(dataset.template_pairs().mated) == 5
    with pytest.raises(
        DataError, match="ijbc_1N_gallery_G1.csv: no such file; 1:N needs both galleries and the probes"
    ):
        dataset.galleries()
    findings = {finding.what: finding for finding in dataset.check()}
    assert not findings["galleries and probes, for 1:N and subjects"].ok


def test_check_compares_with_the_published_counts_and_names_failed_and_missing_images(tree):
    (tree / "loose_crop" / "5.jpg").unlink()
    findings = {finding.what: (finding.ok, finding.expected, finding.found) for finding in IJBC(tree).check()}
    assert findings["images"] == (False, "469,375", "8")
    assert findings["templates"] == (False, "23,124", "5")
    assert findings["comparisons"] == (False, "15,658,489", "5")
    assert findings["mated comparisons"] == (False, "19,557", "2")
    assert findings["templates in gallery G1"] == (False, "1,772", "1")
    assert findings["templates in gallery G2"] == (False, "1,759", "1")
    assert findings["probe templates"] == (False, "19,593", "3")
    assert findings["probes with a mate in G1, and without"] == (True, "-", "1 and 2")
    assert findings["subjects in both galleries"] == (True, "0", "0")
    assert findings["comparisons of a gallery template with a probe"][2] == "5"
    assert findings["images on which the release's detector failed"][2] == "1"
    assert findings["images on disk"] == (False, "8", "7; 1 missing: 5.jpg")


def test_the_published_counts_add_up():
    counts = IJBC.counts
    both = counts["templates in gallery G1"] + counts["templates in gallery G2"]
    assert both == counts["templates in both galleries"]
    assert both + counts["probe templates"] == counts["templates"]
    assert IJBB.counts["templates in both galleries"] + IJBB.counts["probe templates"] == IJBB.counts["templates"]
    assert sum(IJBB.mated_probes.values()) == IJBB.counts["probe templates"]


def test_other_points_are_named_wherever_a_number_stands(tree, put):
    put("meta/ijbc_name_5pts_score_retina.txt", (tree / "meta/ijbc_name_5pts_score.txt").read_text())
    assert IJBC(tree).note == ""
    assert IJBC(tree, points="name_5pts_score_retina").note == "points and scores of ijbc_name_5pts_score_retina.txt"
    with pytest.raises(DataError, match="ijbc_other.txt: no such file"):
        IJBC(tree, points="other").samples()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "face_tid_mid.txt",
            "1.jpg 7\n",
            r"line 1: expected 3 fields \(name template media\); found 2 fields: '1.jpg 7'",
        ),
        ("name_5pts_score.txt", "1.jpg 0 0 0 0 0 0 0 0 0 0 1\n", "expected a line for each of the 8 images .* found 1"),
        (
            "template_pair_label.txt",
            "7 12 1\n7 99 0\n",
            "comparison 2: template 99 has no image in ijbc_face_tid_mid.txt",
        ),
        ("template_pair_label.txt", "8 12 1\n", "comparison 1: template 8 has no image"),
        (
            "template_pair_label.txt",
            "7 12 2\n",
            "comparison 1: expected two templates and the label 1 or 0, found '7 12 2'",
        ),
        ("template_pair_label.txt", "7 -1 0\n", "comparison 1: expected two templates .* found '7 -1 0'"),
        ("1N_gallery_G1.csv", "T,S\n7,1\n7,2\n", "template 7 has images of several subjects"),
        ("1N_gallery_G1.csv", "T,S\n99,1\n", "template 99 has no image in the list of images"),
        ("1N_gallery_G1.csv", "T,S\n7,x\n", "expected a header and template,subject in the first columns"),
    ],
)
def test_a_bad_list_is_refused_with_file_and_place(tree, put, file, text, message):
    put(f"meta/ijbc_{file}", text)
    dataset = IJBC(tree)
    with pytest.raises(DataError, match=rf"ijbc_{file}: {message}"):
        dataset.samples(), dataset.template_pairs()


def test_lists_in_another_order_are_refused(tree, put):
    lines = (tree / "meta/ijbc_name_5pts_score.txt").read_text().splitlines()
    put("meta/ijbc_name_5pts_score.txt", "\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]) + "\n")
    with pytest.raises(DataError, match=r"line 3: expected '3.jpg', as in ijbc_face_tid_mid.txt, found '4.jpg'"):
        IJBC(tree).samples()
    (tree / "meta/ijbc_template_pair_label.txt").unlink()
    with pytest.raises(DataError, match="template_pair_label.txt: no such file"):
        IJBC(tree).template_pairs()
    with pytest.raises(DataError, match="defines no comparisons"):
        IJBC(tree).pairs()
