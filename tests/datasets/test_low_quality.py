from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recog_restore.datasets.base import Dataset, Pairs, Samples, TemplatePairs
from recog_restore.datasets.drawn import Drawn
from recog_restore.datasets.low_quality import choose, write_chosen
from recog_restore.datasets.quality import QUALITIES, Sharpness, quality_scores
from recog_restore.datasets.table import Table
from recog_restore.decode import read_image
from recog_restore.errors import DataError, RecordError, UnknownName
from recog_restore.records import read_toml


class Listed(Dataset):
    """Comparisons as given; ``template`` makes them comparisons of templates."""

    def __init__(self, root, subjects, pairs, template=None):
        super().__init__(root)
        columns = {"sample": [f"{n}.png" for n in range(len(subjects))], "subject": list(subjects)}
        if template is not None:
            columns |= {"template": template, "media": template}
        self._samples = Samples(pd.DataFrame(columns), tuple(root / name for name in columns["sample"]))
        first, second, mated = (np.array(column) for column in zip(*pairs, strict=True))
        self._pairs = (first, second, mated.astype(bool), np.zeros(len(mated), np.int64))

    def samples(self):
        return self._samples

    def pairs(self):
        return Pairs(*self._pairs)

    def template_pairs(self):
        return TemplatePairs(*self._pairs)

    def check(self):
        return []


