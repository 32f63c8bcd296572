"""Hypothesis without a deadline (a shared machine is slow at times), with the same examples in every run."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
