"""Compare an export with the weights it was made from: F1 lost, and times faster at reading 8 passages.

python -m training.compare --data DIR --model FOLDER --export FOLDER
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering

from qa.span_reader import Model, OpenVINOModel, TorchModel
from training.data import held_out_articles, of_articles, read_squad
from training.evaluate import load_reader, plain_figures

PASSAGES, TOKENS = 8, 200
ROUNDS = 15  # the median of these is told, after two that are not counted


def seconds(model: Model) -> float:
    """To read 8 passages of 200 tokens."""
    ids = np.random.default_rng(0).integers(1000, 30000, (PASSAGES, TOKENS))
    ones = np.ones_like(ids)
    times = []
    for _ in range(ROUNDS + 2):
        begun = time.perf_counter()
        model(ids, ones, ones)
        times.append(time.perf_counter() - begun)
    return float(np.median(times[2:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder that training saved")
    parser.add_argument("--export", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(2)
    sample = of_articles(read_squad(options.data / "squad-1.1.json"), held_out_articles().validation)
    whole, exported = (plain_figures(load_reader(folder), sample) for folder in (options.model, options.export))
    original = TorchModel(AutoModelForQuestionAnswering.from_pretrained(options.model))
    slow, fast, again = map(seconds, (original, OpenVINOModel(options.export / "reader.xml"), original))
    told = {
        "questions": len(sample.questions),
        "torch fp32 f1": whole["f1"],
        "export f1": exported["f1"],
        "f1 lost": whole["f1"] - exported["f1"],
        "torch fp32 seconds": slow,
        "torch fp32 seconds, again": again,
        "export seconds": fast,
        "times faster": min(slow, again) / fast,
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
