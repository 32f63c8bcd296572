"""Networks, one architecture per file, and the cards that describe their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ..records import Range
from ..registry import Registry

if TYPE_CHECKING:  # reading a card loads no torch
    from torch.nn import Module

# Of all layers, as a multiple of the usual number of channels.
Width = Annotated[float, Range(1 / 64, 16)]

NETWORKS: Registry[Module] = Registry("network", "recog_restore.networks")
for _depth in (18, 34, 50, 100):
    NETWORKS.add(f"iresnet{_depth}", f"recog_restore.networks.iresnet:iresnet{_depth}")
NETWORKS.add("mobilefacenet", "recog_restore.networks.mobilefacenet:MobileFaceNet")
NETWORKS.add("sphereface20", "recog_restore.networks.sphereface:SphereFace20")
NETWORKS.add("frn", "recog_restore.networks.mdfr:FRN")
NETWORKS.add("ffn", "recog_restore.networks.mdfr:FFN")

# Those that give faces, not embeddings: no checkpoint of theirs is an embedder's.
RESTORERS = frozenset({"ffn", "frn"})

__all__ = ["NETWORKS", "RESTORERS", "Width"]
