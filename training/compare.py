"""Compare an export with the weights it was made from: F1 lost, and times faster at reading 8 passages.

python -m training.compare --data DIR --base MODEL --model FOLDER --export FOLDER
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from training.data import held_out_articles, of_articles, read_squad
from training.evaluate import load_openvino, load_torch, plain_figures
from training.prepare import load_tokenizer
from training.reading import Layout, Model, layout_of

PASSAGES, TOKENS = 8, 200
ROUNDS = 15  # the median of these is told, after two that are not counted


def seconds(model: Model, layout: Layout) -> float:
    """To read 8 passages of 200 tokens."""
    ids = np.random.default_rng(0).integers(1000, 30000, (PASSAGES, TOKENS))
    ids[:, 0], ids[:, 12], ids[:, -1] = layout.cls, layout.sep, layout.sep
    types = np.zeros_like(ids)
    types[:, 13:] = 1
    times = []
    for _ in range(ROUNDS + 2):
        begun = time.perf_counter()
        model(ids, np.ones_like(ids), types)
        times.append(time.perf_counter() - begun)
    return float(np.median(times[2:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--export", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(2)
    whole, exported = load_torch(options.model, options.base), load_openvino(options.export)
    sample = of_articles(read_squad(options.data / "squad-1.1.json"), held_out_articles().validation)
    tokenizer = load_tokenizer(options.base)
    a, b = (plain_figures(model, tokenizer, sample) for model in (whole, exported))
    layout = layout_of(tokenizer)
    slow, fast, again = (seconds(model, layout) for model in (whole, exported, whole))
    told = {
        "questions": len(sample.questions),
        "torch fp32 f1": a["f1"],
        "export f1": b["f1"],
        "f1 lost": a["f1"] - b["f1"],
        "torch fp32 seconds": slow,
        "torch fp32 seconds, again": again,
        "export seconds": fast,
        "times faster": min(slow, again) / fast,
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