def test_both_images_must_score_less_and_non_mated_ones_are_drawn(tmp_path):
    pairs = [(0, 1, 1), (2, 3, 1), (0, 2, 0), (1, 3, 0), (0, 3, 0), (1, 2, 0)]
    dataset = Listed(tmp_path, "aabb", pairs)
    score = np.array([1.0, 2.0, 3.0, np.nan])
    chosen = choose(dataset, dataset.samples(), score, below=4.0)
    assert (chosen.first[0], chosen.second[0]) == (0, 1)
    assert chosen.mated.tolist() == [True, False]
    assert (chosen.first[1], chosen.second[1]) in {(0, 2), (1, 2)}
    assert chosen.candidates == 3
    both = choose(dataset, dataset.samples(), score, below=4.0, nonmated_per_mated=9)
    assert list(zip(both.first, both.second, strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_an_image_at_the_threshold_is_not_under_it(tmp_path):
    dataset = Listed(tmp_path, "aab", [(0, 1, 1), (0, 2, 0)])
    with pytest.raises(DataError, match="no mated comparison has both images under 2; scores go from 1 to 3"):
        choose(dataset, dataset.samples(), np.array([1.0, 2.0, 3.0]), below=2.0)


def test_the_lowest_image_stands_for_a_template_and_the_first_of_equal_ones(tmp_path):
    # Templates 3, 5 and 9 are the rows 0, 1 and 2 of the sorted ones; images are in another order.
    dataset = Listed(tmp_path, "baaba", [(0, 1, 1), (0, 2, 0)], template=[9, 3, 3, 9, 5])
    chosen = choose(dataset, dataset.samples(), np.array([1.5, np.nan, 2.0, 1.5, 1.0]), below=3.0)
    assert chosen.first.tolist() == [2, 2]
    assert chosen.second.tolist() == [4, 0]


def test_a_list_is_written_as_the_csv_data_set_and_read_again(drawn, tmp_path):
    dataset = Drawn(drawn)
    samples = dataset.samples()
    score = quality_scores("sharpness", samples)
    chosen = choose(dataset, samples, score, below=float(np.median(score)))
    write_chosen(tmp_path / "lq", samples, score, chosen, {"data": "drawn", "below": 1.5})
    found = Table(tmp_path / "lq")
    table, pairs = found.samples().table, found.pairs()
    assert found.samples().missing() == []
    assert (table["quality"] < np.median(score)).all()
    assert pairs.mated.tolist() == chosen.mated.tolist()
    first = [file.resolve() for file in found.samples().files]
    assert [first[row] for row in pairs.first] == [samples.files[row].resolve() for row in chosen.first]
    assert found.samples().landmarks[pairs.second] == pytest.approx(samples.landmarks[chosen.second], abs=1e-3)
    told = read_toml(tmp_path / "lq" / "chosen.toml")
    assert (told["data"], told["below"], told["comparisons"]) == ("drawn", 1.5, len(pairs.mated))
    with pytest.raises(DataError, match="expected a new or an empty folder"):
        write_chosen(tmp_path / "lq", samples, score, chosen, {})


def test_images_that_are_no_files_are_written_too(drawn, tmp_path):
    dataset = Drawn(drawn)
    samples = dataset.samples()
    packed = Samples(samples.table, tuple(file.read_bytes() for file in samples.files), samples.landmarks)
    chosen = choose(dataset, packed, np.zeros(len(packed)), below=1.0)
    write_chosen(tmp_path / "lq", packed, np.zeros(len(packed)), chosen, {})
    found = Table(tmp_path / "lq").samples()
    assert found.table["sample"][0].startswith("images/")
    row = int(np.unique([chosen.first, chosen.second])[0])
    assert np.array_equal(read_image(found.files[0]), read_image(samples.files[row]))


def test_unknown_subjects_are_refused(tmp_path):
    dataset = Listed(tmp_path, ["", "", "b"], [(0, 1, 1), (0, 2, 0)])
    chosen = choose(dataset, dataset.samples(), np.zeros(3), below=1.0)
    with pytest.raises(DataError, match="it is not known who is on which image; the list needs subjects"):
        write_chosen(tmp_path / "lq", dataset.samples(), np.zeros(3), chosen, {})


def test_sharpness_falls_with_blur_and_not_with_size():
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    smooth = np.full((112, 112, 3), 90, np.uint8)
    assert Sharpness()(smooth) == 0
    assert Sharpness()(noise) > 1_000
    large = noise.repeat(2, axis=0).repeat(2, axis=1)
    assert Sharpness()(large) == pytest.approx(Sharpness()(noise))
    assert "sharpness" in QUALITIES


def test_scores_come_from_a_file_or_a_class_and_nan_where_an_image_cannot_be_read(drawn, tmp_path, put, monkeypatch):
    samples = Drawn(drawn).samples().take(np.arange(3))
    names = samples.table["sample"].tolist()
    put("scores.csv", "path,score\n" + "".join(f"{name},{n}\n" for n, name in enumerate(names)) + "other,9\n")
    assert quality_scores(f"scores:{tmp_path / 'scores.csv'}", samples).tolist() == [0, 1, 2]
    put("plugin.py", "class Height:\n    def __init__(self, times: int = 1): self.n = times\n"
        "    def __call__(self, image): return image.shape[0] * self.n\n")  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    assert quality_scores("python:plugin:Height,times=2", samples).tolist() == [320.0] * 3
    broken = Samples(samples.table, (samples.files[0], b"nonsense", tmp_path / "none.jpg"), samples.landmarks)
    told = []
    assert np.isnan(quality_scores("sharpness", broken, told.append)).tolist() == [False, True, True]
    assert told == [1, 1, 1]


def test_a_score_that_is_not_there_is_refused(drawn, tmp_path, put):
    samples = Drawn(drawn).samples().take(np.arange(2))
    with pytest.raises(UnknownName, match="no quality score named 'sharpnes'; did you mean 'sharpness'"):
        quality_scores("sharpnes", samples)
    with pytest.raises(RecordError, match="unknown option 'x'"):
        quality_scores("sharpness,x=1", samples)
    put("scores.csv", f"path,score\n{samples.table['sample'][0]},1\n")
    with pytest.raises(DataError, match="expected a score of each of the 2 samples; .* has none"):
        quality_scores(f"scores:{tmp_path / 'scores.csv'}", samples)
    put("scores.csv", f"path,score\n{samples.table['sample'][0]},good\n")
    with pytest.raises(DataError, match="line 2: column 'score': expected a finite number, found 'good'"):
        quality_scores(f"scores:{tmp_path / 'scores.csv'}", samples)
