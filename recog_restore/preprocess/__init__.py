"""Preprocessors: restoration and frontalization before recognition."""

from ..registry import Registry
from .base import Card, Preprocessor
from .gate import Gate
from .quality import Quality

PREPROCESSORS: Registry[Preprocessor] = Registry("preprocessor", "recog_restore.preprocessors")
PREPROCESSORS.add("none", "recog_restore.preprocess.classical:Untouched")
PREPROCESSORS.add("bicubic-down{n}", "recog_restore.preprocess.classical:BicubicDown")
PREPROCESSORS.add("clahe", "recog_restore.preprocess.classical:Clahe")
PREPROCESSORS.add("gamma", "recog_restore.preprocess.classical:Gamma")

__all__ = ["PREPROCESSORS", "Card", "Gate", "Preprocessor", "Quality"]
