"""Products in 8 bits on processors that have no instructions for them: rewritten networks, run as any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import qa.network
from qa.eight_bits import lacks_products, product_inputs
from qa.errors import ModelMissing
from qa.network import Network, cache_folder, runtime
from qa.pipeline import Pipeline
from qa.span_reader import BUNDLED_READER, OUTLIERS, OpenVINOModel, SpanReader

WIDE, INNER = 32, 64

Floats = npt.NDArray[np.float32]


@pytest.fixture
def lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On any processor, what is done where products of 8 bits are lacking; nothing is kept compiled from before."""
    monkeypatch.setattr(qa.network, "lacks_products", lambda: True)
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))


def layer(path: Path, table: Floats, first: npt.NDArray[np.int8], second: npt.NDArray[np.int8], bias: float) -> None:
    """Write a network that looks tokens up in a table and puts them through two products with a GELU between."""
    openvino = runtime()
    ops = openvino.opset13

    def weights(values: npt.NDArray[np.int8]) -> object:
        scales = ops.constant(np.full((len(values), 1), 0.01, np.float16))
        return ops.convert(ops.multiply(ops.convert(ops.constant(values), "f16"), scales), "f32")

    tokens = ops.parameter([-1, -1], np.int64, name="tokens")
    found = ops.gather(ops.constant(table), tokens, ops.constant(0), name="found")
    inner = ops.matmul(found, weights(first), False, True)
    inner = ops.gelu(ops.add(ops.constant(np.full((1, 1, len(first)), bias, np.float32)), inner), "ERF")
    result = ops.matmul(inner, weights(second), False, True)
    tokens.output(0).set_names({"tokens"})
    result.output(0).set_names({"result"})
    openvino.save_model(openvino.Model([result], [tokens], "layer"), path, compress_to_fp16=False)


def random_layer(path: Path, outlier: float = 1.0) -> None:
    """A layer of random weights, one channel of the inputs of which is so many times as large as the others."""
    random = np.random.default_rng(7)
    table = random.normal(size=(50, WIDE)).astype(np.float32)
    table[:, 5] *= outlier
    first, second = (random.normal(scale=30, size=size).clip(-127, 127) for size in ((INNER, WIDE), (WIDE, INNER)))
    layer(path, table, first.astype(np.int8), second.astype(np.int8), -1.0)


def error(path: Path, parts: Mapping[str, Mapping[str, int]] | None) -> float:
    """How far a network's results are from those in float32, as a share of these."""
    tokens = np.arange(48, dtype=np.int64).reshape(3, 16)
    exact = Network(path, exact=True).run(tokens=tokens)["result"]
    found = Network(path, parts=parts).run(tokens=tokens)["result"]
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


@pytest.mark.usefixtures("lacking")
def test_products_are_rounded_and_nearly_right(tmp_path: Path) -> None:
    random_layer(tmp_path / "layer.xml")
    assert 0.001 < error(tmp_path / "layer.xml", {}) < 0.02


@pytest.mark.usefixtures("lacking")
def test_a_channel_far_above_all_others_is_split_so_that_these_are_not_rounded_away(tmp_path: Path) -> None:
    random_layer(tmp_path / "layer.xml", outlier=40.0)
    [name] = product_inputs(runtime().Core().read_model(tmp_path / "layer.xml"))
    unsplit, split = (error(tmp_path / "layer.xml", {name: parts}) for parts in ({}, {"5": 20}))
    assert name == "found"
    assert split < unsplit / 2


@pytest.mark.usefixtures("lacking")
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_products_have_room(tmp_path: Path, sign: int) -> None:
    """All inputs and all weights are the largest there are: each sum of two would be cut off at 8 bits."""
    weights = np.full((INNER, WIDE), 127, np.int8)
    once = np.zeros((WIDE, INNER), np.int8)
    once[:, 0] = 100
    layer(tmp_path / "layer.xml", np.full((50, WIDE), sign * 3.0, np.float32), sign * weights, once, 0.0)
    found = Network(tmp_path / "layer.xml", parts={}).run(tokens=np.zeros((1, 4), np.int64))["result"]
    assert found == pytest.approx(np.full((1, 4, WIDE), WIDE * 3.0 * 1.27), rel=0.01)


