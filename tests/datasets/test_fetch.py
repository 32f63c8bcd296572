from __future__ import annotations

import urllib.error
import urllib.request

import pytest
import sklearn.datasets
import sklearn.datasets._base

from recog_restore.datasets import fetch
from recog_restore.datasets.fetch import fetch_lfw
from recog_restore.errors import DownloadError


@pytest.fixture
def small(monkeypatch):
    """Make a set of two images the whole one."""
    monkeypatch.setattr(fetch, "_IMAGES", 2)


def _cache(put) -> None:
    put("lfw_home/pairs.txt", "10\t300\n")
    put("lfw_home/lfw_funneled/Ann/Ann_0001.jpg")
    put("lfw_home/lfw_funneled/Bob/Bob_0001.jpg")


def test_the_cache_is_enough_without_a_network(tmp_path, put, small, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("the downloader was called")

    _cache(put)
    monkeypatch.setattr(sklearn.datasets, "fetch_lfw_people", no_network)
    assert fetch_lfw(tmp_path) == tmp_path / "lfw_home"


def test_scikit_learns_own_folder_is_the_default(tmp_path, put, small, monkeypatch):
    _cache(put)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    assert fetch_lfw() == tmp_path / "lfw_home"


def test_without_a_network_the_message_says_what_to_do(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise urllib.error.URLError("Name or service not known")

    # scikit-learn tries three times with a second between; the real downloader runs, only its socket is cut
    monkeypatch.setattr(sklearn.datasets._base, "urlretrieve", no_network)
    monkeypatch.setattr(sklearn.datasets._base.time, "sleep", lambda _: None)
    with pytest.raises(DownloadError) as error:
        fetch_lfw(tmp_path)
    message = str(error.value)
    assert "LFW could not be downloaded (<urlopen error Name or service not known>)" in message
    assert "lfw-funneled.tgz from https://ndownloader.figshare.com/files/5976015" in message
    assert f"put pairs.txt and lfw_funneled into {tmp_path / 'lfw_home'}" in message
    assert "rr-data add lfw PATH" in message


def test_scikit_learn_downloads_and_stops_before_it_decodes(tmp_path, put, small):
    # Its own function on its own layout, whole but for our count: no network is needed, nothing is decoded.
    _cache(put)
    for name in ("pairsDevTrain.txt", "pairsDevTest.txt"):
        put(f"lfw_home/{name}")
    (tmp_path / "lfw_home/lfw_funneled/Bob/Bob_0001.jpg").unlink()
    message = "expected pairs.txt and 2 images in lfw_funneled, found 1 images; remove lfw_funneled and fetch again"
    with pytest.raises(DownloadError, match=message):
        fetch_lfw(tmp_path)


def test_what_the_download_brought_is_returned(tmp_path, put, small, monkeypatch):
    def download(**_):
        _cache(put)
        raise ValueError("min_faces_per_person=2 is too restrictive")

    monkeypatch.setattr(sklearn.datasets, "fetch_lfw_people", download)
    assert fetch_lfw(tmp_path) == tmp_path / "lfw_home"
