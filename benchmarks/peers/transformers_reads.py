"""What is left of a question-answering pipeline in transformers 5: a model, a tokenizer, and the best span of a batch.

For programs that retrieve but have no extractive reader of their own.
"""

from collections.abc import Callable, Sequence

ANSWER_TOKENS = 30


def reader(folder: str) -> Callable[[str, Sequence[str]], str | None]:
    """The best span of some texts, or None where "not here" scores higher in each of them."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()

    def read(question: str, texts: Sequence[str]) -> str | None:
        tokens = tokenizer(
            [question] * len(texts),
            list(texts),
            truncation="only_second",
            padding=True,
            return_tensors="pt",
            return_offsets_mapping=True,
        )
        offsets = tokens.pop("offset_mapping")
        with torch.inference_mode():
            found = model(**{name: tokens[name] for name in ("input_ids", "attention_mask")})
        best: tuple[float, str | None] = (0.0, None)
        for row, text in enumerate(texts):
            inside = torch.tensor([part == 1 for part in tokens.sequence_ids(row)])
            starts, ends = (
                (scores[row] - scores[row, 0]).masked_fill(~inside, -1e9)
                for scores in (found.start_logits, found.end_logits)
            )
            spans = (starts[:, None] + ends[None, :]).triu().tril(ANSWER_TOKENS - 1)
            spans = spans.masked_fill(spans == 0, -1e9)
            place = int(spans.argmax())
            first, last = divmod(place, spans.shape[1])
            score = float(spans[first, last])
            if score > best[0]:
                best = (score, text[int(offsets[row, first, 0]) : int(offsets[row, last, 1])])
        return best[1]

    return read