@pytest.mark.usefixtures("lacking")
def test_what_was_rewritten_is_kept_until_it_is_made_anew_for_other_parts(tmp_path: Path) -> None:
    random_layer(tmp_path / "layer.xml")

    def kept() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in cache_folder().glob("compiled/*/eight-bits-*.xml")}

    error(tmp_path / "layer.xml", None)
    assert not kept()  # without a list of outliers nothing is rewritten
    error(tmp_path / "layer.xml", {})
    first = kept()
    assert len(first) == 1
    error(tmp_path / "layer.xml", {})
    assert kept() == first
    error(tmp_path / "layer.xml", {"found": {"5": 2}})
    assert len(kept()) == 1
    assert kept().keys() != first.keys()


def test_without_a_place_to_keep_it_a_network_is_rewritten_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qa.network, "lacks_products", lambda: True)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "file"))
    random_layer(tmp_path / "layer.xml")
    assert 0.001 < error(tmp_path / "layer.xml", {}) < 0.02


@pytest.mark.usefixtures("lacking")
def test_what_cannot_be_rewritten_is_computed_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(network: object, parts: object) -> None:
        raise RuntimeError("there is no kernel for it")

    monkeypatch.setattr(qa.network, "rewrite", fails)
    random_layer(tmp_path / "layer.xml")
    assert error(tmp_path / "layer.xml", {}) < 0.02


@pytest.mark.usefixtures("lacking")
def test_the_readers_products_are_all_rewritten_and_its_best_spans_the_same(pipeline: Pipeline) -> None:
    asked = {
        "When did Tajikistan join the Partnership for Peace?": "2002",
        "When did Tajikistan join the North Atlantic Cooperation Council?": "1992",
    }
    usual, exact = SpanReader.bundled(), SpanReader.bundled(exact=True)
    assert isinstance(usual._model, OpenVINOModel)
    kinds = [op.get_rt_info()["layerType"] for op in usual._model._network._compiled.get_runtime_model().get_ops()]
    assert [str(kind.astype(str)) for kind in kinds].count("Convolution") == 60  # six products a layer
    for question, text in asked.items():
        candidates = pipeline.search(question, 2)
        [found, right] = (reader.spans(question, candidates)[0] for reader in (usual, exact))
        assert found.text == right.text == text
        assert found.score == pytest.approx(right.score, abs=1.0)


@pytest.mark.parametrize("damaged", ["{", "[1]", '{"x": 1}', '{"x": {"5": 0}}', '{"x": {"five": 2}}'])
def test_a_damaged_list_of_outliers_is_told(tmp_path: Path, damaged: str) -> None:
    (tmp_path / OUTLIERS).write_text(damaged)
    with pytest.raises(ModelMissing, match=r"outliers\.json is no list of outliers\. Remove it, or export"):
        OpenVINOModel(tmp_path / "reader.xml")


@pytest.mark.usefixtures("lacking")
def test_outliers_of_another_reader_are_told(tmp_path: Path) -> None:
    for name in ("reader.xml", "reader.bin"):
        (tmp_path / name).symlink_to(BUNDLED_READER / name)
    (tmp_path / OUTLIERS).write_text('{"/mpnet/encoder/layer.0/attention/LayerNorm/LayerNormalization": {"768": 2}}')
    with pytest.raises(ModelMissing, match="cannot load the reader"):
        OpenVINOModel(tmp_path / "reader.xml")


@pytest.mark.parametrize(
    ("flags", "lacks"),
    [("sse2 avx2 fma", True), ("avx2 avx_vnni", False), ("avx2 avx512f avx512_vnni", False), ("sse2 avx", False)],
)
def test_what_a_processor_lacks_is_read_from_its_flags(tmp_path: Path, flags: str, lacks: bool) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t:\n\nprocessor\t: 1\nflags\t\t: {flags}\n")
    assert lacks_products(told) is lacks


def test_a_processor_that_tells_nothing_is_taken_to_lack_nothing(tmp_path: Path) -> None:
    assert not lacks_products(tmp_path / "none")
    (tmp_path / "other").write_text("Processor : AArch64\nFeatures : fp asimd\n")
    assert not lacks_products(tmp_path / "other")
