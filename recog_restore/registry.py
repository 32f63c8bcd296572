"""One small registry for preprocessors, embedders, data sets, detectors, searches and all else that has names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from .errors import UnknownName
from .records import nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to factories; ``"package.module:attribute"`` is imported at first use.

    A name may end in ``{n}``, from 1 to 999: ``bicubic-down{n}`` answers ``bicubic-down8`` with a factory that is
    called with ``n=8`` besides the caller's own arguments.
    """

    def __init__(self, noun: str, group: str) -> None:
        self._noun, self._group = noun, group
        self._entries: dict[str, Callable[..., T] | str] = {}

    def add(self, name: str, factory: Callable[..., T] | str) -> None:
        """Register a factory; a name that is taken is refused."""
        if name in self._entries:
            raise ValueError(f"{self._noun} {name!r} is already registered as {self._entries[name]}")
        self._entries[name] = factory

    def add_all(self, package: str, places: Mapping[str, str]) -> None:
        """Register classes of a package's modules, each imported at first use: ``{"lfw": "lfw:LFW"}``."""
        for name, place in places.items():
            self.add(name, f"{package}.{place}")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._entries, *(e.name for e in entry_points(group=self._group))}))

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def factory(self, name: str) -> tuple[Callable[..., T], dict[str, int]]:
        """Return the factory of that name, and the arguments that the name itself gives it.

        Raises:
            UnknownName: nothing of that name; the message has the nearest one.
        """
        found = self._find(name)
        if found is None:
            raise UnknownName(f"no {self._noun} named {name!r}; {nearest(name, self)}")
        return found

    def create(self, name: str, **arguments: Any) -> T:
        """Return what the factory of that name makes of the arguments; see ``factory``."""
        factory, given = self.factory(name)
        return factory(**given, **arguments)

    def _find(self, name: str) -> tuple[Callable[..., T], dict[str, int]] | None:
        for key, entry in self._entries.items():
            family = re.fullmatch(re.escape(key).replace(re.escape("{n}"), r"([1-9][0-9]{0,2})"), name)
            if family:
                if isinstance(entry, str):
                    module, _, attribute = entry.partition(":")
                    entry = self._entries[key] = getattr(import_module(module), attribute)
                return entry, {"n": int(family[1])} if family.groups() else {}
        plugin = next(iter(entry_points(group=self._group, name=name)), None)
        return (plugin.load(), {}) if plugin else None
