"""Train the reader: a first stage on short, easy questions, then SQuAD with retrieved negatives.

    python -m training.train --arrays DIR --base MODEL --out DIR

The loss compares spans across all passages of a question. With z the logits less those at `[CLS]`, a passage's
null is 0 whatever the passage, so one softmax runs over the tokens of all passages and one null. Beside it each
passage alone is asked the same, so that its own null keeps a meaning. Run again with the same options, it goes on
from the last checkpoint.
"""

import argparse
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AutoModelForQuestionAnswering, PreTrainedModel

from qa.span_reader import QUESTION_TOKENS, SpanReader, TorchModel
from training.prepare import QAMR, QED, SOURCES, Layout, Ragged, load_tokenizer

MAX_TOKENS = 320  # of a passage in training; longer ones are cut around the answer
PREFIXED = 0.7  # share of questions whose passages carry their title
CROPPED = 0.5  # share of passages cut to some of their sentences, as the product's passages are shorter
BEHEADED = 0.3  # share of questions one of whose negatives is their own passage without the answer's sentences
HIDDEN_DROPOUT = 0.1
LAYER_DECAY = 0.9  # learning rate of a layer, relative to the one above it
HEAD_RATE = 5.0  # the new output layer's learning rate, relative to the top layer's
WEIGHT_DECAY = 0.01
EMA = 0.995  # of the weights, a step
DECLINE = 0.4  # the last share of a stage, over which the learning rate falls to nothing
SAVE_SECONDS = 600
CHUNK_TOKENS = 1024  # passages of like length run together, counted with their padding
STALLED = 60  # seconds; a longer step is one in which the machine was given to something else, and is not counted
WIDTHS = 32  # padded lengths are multiples of this: few shapes, for which the CPU kernels are prepared once

CHECKPOINT = "checkpoint.safetensors"  # of a stage that has not ended
STEADY = "steady.safetensors"  # as it was when the learning rate began to fall: a longer stage can go on from there

NEVER = -1e9  # a logit that stands for minus infinity, with gradients that stay finite
TINY = 1e-9

