"""What an object computes with, as one SHA-256: its code, the weights that it holds, and the files that it names.

Embeddings on disk are kept under it where a class of the user's own is a preprocessor or an embedder.
"""

from __future__ import annotations

import ast
import enum
import functools
import hashlib
import inspect
import io
import itertools
import logging
import pickle
import sys
import sysconfig
import threading
import types
import weakref
import zipfile
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..files import read_regular
from .onnx import read_model, sha256_of

_TOOLKIT = Path(__file__).parents[1]
_STANDARD = Path(sysconfig.get_path("stdlib"))
_LONGEST_NAME = 1024
_MOST_FILES = 256  # in a folder that is taken for weights, not for data

# Types whose representation is their whole content.
_PLAIN = (
    *(type(None), bool, int, float, complex, bytes, range, slice, np.dtype, np.generic, types.EllipsisType),
    *(torch.dtype, torch.device, torch.layout, torch.memory_format, type(torch.per_tensor_affine)),
)
# Types that no output depends on.
_HARMLESS = (logging.Logger, type(threading.Lock()), type(threading.RLock()), weakref.ReferenceType)


@dataclass(frozen=True)
class Content:
    """What an object computes with.

    Attributes:
        sha256: of its code, tensors, arrays, sessions and files.
        opaque: attributes whose content cannot be read, as ``net (ncnn.ncnn.Net)``: objects that differ in nothing else
            have the same ``sha256``.
    """

    sha256: str
    opaque: tuple[str, ...]


def content(made: object, options: Mapping[str, object] = MappingProxyType({})) -> Content:
    """Return what an object of a user's class computes with, from its attributes, its classes and their modules.

    Read are tensors, arrays, ``nn.Module`` and ``onnxruntime.InferenceSession``, wherever they are within attributes,
    containers, and globals of the modules; the files and folders that a text or a path names; and the source of the
    classes with the modules beside them that they import. Installed packages are known by their version.

    Args:
        made: what the class made.
        options: what it was made with; files may be named there and nowhere else.
    """
    walk = _Walk(type(made).__module__)
    try:
        walk.visit(dict(options), "")
        walk.visit(made, "")
    except Exception as error:  # whatever the objects of another package raise; a RecursionError, where they are nested
        walk.opaque.append(f"{type(made).__qualname__} ({type(error).__name__} while it was read)")
    return Content(walk.digest.hexdigest(), tuple(dict.fromkeys(walk.opaque)))


