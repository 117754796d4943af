"""Take an exported reader's weights back into a model that can be trained further.

    python -m training.restore --export FOLDER --base MODEL --out FOLDER

The 8-bit weights become floating-point numbers again, which training then moves as it needs. Word embeddings, which
training never changed, are taken from the base in full. The folder can be given to `training.train` as `--start`.
"""

import argparse
from pathlib import Path

import numpy as np
import openvino
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import PreTrainedModel

from training.prepare import load_tokenizer
from training.train import base_model

Floats = NDArray[np.float32]


def value(node: openvino.Node) -> Floats:
    """What a node that depends on no input evaluates to."""
    part = openvino.Model([node.output(0)], [])
    compiled = openvino.Core().compile_model(part, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled({})[0], dtype=np.float32)


def source(node: openvino.Node, place: int) -> openvino.Node:
    return node.input_value(place).get_node()


def constant(node: openvino.Node) -> Floats:
    """The one of an operation's two inputs that is a constant, as a flat row."""
    inputs = (source(node, place) for place in (0, 1))
    return value(next(item for item in inputs if item.get_type_name() in ("Constant", "Convert"))).reshape(-1)


def restore(export: Path, model: PreTrainedModel) -> None:
    """Set the weights of every layer that the network names. Raises KeyError for one that it does not hold."""
    nodes = {op.get_friendly_name(): op for op in openvino.Core().read_model(export / "reader.xml").get_ops()}

    def set_to(parameter: nn.Parameter, array: Floats) -> None:
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(array.reshape(parameter.shape)))

    prefix = model.base_model_prefix
    words = model.get_input_embeddings()
    for name, module in model.base_model.named_modules():
        path = f"/{prefix}/{name.replace('.', '/').replace('layer/', 'layer.')}"
        if isinstance(module, nn.Linear) and "pooler" not in name:
            product = nodes[f"{path}/MatMul"]
            weight = value(source(product, 1))
            set_to(module.weight, weight if product.get_attributes()["transpose_b"] else weight.T.copy())
            set_to(module.bias, constant(nodes[f"{path}/Add"]))
        elif isinstance(module, nn.LayerNorm):
            shifted = nodes[f"{path}/LayerNormalization"]
            scaled = next(n for n in (source(shifted, 0), source(shifted, 1)) if n.get_type_name() == "Multiply")
            set_to(module.bias, constant(shifted))
            set_to(module.weight, constant(scaled))
        elif isinstance(module, nn.Embedding) and module is not words:
            set_to(module.weight, value(source(nodes[f"{path}/Gather"], 0)))
    last = model.get_submodule("qa_outputs")
    assert isinstance(last, nn.Linear)
    for row, name in enumerate(("start_logits", "end_logits")):
        added = nodes[name]
        summed = next(n for n in (source(added, 0), source(added, 1)) if n.get_type_name() == "ReduceSum")
        with torch.no_grad():
            last.weight[row] = torch.from_numpy(constant(source(summed, 0)))
            last.bias[row] = float(constant(added)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--export", type=Path, required=True, help="folder of the exported reader")
    parser.add_argument("--base", type=Path, required=True, help="folder of the sentence encoder it was made from")
    parser.add_argument("--layers", type=int, help="of the base that the reader has (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args()
    model = base_model(options.base, options.layers, frozen=0)
    restore(options.export, model)
    model.save_pretrained(options.out)
    load_tokenizer(options.export).save(str(options.out / "tokenizer.json"))


if __name__ == "__main__":
    main()