Ints = NDArray[np.int32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Stage:
    """Some sources read for some epochs, or until `minutes` are over; `groups` questions make a step.

    Each source is given with how many of its questions are taken an epoch at most, others each time; None for all.
    """

    name: str
    sources: Mapping[int, int | None]
    epochs: int
    groups: int
    negatives: int
    rate: float
    warmup: float
    minutes: float


@dataclass(frozen=True)
class Store:
    """The prepared arrays."""

    layout: Layout
    tokens: Ragged
    sentences: Ragged
    titles: Ragged
    questions: Ragged
    answers: Ragged
    answer_weights: NDArray[np.float32]
    title_of: Ints
    source: Ints
    paragraph: Ints
    negatives: Ints


@dataclass(frozen=True)
class Passage:
    """One passage as the model sees it, with each token's share of the answer's start and end (null: all 0)."""

    ids: Ints
    segment: int
    start: NDArray[np.float32]
    end: NDArray[np.float32]


def load_store(folder: Path) -> Store:
    with np.load(folder / "train.npz", allow_pickle=False) as arrays:
        rows = {
            name: Ragged(arrays[name], arrays[f"{name}_bounds"])
            for name in ("paragraph_tokens", "paragraph_sentences", "titles", "question_tokens", "answers")
        }
        cls, sep, pad, between, segments = arrays["layout"].tolist()
        return Store(
            Layout(cls, sep, pad, between, bool(segments)),
            rows["paragraph_tokens"],
            rows["paragraph_sentences"],
            rows["titles"],
            rows["question_tokens"],
            rows["answers"],
            arrays["answer_weights"],
            arrays["paragraph_title"],
            arrays["question_source"],
            arrays["question_paragraph"],
            arrays["negatives"],
        )


def answer_table(store: Store, question: int) -> tuple[Ints, NDArray[np.float32]]:
    """(first token, last token) of each place in the paragraph, and their weights."""
    first, last = store.answers.bounds[question] // 2, store.answers.bounds[question + 1] // 2
    return store.answers[question].reshape(-1, 2), store.answer_weights[first:last]


def kept_tokens(sentences: Ints, keep: tuple[int, int] | None, room: int, rng: Rng) -> tuple[int, int]:
    """A stretch of a paragraph's tokens, sometimes cropped to sentences, always within `room`, around `keep`."""
    begin, end = 0, len(sentences)
    if rng.random() < CROPPED:
        count = int(sentences[-1]) + 1
        low, high = (int(sentences[keep[0]]), int(sentences[keep[1]])) if keep else (int(rng.integers(count)),) * 2
        a, b = rng.integers(0, low + 1), rng.integers(high, count)
        begin, end = int(np.searchsorted(sentences, a)), int(np.searchsorted(sentences, b, side="right"))
    if end - begin > room:
        first, last = keep if keep else (begin, begin)
        lowest = max(begin, last - room + 1)
        begin = int(rng.integers(lowest, max(lowest, min(first, end - room)) + 1))
        end = begin + room
    return begin, end


def make_passage(
    layout: Layout, question: Ints, prefix: Ints, text: Ints, places: Ints, weights: NDArray[np.float32]
) -> Passage:
    before = layout.head(question.tolist())
    head = np.concatenate([before, prefix])
    ids = np.concatenate([head, text, [layout.sep]]).astype(np.int32)
    start, end = np.zeros((2, len(ids)), dtype=np.float32)
    np.add.at(start, places[:, 0] + len(head), weights)
    np.add.at(end, places[:, 1] + len(head), weights)
    return Passage(ids, len(before), start, end)


NOWHERE = np.zeros((0, 2), dtype=np.int32), np.zeros(0, dtype=np.float32)


def group(store: Store, question: int, count: int, rng: Rng) -> list[Passage]:
    """A question's own passage and up to `count` others that do not hold its answer."""
    asked = store.questions[question][:QUESTION_TOKENS]
    own = int(store.paragraph[question])
    prefixed = rng.random() < PREFIXED

    def prefix(paragraph: int) -> Ints:
        title = store.titles[int(store.title_of[paragraph])]
        return title if prefixed else title[:0]

    def room(paragraph: int) -> int:
        return MAX_TOKENS - len(asked) - len(prefix(paragraph)) - 4

    def null(paragraph: int) -> Passage:
        begin, end = kept_tokens(store.sentences[paragraph], None, room(paragraph), rng)
        text = store.tokens[paragraph][begin:end]
        return make_passage(store.layout, asked, prefix(paragraph), text, *NOWHERE)

    places, weights = answer_table(store, question)
    if len(places) == 0:
        return [null(own)]
    best = places[int(np.argmax(weights))]
    begin, end = kept_tokens(store.sentences[own], (int(best[0]), int(best[1])), room(own), rng)
    inside = (places[:, 0] >= begin) & (places[:, 1] < end)
    text = store.tokens[own][begin:end]
    passages = [make_passage(store.layout, asked, prefix(own), text, places[inside] - begin, weights[inside])]
    if count and rng.random() < BEHEADED:
        sentences = store.sentences[own]
        held = {int(s) for a, b in places for s in sentences[a : b + 1]}
        rest = store.tokens[own][~np.isin(sentences, list(held))][: room(own)]
        if len(rest) > 20:
            passages.append(make_passage(store.layout, asked, prefix(own), rest, *NOWHERE))
    others = store.negatives[question]
    others = others[others >= 0]
    wanted = min(count + 1 - len(passages), len(others))
    if wanted > 0:
        likely = 1 / (2.0 + np.arange(len(others)))
        chosen = rng.choice(others, size=wanted, replace=False, p=likely / likely.sum())
        passages.extend(null(int(other)) for other in chosen)
    return passages


class PooledDropout(nn.Module):
    """Dropout whose masks are cut from one pool made beforehand: drawing them anew takes half of a CPU step."""

    def __init__(self, p: float, pool: Tensor) -> None:
        super().__init__()
        self.p, self.pool = p, pool

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        begin = int(torch.randint(0, self.pool.numel() - x.numel(), ()))
        return x * self.pool[begin : begin + x.numel()].view(x.shape)


def with_pooled_dropout(model: nn.Module, p: float, size: int = 1 << 25) -> None:
    pool = (torch.rand(size) >= p).to(torch.bfloat16) / (1 - p)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout) and child.p > 0:
                setattr(module, name, PooledDropout(p, pool))


