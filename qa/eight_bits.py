"""A network's products in 8 bits, on processors that have no instructions for them.

OpenVINO multiplies 8-bit weights by inputs that it rounds to 8 bits where the processor has instructions for that, and
everywhere else by inputs in floating point, which takes many times as long. Its convolutions, though, are computed in 8
bits with AVX2 alone. So there a product is written as a convolution over single tokens, and its inputs are rounded by a
scale of each token's own.

AVX2 adds two products of 8 bits in 16, and what does not fit is cut off. So inputs are rounded to 7 bits, for which
there is always room; to 8 where they come from a GELU, and so are nearly all small. To lose little by 7 bits, the few
channels with values far above all others are split into several of a part each (outlier channel splitting, Zhao et al.
2019): all others would be rounded by the scale of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Parts = Mapping[str, Mapping[str, int]]
"""For inputs of products, by their names in the network, the channels that are split, and into how many parts."""

TOP = 255
"""The largest whole number that an input is rounded to; the least is 0."""


@dataclass(frozen=True)
class _Range:
    """What a token's zero is rounded to, and how much more its largest value is, which is no less than `least`."""

    zero: int
    top: int
    least: float


SEVEN_BITS = _Range(zero=64, top=63, least=1e-6)
"""From 1 to 127, for inputs of both signs; nothing is divided by zero."""

GELU_LOWEST = 0.17
"""How far below zero a GELU's results are at most."""

AFTER_GELU = _Range(zero=24, top=TOP - 24, least=GELU_LOWEST * (TOP - 24) / 24)
"""A largest value below 1.6 is taken for that, so that there is room for what is below zero."""

ALIGNED = 16
"""Channels come in multiples of this, of which the kernels take so many at once."""

CPUINFO = Path("/proc/cpuinfo")


