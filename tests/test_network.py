"""Networks: loaded side by side, as where a pipeline is opened, and kept compiled."""

from __future__ import annotations

import locale
from pathlib import Path

import numpy as np
import pytest

from qa.network import Network, runtime
from qa.pipeline import Pipeline


def doubles(path: Path) -> None:
    """Write a network that multiplies each of eight tokens by two, numbers that stand in the `.bin` file alone."""
    openvino = runtime()
    opset = openvino.opset13
    tokens = opset.parameter([-1, -1], np.int64, name="tokens")
    product = opset.multiply(opset.convert(tokens, "f32"), opset.constant(np.full((1, 8), 2, np.float32)))
    tokens.output(0).set_names({"tokens"})
    product.output(0).set_names({"product"})
    openvino.save_model(openvino.Model([product], [tokens], "doubles"), path, compress_to_fp16=False)


def test_new_weights_are_not_answered_for_by_the_old_ones_kept_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))
    path, tokens = tmp_path / "network.xml", np.arange(8, dtype=np.int64)[None]
    doubles(path)
    for _ in range(2):  # the second time from the cache
        assert Network(path).run(tokens=tokens)["product"].tolist() == (2.0 * tokens).tolist()

    path.with_suffix(".bin").write_bytes(np.full((1, 8), 3, np.float32).tobytes())
    assert Network(path).run(tokens=tokens)["product"].tolist() == (3.0 * tokens).tolist()


def test_opening_a_pipeline_leaves_the_locale_as_it_was(index_path: Path) -> None:
    before = locale.setlocale(locale.LC_ALL)
    for _ in range(5):  # which network is read first is chance
        Pipeline(index_path)
        assert locale.setlocale(locale.LC_ALL) == before
