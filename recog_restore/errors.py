"""Every error the toolkit raises on purpose; the command line prints it without a traceback.

RecogRestoreError
├── ResourceMissing      a data folder, or a named protocol, card or template in it, is absent
├── UnknownName          a registry has no entry of that name
├── RecordError          a TOML file or an option is not valid: file, key and reason
├── DataError            the files of a data set are not what was expected
│   └── UnsafeFile       a file would run code if it were unpickled
├── ConventionError      an array breaks the stated shape, dtype or range
├── WeightsError         weights are absent, do not fit, or their SHA-256 is not the card's
├── StoreError           embeddings cannot be kept or read back
├── ResultError          a result cannot be read, or results cannot be put side by side
├── DownloadError        something could not be fetched
└── ExtraMissing         an optional dependency is not installed

UndefinedMetric is the one warning: a metric has no value on this data and is NaN.
"""

from __future__ import annotations


class RecogRestoreError(Exception):
    """Base of every error raised on purpose."""


class ResourceMissing(RecogRestoreError, LookupError):
    """A data folder, or a named file in it, is absent."""


class UnknownName(RecogRestoreError, KeyError):
    """A registry has no entry of that name."""

    def __str__(self) -> str:  # KeyError would print the message quoted
        return str(self.args[0])


class RecordError(RecogRestoreError, ValueError):
    """A TOML file or an option is not valid."""


class DataError(RecogRestoreError):
    """The files of a data set are not what was expected."""


class UnsafeFile(DataError):
    """A file would run code if it were unpickled."""


class ConventionError(RecogRestoreError, ValueError):
    """An array breaks the stated shape, dtype or range."""


class WeightsError(RecogRestoreError):
    """Weights are absent, do not fit the network, or are not those of the card."""


class StoreError(RecogRestoreError):
    """Embeddings cannot be kept or read back."""


class ResultError(RecogRestoreError):
    """A result cannot be read, or results cannot be put side by side."""


class DownloadError(RecogRestoreError):
    """Something could not be fetched."""


class ExtraMissing(RecogRestoreError, ImportError):
    """An optional dependency is not installed."""


class UndefinedMetric(UserWarning):
    """A metric has no value on this data; it is NaN."""