@cache
def lacks_products(cpuinfo: Path = CPUINFO) -> bool:
    """Whether the processor has AVX2, but neither products of 8 bits nor AVX-512, where this was never tried.

    Only Linux tells; elsewhere it is taken to lack nothing.
    """
    try:
        flags = cpuinfo.read_text(encoding="ascii", errors="replace").split("flags", 1)[1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return False
    return "avx2" in flags and not {"avx_vnni", "avx512f"} & set(flags)


def recipe(parts: Parts) -> str:
    """Changes with anything that a rewritten network depends on besides the network."""
    return hashlib.blake2b(Path(__file__).read_bytes() + repr(parts).encode(), digest_size=8).hexdigest()


def product_inputs(network: Any) -> dict[str, Any]:
    """The inputs of all products with 8-bit weights that are not after a GELU, by their names in `Parts`."""
    products = (node for node in network.get_ordered_ops() if _weights(node) is not None)
    inputs = (product.input_value(0) for product in products)
    return {values.get_node().get_friendly_name(): values for values in inputs if not _is_gelu(values.get_node())}


def rewrite(network: Any, parts: Parts) -> None:
    """Write all products of a network with 8-bit weights as convolutions of rounded inputs, in the network itself.

    The inputs are of shape (texts, tokens, channels); all others are left as they are. Raises IndexError for parts of a
    channel that is not there.
    """
    from openvino import opset13 as ops

    results: dict[str, Any] = {}  # of convolutions, by the name of the same with channels last
    rounded: dict[str, _Rounded] = {}
    for product in network.get_ordered_ops():
        found = _weights(product)
        if found is None or product.get_input_partial_shape(0).rank.get_length() != 3:
            continue
        (weights, scales), source = found, product.input_value(0).get_node()
        name = source.get_friendly_name()
        if name not in rounded:
            rounded[name] = _rounded_input(product.input_value(0), results, parts.get(name, {}))
        inputs = rounded[name]
        if inputs.further is not None:
            further = np.where(inputs.further >= 0, weights[:, inputs.further], 0).astype(np.int8)
            weights = np.concatenate([weights, further], axis=1)
        kernel = ops.convert(ops.constant(weights[:, :, None]), np.float32)
        kernel = ops.multiply(kernel, ops.constant(scales[:, :, None]))
        result = ops.convolution(inputs.values, kernel, [1], [0], [0], [1])
        zeros = weights.sum(axis=1, dtype=np.int64) * scales[:, 0] * (inputs.range.zero / TOP)
        result = ops.subtract(result, ops.constant(zeros.astype(np.float32)[None, :, None]))
        result = ops.multiply(result, inputs.scale)
        last, bias = _with_bias(product)
        if bias is not None:
            result = ops.add(result, ops.constant(bias[None, :, None]))
        users = list(last.output(0).get_target_inputs())
        back = _turned(result)
        results[back.get_friendly_name()] = result.output(0)
        for user in users:
            user.replace_source_output(back.output(0))
    network.validate_nodes_and_infer_types()


@dataclass(frozen=True)
class _Rounded:
    """Inputs of products as multiples of 1 / TOP in [0, 1], of shape (texts, channels, tokens).

    `scale` is what TOP more of them stand for, of shape (texts, 1, tokens). `further` are the channels that further
    ones are parts of, -1 for one of nothing; None where there are none.
    """

    values: Any
    scale: Any
    range: _Range
    further: npt.NDArray[np.int64] | None


def _rounded_input(values: Any, results: Mapping[str, Any], parts: Mapping[str, int]) -> _Rounded:
    from openvino import opset13 as ops

    gelu = values.get_node()
    if _is_gelu(gelu):
        before = results.get(gelu.input_value(0).get_node().get_friendly_name())
        if before is not None:  # a convolution's: nothing needs to be turned there and back
            values = ops.gelu(before, gelu.get_attributes()["approximation_mode"])
            return _Rounded(*_rounded(values, 1, AFTER_GELU), AFTER_GELU, None)
    values, further = _split(values, parts)
    values, scale = _rounded(values, 2, SEVEN_BITS)
    scale = ops.reshape(scale, np.array([0, 1, -1]), special_zero=True)
    return _Rounded(_turned(values), scale, SEVEN_BITS, further)


def _rounded(values: Any, axis: int, to: _Range) -> tuple[Any, Any]:
    """Values with channels along an axis as multiples of 1 / TOP in [0, 1], and their scale, one a token."""
    from openvino import opset13 as ops

    axes = np.array([axis])
    above = ops.reduce_max(values, axes, keep_dims=True)
    below = ops.negative(ops.reduce_min(values, axes, keep_dims=True))
    most = ops.maximum(ops.maximum(above, below), ops.constant(np.float32(to.least)))
    scale = ops.multiply(most, ops.constant(np.float32(TOP / to.top)))
    shifted = ops.add(ops.divide(values, scale), ops.constant(np.float32(to.zero / TOP)))
    low, high = ops.constant(np.float32(0)), ops.constant(np.float32(1))
    return ops.fake_quantize(shifted, low, high, low, high, TOP + 1), scale


def _split(values: Any, parts: Mapping[str, int]) -> tuple[Any, npt.NDArray[np.int64] | None]:
    """Values with some channels in parts: the first in its place, the further ones behind all channels."""
    from openvino import opset13 as ops

    if not parts:
        return values, None
    count = np.ones(values.get_partial_shape()[2].get_length(), dtype=np.int64)
    count[[int(channel) for channel in parts]] = list(parts.values())
    further = np.repeat(np.arange(len(count)), count - 1)
    further = np.append(further, np.full(-(len(count) + len(further)) % ALIGNED, -1))
    each = ops.multiply(values, ops.constant((1 / count).astype(np.float32)[None, None]))
    return ops.concat([each, ops.gather(each, ops.constant(np.maximum(further, 0)), ops.constant(2))], 2), further


def _turned(values: Any) -> Any:
    from openvino import opset13 as ops

    return ops.transpose(values, np.array([0, 2, 1]))


def _is_gelu(node: Any) -> bool:
    return bool(node.get_type_name() == "Gelu")


def _weights(node: Any) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]] | None:
    """The values, of shape (outputs, inputs), and scales, of shape (outputs, 1), of a product's 8-bit weights."""
    if node.get_type_name() != "MatMul" or not node.get_attributes()["transpose_b"]:
        return None
    chain = node.input_value(1).get_node()
    if chain.get_type_name() == "Convert":
        chain = chain.input_value(0).get_node()
    if chain.get_type_name() != "Multiply":
        return None
    values, scales = (_constant(chain.input_value(i).get_node()) for i in (0, 1))
    if values is None or scales is None or values.dtype != np.int8 or scales.shape != (len(values), 1):
        return None
    return values, scales.astype(np.float32)


def _with_bias(product: Any) -> tuple[Any, npt.NDArray[np.float32] | None]:
    """The sum of a product and a constant, and the constant; the product itself where nothing is added to it."""
    users = list(product.output(0).get_target_inputs())
    if len(users) == 1 and (added := users[0].get_node()).get_type_name() == "Add":
        bias = _constant(added.input_value(1 - users[0].get_index()).get_node())
        if bias is not None:
            return added, bias.reshape(-1).astype(np.float32)
    return product, None


def _constant(node: Any) -> npt.NDArray[Any] | None:
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return np.array(node.data) if node.get_type_name() == "Constant" else None
