"""Exported networks, run by OpenVINO. The only module that imports it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class Network:
    """A network from its `.xml` file, at the runtime's defaults: bf16 where the processor has it.

    With `exact`, all is computed in float32, on any processor. Any thread may run it. Raises RuntimeError when it
    cannot be loaded.
    """

    def __init__(self, path: Path, exact: bool = False) -> None:
        import openvino

        settings = {"INFERENCE_PRECISION_HINT": "f32"} if exact else {}
        self._compiled = openvino.Core().compile_model(path, "CPU", settings)
        self._inputs = frozenset(part.any_name for part in self._compiled.inputs)
        self._outputs = tuple(part.any_name for part in self._compiled.outputs)
        self._requests = threading.local()  # a request serves one thread at a time

    def run(self, **arrays: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float32]]:
        """The outputs by their names. Arrays that the network has no input for are left out."""
        request: Any = getattr(self._requests, "request", None)
        if request is None:
            request = self._requests.request = self._compiled.create_infer_request()
        found = request.infer({name: array for name, array in arrays.items() if name in self._inputs})
        return {name: np.array(found[name], np.float32) for name in self._outputs}
