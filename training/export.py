"""Write a trained reader as an OpenVINO model with fp16 weights, its tokenizer, its settings and a model card.

python -m training.export --model FOLDER --base MODEL --figures FILE.json --out FOLDER
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template

import openvino
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertForQuestionAnswering

from training.prepare import load_tokenizer
from training.reading import ANSWER_TOKENS, MAX_TOKENS, QUESTION_TOKENS, STRIDE

FORMAT = 1  # of the exported folder
OPSET = 18
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("start_logits", "end_logits")
BASE_NAME = "sentence-transformers/all-MiniLM-L6-v2"
CARD = Path(__file__).with_name("model_card.md")


class Spans(nn.Module):
    """The reader as a plain function of its three inputs.

    The last layer is written without a matrix product: the runtime does what follows the last product in fp32, and
    so ranks spans that bf16 would round to the same score.
    """

    def __init__(self, model: BertForQuestionAnswering) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        found = self.model.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        weight, bias = self.model.qa_outputs.weight, self.model.qa_outputs.bias
        start, end = ((found.last_hidden_state * weight[i]).sum(-1) + bias[i] for i in (0, 1))
        return start, end


def load_reader(folder: Path, base: Path) -> BertForQuestionAnswering:
    model: BertForQuestionAnswering = BertForQuestionAnswering.from_pretrained(base, attn_implementation="eager")
    model.load_state_dict(load_file(folder / "model.safetensors"))
    model.eval()  # type: ignore[no-untyped-call]
    return model


def write_network(model: BertForQuestionAnswering, out: Path) -> None:
    """`reader.xml` and `reader.bin`, for any number of windows of any length."""
    example = torch.ones(2, 16, dtype=torch.long)
    dynamic = {name: {0: "windows", 1: "tokens"} for name in (*INPUTS, *OUTPUTS)}
    with tempfile.TemporaryDirectory() as folder:
        onnx = Path(folder) / "reader.onnx"
        torch.onnx.export(
            Spans(model),
            (example, example, example),
            str(onnx),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            dynamo=False,
        )
        network = openvino.convert_model(onnx)
        openvino.save_model(network, out / "reader.xml", compress_to_fp16=True)


def settings(network: Path) -> dict[str, object]:
    """What a program must know to read with the network as it was trained."""
    return {
        "type": "span-reader",
        "format": FORMAT,
        "base_model": BASE_NAME,
        "max_tokens": MAX_TOKENS,
        "stride": STRIDE,
        "question_tokens": QUESTION_TOKENS,
        "answer_tokens": ANSWER_TOKENS,
        "lowercase": True,
        "input": "[CLS] question [SEP] context-prefix passage [SEP]",
        "context_prefix": "title and headings, each followed by a full stop and a space",
        "score": "start + end logits of the span less those of [CLS]",
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
    parser.add_argument("--model", type=Path, required=True, help="folder with model.safetensors")
    parser.add_argument("--base", type=Path, required=True, help="folder of the sentence encoder")
    parser.add_argument("--figures", type=Path, required=True, help="file made by training.evaluate")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    write_network(load_reader(options.model, options.base), options.out)
    load_tokenizer(options.base).save(str(options.out / "tokenizer.json"))
    text = json.dumps(settings(options.out / "reader.bin"), indent=1)
    (options.out / "config.json").write_text(text + "\n", encoding="utf-8")
    figures = json.loads(options.figures.read_text(encoding="utf-8"))
    (options.out / "README.md").write_text(card(figures), encoding="utf-8")
    size = sum(path.stat().st_size for path in options.out.iterdir())
    print(f"{options.out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