class _Walk:
    """Visits everything that can be reached from an object, once."""

    def __init__(self, module: str) -> None:
        self.digest = hashlib.sha256()
        self.opaque: list[str] = []
        self._seen: dict[int, tuple[int, object]] = {}  # the object too, so that its id is not given to another one
        self._files: set[Path] = set()
        self._own = module.partition(".")[0]

    def visit(self, value: object, where: str) -> None:
        """Add a value to the digest; ``where`` is its place in the object, for people."""
        self._add(f"{type(value).__module__}.{type(value).__qualname__}")
        if isinstance(value, _PLAIN):
            self._add(repr(value))
        elif isinstance(value, (str, PurePath)):
            self._text(value, where)
        elif id(value) in self._seen:
            self._add(self._seen[id(value)][0])
        elif not isinstance(value, _HARMLESS):
            self._seen[id(value)] = len(self._seen), value
            self._visit_once(value, where)

    def _visit_once(self, value: object, where: str) -> None:
        if isinstance(value, type):
            self._class(value)
        elif isinstance(value, types.ModuleType):
            self._module(value.__name__)
        else:
            for name, part in self._parts(value, where):
                self._add(name)
                self.visit(part, f"{where}.{name}" if where and name else where or name)

    def _add(self, *parts: object) -> None:
        for part in parts:
            data = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
            self.digest.update(b"%d:" % len(data) + data)

    def _parts(self, value: object, where: str) -> Iterator[tuple[str, object]]:
        """Yield what a value consists of, by name; what has no parts is added."""
        if isinstance(value, Tensor):
            yield from self._tensor(value, where)
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self._add(value.dtype, value.shape, np.ascontiguousarray(value).tobytes())
        elif isinstance(value, Mapping):
            for key, part in value.items():
                yield "", key
                yield str(key) if isinstance(key, (str, int)) else "", part
        elif isinstance(value, (set, frozenset)):
            yield from (("", part) for part in sorted(value, key=repr))
        elif isinstance(value, (list, tuple, deque)) or isinstance(value, np.ndarray):
            yield from ((str(row), part) for row, part in enumerate(value))
        elif isinstance(value, functools.partial):
            yield from (("", part) for part in (value.func, value.args, value.keywords))
        elif isinstance(value, types.MethodType):
            yield from (("", part) for part in (value.__func__, value.__self__))
        elif isinstance(value, (staticmethod, classmethod)):
            yield "", value.__func__
        elif isinstance(value, types.FunctionType):
            self._add(value.__qualname__, value.__code__.co_code)
            self._module(value.__module__)
            yield from (("", cell.cell_contents) for cell in value.__closure__ or () if _filled(cell))
            yield from (("", default) for default in (value.__defaults__, value.__kwdefaults__))
        elif isinstance(value, types.BuiltinFunctionType) or type(value) is object:
            self._add(getattr(value, "__qualname__", ""))
        elif isinstance(value, enum.Enum):
            self._add(value.name)
        elif isinstance(value, torch.jit.ScriptModule):
            self._script(value)
        elif _is_session(value):
            self._session(value, where)
        elif _foreign(type(value)):
            self._pickled(value, where)
        else:
            yield "", type(value)
            if isinstance(value, nn.Module):
                yield from value.state_dict(keep_vars=True).items()
            for name, part in _attributes(value):
                if not isinstance(part, torch.ScriptObject):  # packed weights, which the state holds too
                    yield name, part

    def _text(self, value: str | PurePath, where: str) -> None:
        self._add(value)
        self._file(Path(value), where, folder=not isinstance(value, str) or "/" in value or "\\" in value)

    def _file(self, path: Path, where: str, folder: bool = False) -> None:
        """Add the content of a file, or of the files in a folder, where a path names one."""
        if len(str(path)) > _LONGEST_NAME or not str(path).isprintable():
            return
        try:
            if path.is_file():
                self._add(hashlib.sha256(read_regular(path)).hexdigest())
            elif folder and path.is_dir() and path.resolve() not in (Path.cwd(), *Path.cwd().parents):
                entries = list(itertools.islice(path.rglob("*"), _MOST_FILES + 1))
                if len(entries) > _MOST_FILES:
                    return
                for file in sorted(entry for entry in entries if entry.is_file()):
                    self._add(file.relative_to(path), hashlib.sha256(read_regular(file)).hexdigest())
        except (OSError, ValueError):
            self.opaque.append(f"{where} ({path}, which cannot be read)")

    def _tensor(self, value: Tensor, where: str) -> Iterator[tuple[str, object]]:
        tensor = value.detach()
        if tensor.is_quantized:
            yield "", tensor.int_repr()
            if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
                yield "", (tensor.q_scale(), tensor.q_zero_point())
            else:
                yield "", (tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points())
            return
        self._add(tensor.dtype, tuple(tensor.shape))
        try:
            self._add(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        except (RuntimeError, TypeError, NotImplementedError):  # a sparse or a meta tensor
            self.opaque.append(f"{where} (a tensor of {tensor.layout} on {tensor.device})")

    def _script(self, value: torch.jit.ScriptModule) -> None:
        """Add the files within the archive of a TorchScript module; its constants are nowhere else."""
        data = io.BytesIO()
        torch.jit.save(value, data)
        with zipfile.ZipFile(data) as archive:
            for entry in archive.infolist():
                self._add(entry.filename.partition("/")[2], archive.read(entry))

    def _session(self, value: Any, where: str) -> None:
        """Add the model of an ``onnxruntime.InferenceSession``."""
        path, data = getattr(value, "_model_path", None), getattr(value, "_model_bytes", None)
        if data is not None:
            self._add(data)
        elif path is not None:
            try:
                self._add(sha256_of(Path(path), read_model(Path(path))))
            except WeightsError:  # a model in ONNX Runtime's own format
                self._file(Path(path), where)
        else:
            self.opaque.append(f"{where} ({_name(type(value))})")

    def _pickled(self, value: object, where: str) -> None:
        """Add the pickle of an object that is not written in Python; one that has none is opaque."""
        try:
            self._add(pickle.dumps(value, protocol=4))
        except Exception:  # whatever an extension raises
            self.opaque.append(f"{where or 'a global'} ({_name(type(value))})")

    def _class(self, value: type) -> None:
        for base in value.__mro__[:-1]:
            self._add(_name(base))
            if not self._module(base.__module__):
                continue
            for name, part in vars(base).items():
                if not name.startswith(("__", "_abc_")) and not inspect.isdatadescriptor(part):
                    self._add(name)
                    self.visit(part, name)

    def _module(self, name: str) -> bool:
        """Add a module's source and globals, or the version of its package where that is installed; return which."""
        module = sys.modules.get(name)
        top = name.partition(".")[0]
        file = Path(getattr(module, "__file__", None) or "").absolute()
        if file.suffix != ".py" or (_installed(file) and top != self._own):
            self._add(top, vars(sys.modules[top]).get("__version__", "") if top in sys.modules else "")
            return False
        root = file.parents[len(module.__package__.split(".")) if module is not None and module.__package__ else 0]
        self._source(file, root)
        return True

    def _source(self, file: Path, root: Path) -> None:
        """Add a source file, the files that its texts name, its module's globals, and what it imports below a root."""
        if file in self._files:
            return
        self._files.add(file)
        try:
            source = read_regular(file)
            nodes = list(ast.walk(ast.parse(source)))
        except (OSError, SyntaxError, ValueError):
            return self.opaque.append(f"{file.name} (whose source cannot be read)")
        self._add(file.name, source)
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for place in (Path(), file.parent):
                    self._file(place / node.value, f"{file.name}, line {node.lineno}")
        for module in [m for m in list(sys.modules.values()) if isinstance(m, types.ModuleType)]:
            if vars(module).get("__file__") != str(file):
                continue
            for name, value in list(vars(module).items()):
                if not name.startswith("__"):
                    self._add(name)
                    self.visit(value, name)
        for imported in _imports(nodes, file, root):
            if not _installed(imported) or root / self._own in (imported.with_suffix(""), *imported.parents):
                self._source(imported, root)
        return None


def _imports(nodes: Collection[ast.AST], file: Path, root: Path) -> Iterator[Path]:
    """Yield the source files below a root that a module imports, wherever in it."""
    for node in nodes:
        if isinstance(node, ast.Import):
            wanted = [(root, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = file.parents[node.level - 1] if node.level else root
            start = f"{node.module}." if node.module else ""
            wanted = [(base, f"{start}{alias.name}") for alias in node.names]
        else:
            continue
        for place, name in wanted:
            for part in name.split("."):
                place = place / part
                yield from (path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file())


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    """Yield the attributes of an object of a Python class, those in slots too."""
    yield from list(getattr(value, "__dict__", {}).items())
    for base in type(value).__mro__:
        for name, slot in vars(base).items():
            if isinstance(slot, types.MemberDescriptorType) and hasattr(value, name):
                yield name, getattr(value, name)


def _is_session(value: object) -> bool:
    runtime = sys.modules.get("onnxruntime")
    return runtime is not None and isinstance(value, runtime.InferenceSession)


def _foreign(kind: type) -> bool:
    """Return whether a class, or one that it is derived from, keeps its state out of Python's sight."""
    for base in kind.__mro__[:-1]:
        file = getattr(sys.modules.get(base.__module__), "__file__", None) or ""
        python = any("__dict__" in vars(b) or "__slots__" in vars(b) for b in base.__mro__)
        if not python or (not file.endswith(".py") and base.__module__ != "__main__"):
            return True
    return False


def _installed(file: Path) -> bool:
    """Return whether a file is of an installed package, of Python's library, or of this toolkit."""
    known = file.is_relative_to(_STANDARD) or file.is_relative_to(_TOOLKIT)
    return known or bool({"site-packages", "dist-packages"} & set(file.parts))


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
