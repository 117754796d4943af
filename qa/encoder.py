"""A sentence encoder exported once, then run without torch: it loads in a moment and encodes several times as fast.

An export is a folder with `encoder.xml` and `encoder.bin` (OpenVINO, fp16 weights), `tokenizer.json` and
`encoder.json`. It is kept only when it gives the vectors of the model it was made from.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.batches import batches
from qa.checksum import sha256_of
from qa.network import Network, runtime

if TYPE_CHECKING:
    import numpy.typing as npt
    from sentence_transformers import SentenceTransformer

FORMAT = 1
"""Of an export; one of another format is made again."""

SAME = 0.9995
"""The least cosine between an export's vector and the model's own. Measured: .99997 with bf16, 1 without; vectors of
another model, or with another pooling, are far below."""

SAMPLE = (
    "When?",
    "Which council did the country join in 1992?",
    "The report, published on 3 May 2011 in Dushanbe, says that 1,200 mines were destroyed — for €2.5 million.",
    "Relations with the partner. Milestones. 2003: The President visits the headquarters for the first time. " * 4,
    "Ünïcode, 漢字 and ελληνικά, naïve façade; URLs such as https://example.org/a?b=c; e-mail@example.org. " * 12,
)
"""Texts on which an export is compared: one word, a question, a sentence, a passage, and one beyond the window."""

BATCH_TOKENS = 2_048
"""Texts run together, counted with their padding: all cores are busy, and what a batch computes stays near them. From
1,024 to 4,096 it made no difference here; 8,192 took 5 % longer."""


class ExportFailed(Exception):
    """The model cannot be exported; it is used as it is."""


class Encoder:
    """An export, opened. Any thread may use it."""

    def __init__(self, folder: Path, kept: bool = True) -> None:
        """Raises OSError, ValueError, KeyError or RuntimeError for a folder that is no sound export.

        `kept` is whether the folder will be opened again.
        """
        from tokenizers import Tokenizer

        settings = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        if settings["format"] != FORMAT or settings["sha256"] != sha256_of(folder / "encoder.bin"):
            raise ValueError(f"{folder} is not as it was exported.")
        self.dimension: int = settings["dimension"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._window: int = settings["max_tokens"]
        self._tokenizer.enable_truncation(self._window)
        self._network = Network(folder / "encoder.xml", kept=kept)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row a text, of shape (texts, dimension), as the model gives them: not yet of length 1."""
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for batch in batches(self._tokenizer.encode_batch(list(texts)), BATCH_TOKENS, self._window):
            found = self._network.run(input_ids=batch.ids, attention_mask=batch.mask, token_type_ids=batch.types)
            rows[batch.places] = found["embedding"]
        return rows


def open_encoder(folder: Path) -> Encoder | None:
    """The export in a folder; None where there is none, or none that is sound."""
    try:
        return Encoder(folder)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None


def export(
    model: SentenceTransformer, encode: Callable[[Sequence[str]], npt.NDArray[np.float32]], folder: Path
) -> Encoder:
    """Export a model into a folder and open it there. `encode` gives the model's own vectors, of length 1.

    Raises ExportFailed when the model is not of a kind that can be exported, when the export gives other vectors, or
    when the folder cannot be written.
    """
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
    if tokenizer is None or model.max_seq_length is None:
        raise ExportFailed("it has no fast tokenizer or no window")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            part = Path(work, "export")
            part.mkdir()
            _write_network(model, part)
            tokenizer.save(str(part / "tokenizer.json"))
            settings = {
                "format": FORMAT,
                "dimension": model.get_embedding_dimension(),
                "max_tokens": model.max_seq_length,
                "sha256": sha256_of(part / "encoder.bin"),
            }
            (part / "encoder.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
            _compare(Encoder(part, kept=False), encode)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(part, folder)
        return Encoder(folder)
    except ExportFailed:
        raise
    except Exception as error:  # tracing runs the model's own code, which may raise anything
        raise ExportFailed(str(error)) from error


def _write_network(model: SentenceTransformer, folder: Path) -> None:
    import torch

    openvino = runtime()

    class Whole(torch.nn.Module):
        """Transformer, pooling and whatever follows, as one function of its inputs."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
            return self.model({name: value for name, value in features.items() if name in names})["sentence_embedding"]

    names = set(model.tokenizer.model_input_names)
    ids = torch.full((2, 8), 5, dtype=torch.long)
    example = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}
    for part in model.modules():
        config: Any = getattr(part, "config", None)
        if hasattr(config, "_attn_implementation"):
            config._attn_implementation = "eager"  # the others are traced with the example's lengths
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on branches that the comparison below proves right
        network = openvino.convert_model(Whole().eval(), example_input=example)
    network.output(0).get_tensor().set_names({"embedding"})
    openvino.save_model(network, folder / "encoder.xml", compress_to_fp16=True)


def _compare(encoder: Encoder, encode: Callable[[Sequence[str]], npt.NDArray[np.float32]]) -> None:
    """Raises ExportFailed unless both give the same vectors."""
    rows = encoder.encode(SAMPLE)
    cosines = (rows * encode(SAMPLE)).sum(axis=1) / np.maximum(np.linalg.norm(rows, axis=1), 1e-9)
    if not (cosines >= SAME).all():
        raise ExportFailed(f"its vectors differ: the least cosine is {cosines.min():.5f}")