def base_model(folder: Path, layers: int | None, frozen: int) -> PreTrainedModel:
    """The encoder, or its first `layers`, with a new output layer.

    Word embeddings and the lowest `frozen` layers (with all that is shared by layers) keep their weights. Eager
    attention is the fastest here in training.
    """
    model: PreTrainedModel = AutoModelForQuestionAnswering.from_pretrained(
        folder,
        attn_implementation="eager",
        hidden_dropout_prob=HIDDEN_DROPOUT,
        attention_probs_dropout_prob=0.0,  # its masks would be the largest of all
        **({} if layers is None else {"num_hidden_layers": layers}),
    )
    model.get_input_embeddings().weight.requires_grad = False
    if frozen:
        for name, parameter in model.named_parameters():
            layer = re.search(r"\.layer\.(\d+)\.", name)
            head = name.startswith("qa_outputs")
            parameter.requires_grad = head or (layer is not None and int(layer[1]) >= frozen)
    return model


def padded(length: int) -> int:
    return -(-length // WIDTHS) * WIDTHS


def chunks(passages: Sequence[Passage]) -> Iterator[list[int]]:
    """Places of passages of like length, so that little is padding."""
    order = sorted(range(len(passages)), key=lambda i: -len(passages[i].ids))
    while order:
        count = max(1, CHUNK_TOKENS // padded(len(passages[order[0]].ids)))
        chosen, order = order[:count], order[count:]
        yield chosen


def padded_batch(layout: Layout, passages: Sequence[Passage]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, attention mask and segments; the longest passage comes first."""
    width = padded(len(passages[0].ids))
    ids, mask, types = (torch.full((len(passages), width), fill) for fill in (layout.pad, 0, 0))
    for row, passage in enumerate(passages):
        length = len(passage.ids)
        ids[row, :length] = torch.from_numpy(passage.ids)
        mask[row, :length] = 1
        types[row, passage.segment : length] = 1
    return ids, mask, types


def forward(model: PreTrainedModel, layout: Layout, passages: Sequence[Passage]) -> tuple[Tensor, Tensor, Tensor]:
    """(passages, tokens, 2) logits less those at [CLS] (-inf where no answer may be), and the answers' weights."""
    longest = padded(max(len(p.ids) for p in passages))
    rows: list[Tensor | None] = [None] * len(passages)
    weights = torch.zeros(len(passages), longest, 2)
    for i, passage in enumerate(passages):
        weights[i, : len(passage.ids), 0] = torch.from_numpy(passage.start)
        weights[i, : len(passage.ids), 1] = torch.from_numpy(passage.end)
    with torch.autocast("cpu", torch.bfloat16):  # around all chunks: weights are turned into bf16 once a step
        for chosen in chunks(passages):
            ids, mask, types = padded_batch(layout, [passages[i] for i in chosen])
            segments = {"token_type_ids": types} if layout.segments else {}
            hidden = model.base_model(input_ids=ids, attention_mask=mask, **segments).last_hidden_state
            with torch.autocast("cpu", enabled=False):
                logits = model.get_submodule("qa_outputs")(hidden.float())
            allowed = types.bool() & (ids != layout.sep)
            z = (logits - logits[:, :1]).masked_fill(~allowed[:, :, None], NEVER)
            z = nn.functional.pad(z, (0, 0, 0, longest - ids.shape[1]), value=NEVER)
            for row, i in enumerate(chosen):
                rows[i] = z[row]
    return torch.stack([row for row in rows if row is not None]), weights, weights.sum((1, 2)) > 0


def nll(z: Tensor, weights: Tensor, answered: Tensor) -> Tensor:
    """Minus the log probability of the answers (of the null where there are none), softmax over tokens and null.

    `z` and `weights` are (rows, tokens, 2); the null's logit is 0.
    """
    null = torch.zeros_like(z[:, :1])
    total = torch.cat([null, z], 1).logsumexp(1)
    right = (z + weights.clamp_min(TINY).log().masked_fill(weights == 0, NEVER)).logsumexp(1)
    return (total - torch.where(answered[:, None], right, torch.zeros_like(right))).mean(1)


def joint_loss(z: Tensor, weights: Tensor, answered: Tensor, sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The loss over all passages of each question together, and that of the passages alone."""
    alone = nll(z, weights, answered)
    rows = [part.flatten(0, 1) for part in torch.split(z, list(sizes))]
    labels = [part.flatten(0, 1) for part in torch.split(weights, list(sizes))]
    together = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=NEVER)
    wanted = nn.utils.rnn.pad_sequence(labels, batch_first=True)
    shared = nll(together, wanted, wanted.sum((1, 2)) > 0)
    return shared.mean(), torch.stack([part.mean() for part in torch.split(alone, list(sizes))]).mean()


def optimiser(model: PreTrainedModel, rate: float) -> torch.optim.AdamW:
    """AdamW with rates falling towards the bottom; each group remembers its share as `share`."""
    depth = model.config.num_hidden_layers
    groups: list[dict[str, object]] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("qa_outputs"):
            share = HEAD_RATE
        elif ".layer." in name:
            share = LAYER_DECAY ** (depth - 1 - int(name.split(".layer.")[1].split(".")[0]))
        else:
            share = LAYER_DECAY**depth
        decay = WEIGHT_DECAY if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "share": share, "weight_decay": decay})
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def save_checkpoint(
    path: Path, model: nn.Module, ema: nn.Module, adam: torch.optim.Optimizer, done: tuple[int, float]
) -> None:
    """Everything needed to go on; `done` is steps and minutes."""
    tensors: dict[str, Tensor] = {f"model.{k}": v.contiguous() for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v.contiguous() for k, v in ema.state_dict().items()}
    for i, state in adam.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{k}": v.contiguous() for k, v in state.items()}
    tensors["done"] = torch.tensor(done, dtype=torch.float64)
    part = path.with_suffix(".part")
    save_file({k: v.clone() for k, v in tensors.items()}, part)
    part.replace(path)


def load_checkpoint(out: Path, model: nn.Module, ema: nn.Module, adam: torch.optim.Optimizer) -> tuple[int, float]:
    """Steps and minutes done: none when there is no checkpoint."""
    path = out / CHECKPOINT
    if not path.exists():
        return 0, 0.0
    tensors = load_file(path)
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    ema.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("ema.")})
    state = adam.state_dict()
    for key, value in tensors.items():
        if key.startswith("adam."):
            _, i, name = key.split(".")
            state["state"].setdefault(int(i), {})[name] = value
    adam.load_state_dict(state)
    steps, minutes = tensors["done"].tolist()
    return int(steps), minutes


def rate_at(progress: float, warmup: float) -> float:
    """Linear up, level, then linear down to nothing, as a share of the peak.

    >>> [rate_at(p, 0.1) for p in (0.05, 0.1, 0.5, 1.0)]
    [0.5, 1.0, 1.0, 0.0]
    """
    return min(1.0, progress / warmup, (1 - progress) / DECLINE)


def order(stage: Stage, store: Store, seed: int) -> Ints:
    """The questions of all epochs of a stage, one after the other, each epoch shuffled."""
    epochs = []
    for epoch in range(stage.epochs):
        rng = np.random.default_rng((seed, epoch))
        parts = [
            rng.permutation(np.flatnonzero(store.source == source))[:most] for source, most in stage.sources.items()
        ]
        epochs.append(rng.permutation(np.concatenate(parts)).astype(np.int32))
    return np.concatenate(epochs)


def source_of(text: str) -> tuple[str, int | None]:
    """A source as the command takes it: its name, or with how many of its questions an epoch.

    >>> source_of("squad=2500"), source_of("qed")
    (('squad', 2500), ('qed', None))
    """
    name, limited, most = text.partition("=")
    if name not in SOURCES or (limited and not (most.isdecimal() and int(most) > 0)):
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(SOURCES)}, alone or with a number as in squad=2500; found {text!r}"
        )
    return name, int(most) if limited else None


def averaged(model: nn.Module, minutes: float, loss: tuple[float, float]) -> tuple[float, float, float]:
    """Replace gradients by their mean over all processes; also the mean of the losses, and the first one's minutes."""
    parameters = [p for p in model.parameters() if p.grad is not None]
    extra = torch.tensor([minutes if dist.get_rank() == 0 else 0.0, *loss])
    flat = torch.cat([extra, *(p.grad.flatten() for p in parameters if p.grad is not None)])
    dist.all_reduce(flat)
    flat[1:] /= dist.get_world_size()
    parts = torch.split(flat[3:], [p.numel() for p in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)
    return float(flat[0]), float(flat[1]), float(flat[2])


def train(
    stage: Stage,
    store: Store,
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    out: Path,
    seed: int,
    after: Callable[[nn.Module, int], None] | None = None,
) -> None:
    """Run a stage to its end, or go on with it; leaves the averaged weights in `out/<stage>` and in the model.

    Each process reads its share of every step's questions; the first one tells, saves and keeps the time.
    """
    rank, processes = dist.get_rank(), dist.get_world_size()
    out = out / stage.name
    out.mkdir(parents=True, exist_ok=True)
    if (out / "model.safetensors").exists():
        model.load_state_dict(load_file(out / "model.safetensors"))
        return
    adam = optimiser(model, stage.rate)
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(EMA))  # type: ignore[no-untyped-call]
    done, minutes = load_checkpoint(out, model, ema, adam)
    questions = order(stage, store, seed)
    steps = len(questions) // stage.groups
    per_epoch = max(1, steps // stage.epochs)
    saved = told = last = time.monotonic()
    tokens, losses, steady = 0, [], False
    model.train()
    for step in range(done, steps):
        progress = max((step + 0.5) / steps, minutes / stage.minutes)
        if progress >= 1:
            break
        chosen = questions[step * stage.groups : (step + 1) * stage.groups]
        rng = np.random.default_rng((seed, step, rank))
        torch.manual_seed(seed + step * processes + rank)
        groups = [group(store, int(q), stage.negatives, rng) for q in chosen[rank::processes]]
        passages = [p for g in groups for p in g]
        shared, alone = joint_loss(*forward(model, store.layout, passages), [len(g) for g in groups])
        (shared + alone).backward()  # type: ignore[no-untyped-call]
        begun, last = last, time.monotonic()
        minutes += min(last - begun, STALLED) / 60
        minutes, *both = averaged(model, minutes, (shared.item(), alone.item()))
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for part in adam.param_groups:
            part["lr"] = stage.rate * part["share"] * rate_at(progress, stage.warmup)
        adam.step()
        adam.zero_grad()
        ema.update_parameters(model)
        tokens += sum(len(p.ids) for p in passages) * processes
        losses.append(both)
        now = time.monotonic()
        if rank > 0:
            continue
        if (step + 1) % 25 == 0 or step + 1 == steps:
            mean = np.mean(losses, axis=0)
            print(
                f"{time.strftime('%H:%M:%S')} {stage.name} step {step + 1}/{steps} shared {mean[0]:.3f}"
                f" alone {mean[1]:.3f} tokens/s {tokens / (now - told):.0f} progress {progress:.3f}",
                flush=True,
            )
            told, tokens, losses = now, 0, []
        if steady and progress > 1 - DECLINE:
            save_checkpoint(out / STEADY, model, ema, adam, (step + 1, minutes))
        steady = progress <= 1 - DECLINE
        if now - saved > SAVE_SECONDS:
            save_checkpoint(out / CHECKPOINT, model, ema, adam, (step + 1, minutes))
            saved = now
        if after is not None and ((step + 1) % per_epoch == 0 or step + 1 == steps):
            ema.module.eval()
            after(ema.module, step + 1)
            told = time.monotonic()
    model.load_state_dict(ema.module.state_dict())
    dist.barrier()
    if rank > 0:
        return
    model.save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / CHECKPOINT).unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays", type=Path, required=True, help="folder made by training.prepare")
    parser.add_argument("--base", type=Path, required=True, help="folder of the sentence encoder to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and weights")
    parser.add_argument("--data", type=Path, help="folder with the datasets: tuning articles are scored on the way")
    parser.add_argument("--start", type=Path, help="folder whose weights are trained further (made from the base)")
    parser.add_argument("--first-epochs", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--first-minutes", type=float, default=float("inf"), help="end the first stage by then")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end the second stage by then")
    parser.add_argument(
        "--sources",
        nargs="+",
        type=source_of,
        metavar="SOURCE[=N]",
        default=[(name, None) for name in SOURCES if name != "qamr"],
        help="of the second stage, with at most N random questions an epoch: "
        f"{', '.join(SOURCES)} (default: all but qamr, which is the first stage's)",
    )
    parser.add_argument("--negatives", type=int, default=1)
    parser.add_argument("--rate", type=float, default=6e-5, help="the top layer's peak")
    parser.add_argument("--layers", type=int, help="of the base that are kept, from below (default: all)")
    parser.add_argument("--frozen", type=int, default=0, help="of these, the lowest that keep their weights")
    parser.add_argument("--questions", type=int, default=24, help="a step of the second stage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="of one thread each; best one a core")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {k: str(v) for k, v in vars(options).items()}
    (options.out / "options.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    meeting = options.out / "processes"
    meeting.unlink(missing_ok=True)
    spawn(run, (options, str(meeting)), nprocs=options.processes)  # type: ignore[no-untyped-call]


def run(rank: int, options: argparse.Namespace, meeting: str) -> None:
    """One of the processes: both stages."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=options.processes)
    torch.manual_seed(options.seed)
    store, tokenizer = load_store(options.arrays), load_tokenizer(options.base)
    model = base_model(options.base, options.layers, options.frozen)
    if options.start is not None:
        model.load_state_dict(load_file(options.start / "model.safetensors"))
    with_pooled_dropout(model, HIDDEN_DROPOUT)

    def after(model: nn.Module, step: int) -> None:
        from training.evaluate import tuning_figures

        figures = tuning_figures(SpanReader(tokenizer, TorchModel(model)), options.data)
        print(f"{time.strftime('%H:%M:%S')} tuning articles after step {step}: {json.dumps(figures)}", flush=True)

    watch = after if options.data else None
    first = Stage(
        "first", {QAMR: None, QED: None}, options.first_epochs, 48, 0, options.rate, 0.1, options.first_minutes
    )
    second = Stage(
        "second",
        {SOURCES[name]: most for name, most in options.sources},
        options.epochs,
        options.questions,
        options.negatives,
        options.rate,
        0.05,
        options.minutes,
    )
    for stage in (first, second):
        if stage.epochs:
            train(stage, store, model, tokenizer, options.out, options.seed, watch)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
