"""Write a trained reader as an OpenVINO model with 8-bit weights, its tokenizer, its settings and a model card.

    python -m training.export --model FOLDER --base-name NAME --out FOLDER
    python -m training.export --figures FILE.json --out FOLDER

The second writes the card alone, once the export's figures have been measured.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template

import nncf
import openvino
import torch
from torch import Tensor, nn
from transformers import AutoModelForQuestionAnswering, PreTrainedModel

from qa.span_reader import ANSWER_TOKENS, MAX_TOKENS, OUTLIERS, QUESTION_TOKENS, STRIDE_TOKENS
from training.prepare import load_tokenizer

FORMAT = 1  # of the exported folder
OPSET = 18
OUTPUTS = ("start_logits", "end_logits")
EMBEDDING_GROUP = 64  # values of a word embedding that share a scale
CARD = Path(__file__).with_name("model_card.md")


class Spans(nn.Module):
    """The reader as a plain function of its inputs.

    The last layer is written without a matrix product: the runtime does what follows the last product in fp32, and
    so ranks spans that bf16 would round to the same score.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        found = self.model.base_model(**dict(zip(input_names(self.model), inputs, strict=True)))
        last = self.model.get_submodule("qa_outputs")
        start, end = ((found.last_hidden_state * last.weight[i]).sum(-1) + last.bias[i] for i in (0, 1))
        return start, end


def input_names(model: PreTrainedModel) -> tuple[str, ...]:
    """What the model takes: with segments where it has learnt any."""
    names = ("input_ids", "attention_mask")
    return (*names, "token_type_ids") if getattr(model.config, "type_vocab_size", 0) > 1 else names


def load_reader(folder: Path) -> PreTrainedModel:
    """What training saved."""
    model: PreTrainedModel = AutoModelForQuestionAnswering.from_pretrained(folder, attn_implementation="eager")
    model.eval()  # type: ignore[no-untyped-call]
    return model


def write_network(model: PreTrainedModel, out: Path) -> None:
    """`reader.xml` and `reader.bin`, for any number of windows of any length."""
    names = input_names(model)
    example = torch.full((2, 16), 5, dtype=torch.long)
    dynamic = {name: {0: "windows", 1: "tokens"} for name in (*names, *OUTPUTS)}
    with tempfile.TemporaryDirectory() as folder:
        onnx = Path(folder) / "reader.onnx"
        torch.onnx.export(
            Spans(model),
            (example, *(torch.ones_like(example) for _ in names[1:])),
            str(onnx),
            input_names=list(names),
            output_names=list(OUTPUTS),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            dynamo=False,
        )
        network = openvino.convert_model(onnx)
        openvino.save_model(compressed(network, model.config.vocab_size), out / "reader.xml")


def compressed(network: openvino.Model, words: int) -> openvino.Model:
    """Word embeddings in 4 bits with a scale a group, all other weights in 8 with a scale a row."""
    others = [name for name, rows in gathers(network).items() if rows != words]
    network = nncf.compress_weights(
        network,
        mode=nncf.CompressWeightsMode.INT4_ASYM,
        all_layers=True,
        group_size=EMBEDDING_GROUP,
        ignored_scope=nncf.IgnoredScope(names=others, types=["MatMul", "Add"]),
    )
    return nncf.compress_weights(network, mode=nncf.CompressWeightsMode.INT8_SYM)


def gathers(network: openvino.Model) -> dict[str, int | None]:
    """The names of all table look-ups, with the rows of the table (None when only known at run time)."""
    found: dict[str, int | None] = {}
    for operation in network.get_ops():
        if operation.get_type_name() == "Gather":
            shape = operation.input(0).get_partial_shape()
            found[operation.get_friendly_name()] = list(shape.to_shape())[0] if shape.is_static else None
    return found


def settings(network: Path, base: str) -> dict[str, object]:
    """What a program must know to read with the network as it was trained."""
    return {
        "type": "span-reader",
        "format": FORMAT,
        "base_model": base,
        "max_tokens": MAX_TOKENS,
        "stride": STRIDE_TOKENS,
        "question_tokens": QUESTION_TOKENS,
        "answer_tokens": ANSWER_TOKENS,
        "lowercase": True,
        "context_prefix": "title and headings, each followed by a full stop and a space",
        "score": "start + end logits of the span less those of the first token",
        "license": "CC-BY-SA-4.0",
        "sha256": hashlib.sha256(network.read_bytes()).hexdigest(),
    }


def card(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The model card with the measured figures in their places."""
    values = {
        f"{part}_{name}".lower().translate(str.maketrans(" .", "__")): f"{value:.1f}".removesuffix(".0")
        for part, row in figures.items()
        for name, value in row.items()
    }
    values["share"] = f"{100 * figures['open retrieval']['share of gold']:.1f}"
    values["threshold"] = f"{figures['SQuAD 2.0']['threshold']:.2f}"
    return Template(CARD.read_text(encoding="utf-8")).substitute(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder that training saved")
    parser.add_argument("--base-name", help="what the sentence encoder is called, for the settings")
    parser.add_argument("--figures", type=Path, help="file made by training.evaluate, for the card")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.model is not None:
        if options.base_name is None:
            parser.error("--model needs --base-name")
        tokenizer = load_tokenizer(options.model)
        write_network(load_reader(options.model), options.out)
        (options.out / OUTLIERS).unlink(missing_ok=True)  # those of a network that stood there before
        tokenizer.save(str(options.out / "tokenizer.json"))
        text = json.dumps(settings(options.out / "reader.bin", options.base_name), indent=1)
        (options.out / "config.json").write_text(text + "\n", encoding="utf-8")
    if options.figures is not None:
        figures = json.loads(options.figures.read_text(encoding="utf-8"))
        (options.out / "README.md").write_text(card(figures), encoding="utf-8")
    size = sum(path.stat().st_size for path in options.out.iterdir())
    print(f"{options.out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
