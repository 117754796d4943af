"""Exported networks, run by OpenVINO."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import locale
import mmap
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import platformdirs
from filelock import FileLock

from qa.cores import CORES
from qa.eight_bits import Parts, lacks_products, recipe, rewrite

if TYPE_CHECKING:
    import openvino

GROUP = 128
"""Values that share a scale where products are computed in 8 bits, chosen anew for every input: only where weights are
kept in 8 bits, and only on processors that have such products. Larger groups are little faster, and less exact."""

KERNELS_KEPT = 128
"""Kernels made for the shape of an input that are kept, some ten a shape, by OpenVINO and by oneDNN below it. Their own
defaults are 5,000 and 1,024: with 1,024 of both a process held 795 MB after 200 questions, not 470."""

# OpenVINO tells its makers of every import, over the network, where this package is installed; it does without it.
cast(Any, sys.modules).setdefault("openvino_telemetry", None)

os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KERNELS_KEPT))  # read when the first network is run

LOCKED_SECONDS = 10
"""How long a process waits for another that compiles a network, which takes one or two."""


def cache_folder() -> Path:
    """Where what can be made again is kept: `QA_CACHE`, or the user's cache."""
    given = os.environ.get("QA_CACHE")
    return Path(given) if given else Path(platformdirs.user_cache_dir("chapter-and-verse"))


class Network:
    """A network from its `.xml` file, in bf16 and 8 bits where the processor has them.

    With `exact`, all is computed in float32, on any processor. Any thread may run it. Raises RuntimeError when it
    cannot be loaded. `kept` is whether it will be loaded from that path again, and is worth keeping compiled. `tokens`
    is the size of a small input as it will come: the weights are put in order for that, and put in order once more, and
    so held twice, when first an input comes for which another order is faster. With `parts`, if only of nothing,
    products are computed in 8 bits even on processors without instructions for that, as `qa.eight_bits` says.
    """

    def __init__(
        self, path: Path, exact: bool = False, kept: bool = True, tokens: int = 8, parts: Parts | None = None
    ) -> None:
        if exact or not lacks_products():
            parts = None
        settings = {} if parts is None and not exact else {"INFERENCE_PRECISION_HINT": "f32"}
        settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = str(0 if exact else GROUP)
        settings["CPU_RUNTIME_CACHE_CAPACITY"] = str(KERNELS_KEPT)
        if CORES is not None:
            settings["INFERENCE_NUM_THREADS"] = str(CORES)
        with _mapped_memory_given_back(path):
            try:
                self._prepare(path, settings, kept, tokens, parts)
            except RuntimeError:
                # OpenVINO may choose bf16 by what the processor says it has and then find no way to compute in it, as
                # where some of its instructions are hidden; nor need it know how to compute what was rewritten. What is
                # wrong with the network itself shows here again.
                self._prepare(path, {**settings, "INFERENCE_PRECISION_HINT": "f32"}, kept, tokens, None)

    def _prepare(self, path: Path, settings: dict[str, str], kept: bool, tokens: int, parts: Parts | None) -> None:
        self._compiled = _compiled(path, settings, kept, parts)
        self._inputs = frozenset(part.any_name for part in self._compiled.inputs)
        self._outputs = tuple(part.any_name for part in self._compiled.outputs)
        self._requests = threading.local()  # a request serves one thread at a time
        # The first run puts the weights in order for the processor, once; as they stand in the file nothing reads them
        # again, but for the rows of the words that are looked up.
        self.run(**dict.fromkeys(self._inputs, np.ones((1, tokens), dtype=np.int64)))

    def run(self, **arrays: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float32]]:
        """The outputs by their names. Arrays that the network has no input for are left out."""
        request: Any = getattr(self._requests, "request", None)
        if request is None:
            request = self._requests.request = self._compiled.create_infer_request()
        found = request.infer({name: array for name, array in arrays.items() if name in self._inputs})
        return {name: np.array(found[name], np.float32) for name in self._outputs}


_opening: dict[Path, threading.Lock] = {}
"""Held while a network is opened from a path: two at once could not tell which of them mapped what."""


@contextlib.contextmanager
def _mapped_memory_given_back(path: Path) -> Iterator[None]:
    """Let the system have, afterwards, the memory of what a network maps of its files while it is opened.

    OpenVINO keeps them mapped as long as the network lives: some 100 MB, which the system would have to find unused
    before anything else got them. A page that is asked for again is read again. Only Linux tells what is mapped;
    elsewhere all stays as it is.
    """
    # Pages that belonged to another network might be something else by now, and lost: only those of this one are given
    # back, which are there as long as it is.
    with _opening.setdefault(path.resolve(), threading.Lock()):
        before = _mapped(path)
        yield
        opened = _mapped(path) - before
    if opened:
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, end in opened:
            advise(start, end - start, mmap.MADV_DONTNEED)


