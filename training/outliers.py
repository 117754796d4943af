"""Find the channels of an exported reader whose values are far above all others', for processors with AVX2 alone.

    python -m training.outliers --articles TUNING --reader qa/models/reader

Writes `outliers.json` beside the reader: for every input of a product, by its name in the network, the channels that
`qa.eight_bits` is to split, and into how many parts. The reader reads what is found for the questions of an indexed
folder of `training.articles`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from qa.batches import Ints
from qa.eight_bits import product_inputs
from qa.embedding import SentenceTransformerEmbedder
from qa.evaluation import read_examples
from qa.network import runtime
from qa.pipeline import Pipeline
from qa.span_reader import OUTLIERS, SpanReader

QUESTIONS = 80
"""Some 50,000 tokens: the largest channels are the same in any text."""

USUAL = 85
"""The percentile of all channels' largest values that no part is to exceed: a sixth more channels than without. At 99,
a fiftieth more, a question takes as long and the scores of spans are farther off, see `README.md`."""

MOST_PARTS = 24
"""For channels that are larger still, so that the network does not grow with them."""

Floats = npt.NDArray[np.float32]


class Watched:
    """An exported reader in float32 that remembers the largest absolute value of each channel of products' inputs."""

    def __init__(self, file: Path) -> None:
        network = runtime().Core().read_model(file)
        inputs = product_inputs(network)
        network.add_outputs(list(inputs.values()))
        self._network = runtime().Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self._given = {part.any_name for part in self._network.inputs}
        self._places = {name: len(self._network.outputs) - len(inputs) + i for i, name in enumerate(inputs)}
        self.most: dict[str, Floats] = {}

    def __call__(self, ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        found = self._network({name: array for name, array in arrays.items() if name in self._given})
        for name, place in self._places.items():
            most = np.abs(found[place][mask.astype(bool)]).max(axis=0)
            self.most[name] = np.maximum(self.most.get(name, most), most)
        return found["start_logits"], found["end_logits"]


def parts(most: Floats) -> dict[str, int]:
    """Into how many parts to split which channels so that none is much larger than most channels are."""
    count = np.clip(np.ceil(most / np.percentile(most, USUAL)), 1, MOST_PARTS).astype(int)
    return {str(channel): int(count[channel]) for channel in np.flatnonzero(count > 1)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--articles", type=Path, required=True, help="a folder of training.articles, indexed")
    arguments.add_argument("--reader", type=Path, required=True, help="the exported reader's folder")
    given = arguments.parse_args()
    watched = Watched(given.reader / "reader.xml")
    reader = SpanReader(Tokenizer.from_file(str(given.reader / "tokenizer.json")), watched)
    pipeline = Pipeline(given.articles / "index", SentenceTransformerEmbedder(), reader)
    for example in read_examples(given.articles / "questions.jsonl")[:QUESTIONS]:
        pipeline.ask(example.question)
    found = {name: parts(most) for name, most in watched.most.items()}
    lines = (f" {json.dumps(name)}: {json.dumps(channels)}" for name, channels in found.items() if channels)
    (given.reader / OUTLIERS).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{given.reader / OUTLIERS}: {sum(map(len, found.values()))} channels of {len(found)} inputs")


if __name__ == "__main__":
    main()
