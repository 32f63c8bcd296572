"""Embedders: a face in, a vector out. They get images and nothing else."""

from ..registry import Registry
from .base import Embedder

EMBEDDERS: Registry[Embedder] = Registry("embedder", "recog_restore.embedders")
EMBEDDERS.add("lbp", "recog_restore.embed.lbp:LocalBinaryPatterns")

__all__ = ["EMBEDDERS", "Embedder"]
