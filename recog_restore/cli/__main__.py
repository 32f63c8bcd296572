"""``python -m recog_restore.cli``: the same as ``rr``."""

from . import rr

rr(prog_name="rr")
