from __future__ import annotations

import pytest

from recog_restore.datasets.mmi import MMI
from recog_restore.errors import DataError


@pytest.fixture
def tree(tmp_path, put):
    for subject in ("S001", "S002", "S003"):
        put(f"{subject}/neutral/a.png")
        put(f"{subject}/neutral/b.png")
        put(f"{subject}/happy/c_yaw-40.png")
        put(f"{subject}/happy/c.png")
    return tmp_path


def test_the_last_people_are_tested_with_one_neutral_image_each(tree):
    dataset = MMI(tree, test_people=2)
    table, split = dataset.samples().table, dataset.split()
    assert table["sample"][split.gallery].tolist() == ["S002/neutral/a.png", "S003/neutral/a.png"]
    assert table["sample"][split.probes].tolist() == ["S002/happy/c_yaw-40.png", "S003/happy/c_yaw-40.png"]
    assert table[["expression", "yaw", "abs_yaw"]].iloc[split.probes[0]].tolist() == ["happy", "-40", 40]
    assert list(table) == ["sample", "subject", "expression", "yaw", "abs_yaw"]


def test_frontal_faces_are_searched_for_when_asked(tree):
    assert len(MMI(tree, test_people=0, only_turned=False).split().probes) == 9


def test_check_shows_the_counts_beside_those_of_the_paper(tree):
    findings = {f.what: (f.expected, f.found) for f in MMI(tree).check()}
    assert findings == {"people": ("16 (VividGAN)", "3"), "probes": ("896 (VividGAN)", "3")}


def test_what_cannot_be_is_refused(tree, put, tmp_path):
    with pytest.raises(DataError, match="test_people is -1; expected 0 or more"):
        MMI(tree, test_people=-1)
    for subject in ("S001", "S002", "S003"):
        (tree / subject / "happy" / "c_yaw-40.png").unlink()
    with pytest.raises(DataError, match=r"expected probes as SUBJECT/EXPRESSION/name_yaw\+40.png, found none"):
        MMI(tree).split()
    put("S004/sad/a_yaw+22.png")
    with pytest.raises(DataError, match=r"S004: expected an image in neutral/ for the gallery, found none"):
        MMI(tree).split()
    put("S004/sadd/a.png")
    with pytest.raises(DataError, match=r"sadd: expected the folder of an expression; did you mean 'sad'"):
        MMI(tree).samples()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="expected images as SUBJECT/EXPRESSION/name.png, found none"):
        MMI(tmp_path / "empty").samples()
