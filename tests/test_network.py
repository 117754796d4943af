"""Networks: loaded side by side, as where a pipeline is opened, and kept compiled."""

from __future__ import annotations

import locale
from pathlib import Path

import numpy as np
import pytest

from qa.eight_bits import Parts
from qa.network import Network, cache_folder, runtime
from qa.pipeline import Pipeline
from qa.span_reader import BUNDLED_READER


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


def mapped_megabytes(*places: Path) -> float:
    """What this process holds in memory of these files, and of those below these folders."""
    held, counted = 0, False
    for words in map(str.split, Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines()):
        if not words[0].endswith(":"):  # the first line of a mapping: its pages, and in the sixth word its file
            counted = any(Path(name).is_relative_to(place) for name in words[5:6] for place in places)
        elif words[0] == "Rss:" and counted:
            held += int(words[1])
    return held / 1000


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what is held of a file")
@pytest.mark.parametrize(("kept", "parts"), [(True, None), (False, None), (True, {})])
def test_weights_in_the_processors_order_are_not_held_as_they_stand_in_the_file_too(
    kept: bool, parts: Parts | None
) -> None:
    files = (BUNDLED_READER / "reader.bin", cache_folder() / "compiled")
    ids = np.arange(96, dtype=np.int64)[None]
    before = mapped_megabytes(*files)

    first = Network(BUNDLED_READER / "reader.xml", kept=kept, tokens=96, parts=parts)
    second = Network(BUNDLED_READER / "reader.xml", kept=kept, tokens=96, parts=parts)

    assert mapped_megabytes(*files) < before + 5
    found = [
        network.run(input_ids=ids, attention_mask=np.ones_like(ids), token_type_ids=np.zeros_like(ids))
        for network in (first, second, first)
    ]
    for name, scores in found[0].items():
        assert all(np.array_equal(again[name], scores) for again in found)


def test_opening_a_pipeline_leaves_the_locale_as_it_was(index_path: Path) -> None:
    before = locale.setlocale(locale.LC_ALL)
    for _ in range(5):  # which network is read first is chance
        Pipeline(index_path)
        assert locale.setlocale(locale.LC_ALL) == before
