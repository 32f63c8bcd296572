"""``evaluate``: acquire → degrade → preprocess → embed → score → Result."""

from .evaluate import evaluate

__all__ = ["evaluate"]
