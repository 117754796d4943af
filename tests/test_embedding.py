"""Vectors of the bundled model, and of tiny models made here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from qa.embedding import SentenceTransformerEmbedder
from qa.errors import ModelMissing
from qa.network import Network
from qa.span_reader import BUNDLED_READER

WEIGHTS = [[0.0, 0.0], [3.0, 4.0], [0.0, 2.0]]
"""For the words [UNK], cat and dog."""


def tiny_model(folder: Path, weights: list[list[float]], dtype: torch.dtype = torch.float32) -> Path:
    """A sentence-transformers folder whose vectors are the means of its words' weights."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "cat": 1, "dog": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    embedding = StaticEmbedding(tokenizer, embedding_weights=np.array(weights, dtype=np.float32))
    SentenceTransformer(modules=[embedding.to(dtype)], device="cpu").save(str(folder), create_model_card=False)
    return folder


def test_the_bundled_model_gives_rows_of_length_one_in_the_order_of_the_texts(
    embedder: SentenceTransformerEmbedder,
) -> None:
    texts = ["A cat sleeps on the mat.", "The parliament passed the law.", "A kitten is napping.", "", "🚀" * 2000]
    rows = embedder.encode(texts)

    assert (rows.shape, rows.dtype) == ((5, 384), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert rows[0] @ rows[2] > 0.5 > 0.2 > rows[0] @ rows[1]
    assert embedder.encode(texts[2:3])[0] @ rows[2] == pytest.approx(1, abs=1e-5)


def test_no_texts_give_no_rows_of_the_right_length(embedder: SentenceTransformerEmbedder) -> None:
    assert embedder.encode([]).shape == (0, 384)
    assert embedder.dimension == 384


def test_an_export_gives_the_vectors_of_the_model(embedder: SentenceTransformerEmbedder) -> None:
    texts = ["", "Why?", "A cat sleeps on the mat.", "The parliament passed the law. " * 9, "naïve 漢字 — 🚀 " * 300]
    by_torch = SentenceTransformer(str(embedder._folder), device="cpu").encode(texts, normalize_embeddings=True)

    assert (embedder.encode(texts) * by_torch).sum(axis=1).min() > 0.9995


def test_an_export_is_opened_without_torch(embedder: SentenceTransformerEmbedder) -> None:
    assert embedder.dimension == 384  # it is exported now
    asking = (
        "import sys; from qa import SentenceTransformerEmbedder; "
        "print(SentenceTransformerEmbedder().encode(['cat']).shape, 'torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)

    assert ran.stdout == "(1, 384) False\n"


def test_a_damaged_export_is_made_again_and_nothing_is_said_of_it(
    embedder: SentenceTransformerEmbedder,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    row = embedder.encode(["A cat sleeps."])
    shutil.copytree(cache, tmp_path / "cache")
    damaged = next((tmp_path / "cache").glob("encoders/*/encoder.bin"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 255
    damaged.write_bytes(content)
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))

    assert SentenceTransformerEmbedder().encode(["A cat sleeps."]) == pytest.approx(row, abs=1e-6)
    assert damaged.read_bytes() != bytes(content)
    assert capfd.readouterr().err == ""


def test_without_a_cache_the_model_is_run_as_it_is(
    embedder: SentenceTransformerEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("in the way")
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))
    row = SentenceTransformerEmbedder().encode(["A cat sleeps."])

    assert float(row[0] @ embedder.encode(["A cat sleeps."])[0]) > 0.9995


def test_a_folder_may_be_named(tmp_path: Path) -> None:
    embedder = SentenceTransformerEmbedder(str(tiny_model(tmp_path / "model", WEIGHTS)))

    assert embedder.dimension == 2
    assert embedder.encode(["cat", "dog", "dog dog"]) == pytest.approx(
        np.array([[0.6, 0.8], [0, 1], [0, 1]], dtype=np.float32)
    )


def test_a_text_without_a_vector_of_its_own_does_not_become_nan(tmp_path: Path) -> None:
    embedder = SentenceTransformerEmbedder(str(tiny_model(tmp_path / "model", WEIGHTS)))

    assert embedder.encode(["zebra"]).tolist() == [[0, 0]]


def test_the_fingerprint_follows_the_weights_and_not_the_place(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "model", WEIGHTS)
    copy = Path(shutil.copytree(model, tmp_path / "elsewhere" / "copy"))
    changed = tiny_model(tmp_path / "changed", [*WEIGHTS[:2], [0.0, 2.0001]])
    one, same, other = (SentenceTransformerEmbedder(str(path)).fingerprint for path in (model, copy, changed))

    assert one == same != other
    assert len(one) == 64


def test_a_model_of_half_precision_has_a_fingerprint_of_its_own(tmp_path: Path) -> None:
    full = SentenceTransformerEmbedder(str(tiny_model(tmp_path / "full", WEIGHTS)))
    half = SentenceTransformerEmbedder(str(tiny_model(tmp_path / "half", WEIGHTS, torch.bfloat16)))

    assert half.fingerprint != full.fingerprint


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"There is no folder .*nowhere to load the embedder from"):
        SentenceTransformerEmbedder(str(tmp_path / "nowhere")).encode(["cat"])


@pytest.mark.parametrize("files", [{}, {"config.json": "{}"}, {"modules.json": "no JSON"}, {"notes.txt": "It rained."}])
def test_a_folder_that_is_no_model_is_refused_with_what_to_name_instead(
    tmp_path: Path, files: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)

    with pytest.raises(ModelMissing, match=r"cannot be loaded: .*leave the option out for the bundled all-MiniLM"):
        SentenceTransformerEmbedder(str(tmp_path)).encode(["cat"])
    assert "Traceback" not in capfd.readouterr().err


def test_what_is_kept_compiled_may_be_damaged_or_have_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))
    ids = np.array([[0, 2054, 2]])

    def scores() -> list[float]:
        network = Network(BUNDLED_READER / "reader.xml")
        return [float(x) for x in network.run(input_ids=ids, attention_mask=np.ones_like(ids))["start_logits"][0]]

    first = scores()
    [blob] = (tmp_path / "cache" / "compiled").glob("*/*.blob")
    assert scores() == first
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[:1000])
    assert scores() == first
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "file"))
    assert scores() == first