def _mapped(path: Path) -> set[tuple[int, int]]:
    """From where to where in this process's memory a network's files are mapped, to be read alone."""
    try:
        mappings = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        files = (path.resolve().with_suffix(".bin"), _kept_in(path).resolve())
    except OSError:
        return set()
    found = set()
    for mapping in mappings:
        addresses, rights, _, _, _, *name = mapping.split(maxsplit=5)
        if name and rights.startswith("r--") and any(Path(name[0]).is_relative_to(file) for file in files):
            start, end = addresses.split("-")
            found.add((int(start, 16), int(end, 16)))
    return found


_IMPORTING = threading.Lock()


def runtime() -> Any:
    """OpenVINO, without its converter until that is called: it takes as long to import as all the rest."""
    modules = cast(Any, sys.modules)
    with _IMPORTING:
        if "openvino" not in modules:
            modules["openvino.tools.ovc"] = None  # as where it is not installed
            try:
                import openvino
            finally:
                del modules["openvino.tools.ovc"]

            def convert_model(*arguments: Any, **options: Any) -> Any:
                from openvino.tools import ovc

                return ovc.convert_model(*arguments, **options)

            openvino.convert_model = convert_model
        return modules["openvino"]


_locale_lock = threading.Lock()
_locales_held = 0
_locale_found = ""


@contextlib.contextmanager
def _locale_kept() -> Iterator[None]:
    """The process's locale is afterwards what it was before.

    OpenVINO reads in the C locale and then puts back what it found; of two networks that are read at once the second
    finds the first one's C and leaves that, and Python would take files without a stated encoding for ASCII.
    """
    global _locales_held, _locale_found
    with _locale_lock:
        if not _locales_held:
            _locale_found = locale.setlocale(locale.LC_ALL)
        _locales_held += 1
    try:
        yield
    finally:
        with _locale_lock:
            _locales_held -= 1
            if not _locales_held:
                locale.setlocale(locale.LC_ALL, _locale_found)


@_locale_kept()
def _compiled(path: Path, settings: dict[str, str], kept: bool, parts: Parts | None) -> openvino.CompiledModel:
    """A network ready for this processor; `kept` so in the cache, from where it loads several times as fast.

    OpenVINO itself tells whether what is kept belongs to the processor and its own version, but of the network it looks
    at the `.xml` file alone: with new weights beside an equal one, the old would go on answering. A network is read and
    written there by one at a time.
    """
    core = runtime().Core()
    if kept:
        try:
            own = _kept_in(path)
            own.mkdir(parents=True, exist_ok=True)
            with FileLock(own / ".lock", timeout=LOCKED_SECONDS):
                file = path if parts is None else _rewritten_in(own, core, path, parts)
                return core.compile_model(file, "CPU", {**settings, "CACHE_DIR": str(own)})
        except (OSError, RuntimeError):
            pass  # no place to keep it, or damaged there; what is wrong with the network itself shows below
    return core.compile_model(path if parts is None else _rewritten(core, path, parts), "CPU", settings)


def _rewritten(core: openvino.Core, path: Path, parts: Parts) -> openvino.Model:
    network = core.read_model(path)
    rewrite(network, parts)
    return network


def _rewritten_in(own: Path, core: openvino.Core, path: Path, parts: Parts) -> Path:
    """The file of the rewritten network in its folder of the cache; made if it is not there, in place of any older."""
    file = own / f"eight-bits-{recipe(parts)}.xml"
    if not file.exists():
        for older in own.glob("eight-bits-*"):
            older.unlink()
        with tempfile.TemporaryDirectory(dir=own) as folder:
            made = Path(folder) / file.name
            runtime().save_model(_rewritten(core, path, parts), made, compress_to_fp16=False)
            made.with_suffix(".bin").replace(file.with_suffix(".bin"))
            made.replace(file)  # the last: where it stands, all does
    return file


def _kept_in(path: Path) -> Path:
    """Where a network of this path, with these weights, is kept compiled. Raises OSError where there is none."""
    states = [file.stat() for file in (path, path.with_suffix(".bin"))]
    whose = repr((str(path.resolve()), *((state.st_size, state.st_mtime_ns) for state in states)))
    own = hashlib.blake2b(whose.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    return cache_folder() / "compiled" / own
