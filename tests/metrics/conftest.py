"""Hypothesis without a deadline (a shared machine is slow at times), with the same examples in every run."""

from hypothesis import settings

settings.register_profile("deep", deadline=None, max_examples=1500, database=None)
settings.load_profile("deep")
