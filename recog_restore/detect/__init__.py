"""Detectors: an image in, the five points of its main face out. Optional: many data sets bring their landmarks."""

from ..registry import Registry
from .base import Detections, Detector, main_face

DETECTORS: Registry[Detector] = Registry("detector", "recog_restore.detectors")
DETECTORS.add("yunet", "recog_restore.detect.yunet:YuNet")
DETECTORS.add("scrfd", "recog_restore.detect.scrfd:Scrfd")

__all__ = ["DETECTORS", "Detections", "Detector", "main_face"]
