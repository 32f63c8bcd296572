"""Data sets: readers of one layout on disk each; files in, samples and comparisons out. No pixel is touched here."""

from ..registry import Registry
from .base import Dataset, Finding, Pairs, Samples, Split, TemplatePairs

DATASETS: Registry[Dataset] = Registry("data set", "recog_restore.datasets")
DATASETS.add_all(
    __name__,
    {
        "lfw": "lfw:LFW",
        "calfw": "cross_lfw:CALFW",
        "cplfw": "cross_lfw:CPLFW",
        "cfp": "cfp:CFP",
        "agedb": "agedb:AgeDB",
        "ijbc": "ijb:IJBC",
        "ijbb": "ijb:IJBB",
        "ijbc-nist": "ijb_nist:OfficialIJBC",
        "tinyface": "tinyface:TinyFace",
        "dronesurf": "dronesurf:DroneSURF",
        "celeba": "celeba:CelebA",
        "mmi": "mmi:MMI",
        "multipie": "multipie:MultiPIE",
        "synthpie": "synthpie:SynthPIE",
        "drawn": "drawn:Drawn",
        "folder": "folder:Folder",
        "csv": "table:Table",
        "bin": "package:Package",
    },
)

__all__ = ["DATASETS", "Dataset", "Finding", "Pairs", "Samples", "Split", "TemplatePairs"]
