"""Exact words from passages, by a model trained to mark where an answer starts and ends.

The model reads `question, passage in its context` and gives each token a start and an end score, and the first token
the score of "not in this passage". A span's score is its start plus its end score less those of the first token: its
log-odds against the passage holding no answer, which is what compares across passages (Clark & Gardner 2018).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from qa.batches import Ints, batches
from qa.datatypes import Candidate, Passage, Reading, Span
from qa.eight_bits import Parts
from qa.errors import ModelMissing
from qa.network import Network
from qa.passages import PassageInContext, in_context
from qa.question import asked_type, asks_for_list, asks_for_sentence, expressions
from qa.text import list_goes_on

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Floats = npt.NDArray[np.float32]

MAX_TOKENS = 384
"""Of one window, question and context included, as in training; a longer passage is read in several windows."""

STRIDE_TOKENS = 128
"""Shared by neighbouring windows, so that no answer is cut by a window's end."""

QUESTION_TOKENS = 64
"""A longer question is read by its beginning: the window must leave room for the passage."""

ANSWER_TOKENS = 30
"""No longer span is looked at, as in training; nearly all answers people mark are shorter."""

LIST_TOKENS = 120
"""The same where a list is asked for."""

LIST_LOSS = 4.0
"""Log-odds that a whole list may score below that part of it which the model marks. From 3 to 6, of 32 questions for
lists on held-out articles 23 are answered rightly, 15 without; at 2, 21."""

SPANS_A_PASSAGE = 3
"""Different spans kept of one passage: enough for alternatives and disagreement inside it."""

BATCH_TOKENS = 256
"""Most tokens run together, padding included; a longer text runs alone. 512 takes 2 % less time and 35 MB more, for
texts of some length keep all cores busy alone."""

LEAST_TOKENS = 96
"""Fewest tokens run together, padding included: for 80 and less OpenVINO puts the weights into another order where it
computes in floating point, and would hold them twice (70 MB)."""

OUTLIERS = "outliers.json"
"""The file beside an exported reader's network with the channels that `qa.eight_bits` is to split."""

BUNDLED_READER = Path(str(files("qa"))) / "models" / "reader"
"""The folder of the reader that comes with the program."""

DATE_WORDS = 6
"""A longer answer to "when" is more than a date ("at the beginning of March 1992" is six words)."""

RECKONED_WORDS = 20
"""What a length of time is reckoned from is quoted with it up to so many words; more is a whole provision."""

_LENGTH_OF_TIME = re.compile(r"\w[\s-]+(?:minute|hour|day|week|month|year)s?$", re.IGNORECASE)
_RECKONED_FROM = re.compile(
    r"\s+(?:before|after|from|prior\s+to|following|of|upon)\s+[^.,;:!?()]+(?<!\s)", re.IGNORECASE
)

NULL_SCORE = 0.0
"""Log-odds of even: above it the model finds an answer likelier than none."""


class Model(Protocol):
    """Gives start and end scores of shape (windows, tokens) for ids, mask and types of that shape. Thread-safe."""

    def __call__(self, ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]: ...


class SpanReader:
    """Reads with any model that scores starts and ends, and its fast tokenizer.

    `name` says which calibration applies to the scores: all models of this kind share one.
    """

    name = "span-reader"

    def __init__(self, tokenizer: Tokenizer, model: Model) -> None:
        """The tokenizer becomes the reader's own: its truncation and padding are set anew."""
        self._model = model
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS, stride=STRIDE_TOKENS, strategy="only_second")
        self._tokenizer = tokenizer

    @classmethod
    def bundled(cls, exact: bool = False) -> SpanReader:
        """The reader that comes with the program, without torch; `exact` as in `from_export`. Raises ModelMissing."""
        return cls.from_export(BUNDLED_READER, exact)

    @classmethod
    def from_export(cls, folder: Path, exact: bool = False) -> SpanReader:
        """A reader exported by `training/export.py`; with `exact`, run in float32 whatever the processor has.

        Raises ModelMissing, naming what is wrong with the folder.
        """
        for name in ("config.json", "tokenizer.json", "reader.xml", "reader.bin"):
            if not (folder / name).is_file():
                raise ModelMissing(f"The reader in {folder} has no {name}. Name another with --reader.")
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            kind = config["type"]
        except (ValueError, KeyError, TypeError) as error:
            raise ModelMissing(f"{folder / 'config.json'} is no description of a reader.") from error
        if kind != "span-reader":
            raise ModelMissing(f"{folder} holds a model of type {kind!r}, expected is 'span-reader'.")
        return cls(_tokenizer(folder / "tokenizer.json"), OpenVINOModel(folder / "reader.xml", exact))

    @classmethod
    def from_hub(cls, name: str) -> SpanReader:
        """A Hugging Face model for extractive question answering, by its folder or (online) its hub name."""
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True, trust_remote_code=False)
            model = AutoModelForQuestionAnswering.from_pretrained(name, trust_remote_code=False)
        except Exception as error:  # the library raises whatever its many loaders raise
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise ModelMissing(
                f"The reader {name!r} cannot be loaded: {reason}. Name a folder or hub name of a model for extractive "
                "question answering, or leave the option out for the bundled reader."
            ) from error
        if not tokenizer.is_fast:
            raise ModelMissing(f"The reader {name!r} has no fast tokenizer, and so no places for its tokens.")
        return cls(tokenizer.backend_tokenizer, TorchModel(model))

    def read(self, question: str, candidates: Sequence[Candidate]) -> Reading:
        """Up to `SPANS_A_PASSAGE` spans a passage, best first.

        Sentences where only they answer, whole lists where several things are asked for; for "when" dates, and how
        long before or after what.
        """
        spans = self.spans(question, candidates, whole_lists=asks_for_list(question))
        if asks_for_sentence(question):
            spans = [_whole_sentence(span) for span in spans]
        elif asked_type(question) == "date":
            spans = [_reckoned(_its_date(span)) for span in spans]
        return Reading(tuple(spans), NULL_SCORE)

    def spans(self, question: str, candidates: Sequence[Candidate], whole_lists: bool = False) -> list[Span]:
        """The spans as the model marks them, best first; grown to the lists that they are part of, if asked for."""
        windows = list(self._windows(question, candidates))
        found: list[Span] = []
        for window, (starts, ends) in zip(windows, self._scores(windows), strict=True):
            found += window.spans(starts, ends, whole_lists)
        return sorted(found, key=lambda span: -span.score)

    def _windows(self, question: str, candidates: Sequence[Candidate]) -> Iterator[_Window]:
        if not question.isascii() or len(question) > QUESTION_TOKENS:  # others have a token a character at most
            asked = self._tokenizer.encode("", question, add_special_tokens=False)  # a second text may be of any length
            if len(asked.ids) > QUESTION_TOKENS:
                question = question[: asked.offsets[QUESTION_TOKENS - 1][1]]
        contexts = [in_context(candidate.passage) for candidate in candidates]
        encodings = self._tokenizer.encode_batch([(question, context.text) for context in contexts])
        for candidate, context, encoding in zip(candidates, contexts, encodings, strict=True):
            for part in (encoding, *encoding.overflowing):
                yield _Window(candidate, context, part)

    def _scores(self, windows: Sequence[_Window]) -> Iterator[tuple[Floats, Floats]]:
        """Start and end scores of each window, in their order."""
        found: dict[int, tuple[Floats, Floats]] = {}
        for batch in batches([window.encoding for window in windows], BATCH_TOKENS, MAX_TOKENS, LEAST_TOKENS):
            starts, ends = self._model(batch.ids, batch.mask, batch.types)
            for row, i in enumerate(batch.places):
                length = len(windows[i].encoding.ids)
                found[i] = starts[row, :length], ends[row, :length]
        return (found[i] for i in range(len(windows)))


def _tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelMissing(f"{path} is no tokenizer. Name another reader with --reader.") from error


@dataclass(frozen=True)
class _Window:
    """A part of a passage in its context, as the model sees it."""

    candidate: Candidate
    context: PassageInContext
    encoding: Encoding

    def spans(self, starts: Floats, ends: Floats, whole_lists: bool) -> list[Span]:
        """The best spans that do not overlap, best first."""
        tokens = [i for i, _ in self._quotable()]
        if not tokens:
            return []
        first, last = tokens[0], tokens[-1] + 1
        allowed = np.zeros(last - first, dtype=bool)
        allowed[np.array(tokens) - first] = True
        start = np.where(allowed, starts[first:last] - starts[0], -np.inf)
        end = np.where(allowed, ends[first:last] - ends[0], -np.inf)
        longest = LIST_TOKENS if whole_lists else ANSWER_TOKENS
        scores = np.triu(start[:, None] + end[None, :]) + _band(last - first, longest)
        found: list[Span] = []
        for flat in np.argsort(scores, axis=None)[::-1]:
            i, j = divmod(int(flat), last - first)
            if not np.isfinite(scores[i, j]) or len(found) == SPANS_A_PASSAGE:
                break
            span = self._span(first + i, first + j, float(scores[i, j]))
            if span is None or _touches(span, found):
                continue
            if whole_lists:
                span = self._whole_list(span, starts, ends)
            if not _touches(span, found):
                found.append(span)
        return found

    def _whole_list(self, span: Span, starts: Floats, ends: Floats) -> Span:
        """The span, grown over its neighbours in a list as far as the model does not mind; its score stays."""
        passage = self.candidate.passage
        sentence = next((s for s in passage.sentences if s.start <= span.start < span.end <= s.end), None)
        if span.support is not None or sentence is None:
            return span
        shift = passage.start - self.context.text_start
        places = [(i, start + shift, end + shift) for i, (start, end) in self._quotable()]
        before = [(starts[i] - starts[0], i, start) for i, start, _ in places if sentence.start <= start <= span.start]
        after = [(ends[i] - ends[0], i, end) for i, _, end in places if span.end <= end <= sentence.end]
        text, first = passage.text, passage.start
        start, end = span.start, span.end
        while True:
            left, right = list_goes_on(sentence.text, start - sentence.start, end - sentence.start)
            grown = max(
                (
                    (float(one + other), s, e)
                    for one, i, s in before
                    if s == start or (left and s < start)
                    for other, j, e in after
                    if (e == end or (right and e > end)) and (s, e) != (start, end) and j - i < LIST_TOKENS
                ),
                default=None,
            )
            if grown is None or grown[0] < span.score - LIST_LOSS:
                break
            _, start, end = grown
        place = tidy(text, start - first, end - first)
        if place is None:
            return span
        start, end = place
        return dataclasses.replace(span, start=first + start, end=first + end, text=text[start:end])

    def _quotable(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """The tokens that stand in the passage's text or its label, each with its place in the context."""
        label = self.candidate.passage.label
        label_start = self.context.label_start
        for i, (sequence, (start, end)) in enumerate(
            zip(self.encoding.sequence_ids, self.encoding.offsets, strict=True)
        ):
            in_text = start >= self.context.text_start
            in_label = (
                label is not None and label_start is not None and label_start <= start < label_start + len(label.text)
            )
            if sequence == 1 and end > start and (in_text or in_label):
                yield i, (start, end)

    def _span(self, first: int, last: int, score: float) -> Span | None:
        """The span of two tokens, trimmed; None when it runs from the label into the text."""
        start, end = self.encoding.offsets[first][0], self.encoding.offsets[last][1]
        passage, label = self.candidate.passage, self.candidate.passage.label
        if start >= self.context.text_start:
            shift = passage.start - self.context.text_start
            place = tidy(passage.text, start + shift - passage.start, end + shift - passage.start)
            if place is None:
                return None
            start, end = place
            return Span(self.candidate, passage.start + start, passage.start + end, passage.text[start:end], score)
        assert label is not None and self.context.label_start is not None  # or the token was not quotable
        if end > self.context.label_start + len(label.text):
            return None
        place = tidy(label.text, start - self.context.label_start, end - self.context.label_start)
        if place is None:
            return None
        start, end = place
        return Span(
            self.candidate,
            label.start + start,
            label.start + end,
            label.text[start:end],
            score,
            support=(passage.start, passage.end),
        )


def _touches(span: Span, others: Sequence[Span]) -> bool:
    return any(other.start < span.end and span.start < other.end for other in others)


def _band(tokens: int, longest: int) -> Floats:
    """0 where a span from its start to its end has at most so many tokens, minus infinity elsewhere."""
    lead = np.arange(tokens)[None, :] - np.arange(tokens)[:, None]
    return np.where((lead >= 0) & (lead < longest), 0.0, -np.inf).astype(np.float32)


_EDGE = re.compile(r"[\s,;:.!?\"“”‘'’–—-]+")
_ARTICLES = frozenset({"a", "an", "the", "An", "The"})  # "A" may be a grade or a blood group
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


def tidy(text: str, start: int, end: int) -> tuple[int, int] | None:
    """A span grown to whole words, without punctuation, half brackets or brackets around it all.

    None when nothing is left, or nothing but an article.

    >>> text = "It joined the (Euro-Atlantic) Council, in 1992."
    >>> place = tidy(text, 15, 38)
    >>> text[slice(*place)]
    '(Euro-Atlantic) Council'
    """
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    for opening, closing in _BRACKETS.items():
        inside = text[start:end]
        if inside.count(opening) == inside.count(closing) + 1 and text[end : end + 1] == closing:
            end += 1
        elif inside.count(closing) == inside.count(opening) + 1 and start > 0 and text[start - 1] == opening:
            start -= 1
    if _BRACKETS.get(text[start]) == text[end - 1] and not re.search(r"[()\[\]{}]", text[start + 1 : end - 1]):
        start, end = start + 1, end - 1
    while start < end and (_EDGE.match(text[start]) or _unclosed(text, start, end, start)):
        start += 1
    while end > start and (_EDGE.match(text[end - 1]) or _unclosed(text, start, end, end - 1)):
        # A full stop belongs to an abbreviation or initial ("U.S.", "Robert F.").
        if text[end - 1] == "." and re.search(r"\b\w\.$", text[start:end]) and end < len(text):
            break
        end -= 1
    return (start, end) if start < end and text[start:end] not in _ARTICLES else None


def _unclosed(text: str, start: int, end: int, at: int) -> bool:
    """Whether a bracket at the edge of a span has its partner outside it."""
    inside, character = text[start:end], text[at]
    return any(character in pair and inside.count(pair[0]) != inside.count(pair[1]) for pair in _BRACKETS.items())


def _whole_sentence(span: Span) -> Span:
    """The sentence in which a span begins; a span in a label stands for the line it labels."""
    passage: Passage = span.candidate.passage
    at = passage.start if span.support is not None else span.start
    sentence = next((s for s in passage.sentences if s.start <= at < s.end), None)
    if sentence is None:
        return span
    return Span(span.candidate, sentence.start, sentence.end, sentence.text, span.score)


def _its_date(span: Span) -> Span:
    """The only date in a span that is too long for one; any other span as it is."""
    dates = list(expressions("date", span.text))
    if len(dates) != 1 or len(span.text.split()) <= DATE_WORDS:
        return span
    start, end = dates[0]
    return dataclasses.replace(span, start=span.start + start, end=span.start + end, text=span.text[start:end])


def _reckoned(span: Span) -> Span:
    """A length of time with what it is reckoned from: "six weeks before the post becomes vacant"."""
    passage = span.candidate.passage
    sentence = next((s for s in passage.sentences if s.start <= span.start < span.end <= s.end), None)
    if sentence is None or not _LENGTH_OF_TIME.search(span.text) or any(expressions("date", span.text)):
        return span
    reckoned_from = _RECKONED_FROM.match(sentence.text, span.end - sentence.start)
    if reckoned_from is None or len(reckoned_from[0].split()) > RECKONED_WORDS:
        return span
    end = sentence.start + reckoned_from.end()
    return dataclasses.replace(span, end=end, text=passage.text[span.start - passage.start : end - passage.start])


class OpenVINOModel:
    """An exported model, in 8 bits with AVX2 alone, too, where a file beside it tells which channels are outliers."""

    def __init__(self, path: Path, exact: bool = False) -> None:
        outliers = _outliers(path.with_name(OUTLIERS))
        try:
            self._network = Network(path, exact, tokens=LEAST_TOKENS, parts=outliers)
        except (RuntimeError, IndexError) as error:
            raise ModelMissing(f"OpenVINO cannot load the reader at {path}. Name another with --reader.") from error

    def __call__(self, ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        found = self._network.run(input_ids=ids, attention_mask=mask, token_type_ids=types)
        return found["start_logits"], found["end_logits"]


def _outliers(file: Path) -> Parts | None:
    """What an export says of its outliers; None where it says nothing."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(map(_are_parts, found.values())):
        raise ModelMissing(f"{file} is no list of outliers. Remove it, or export the reader anew.")
    return found


def _are_parts(value: object) -> bool:
    return isinstance(value, dict) and all(
        channel.isdecimal() and isinstance(count, int) and count > 0 for channel, count in value.items()
    )


class TorchModel:
    """A transformers model for extractive question answering."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        self._takes_types = getattr(model.config, "type_vocab_size", 0) > 1

    def __call__(self, ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        import torch

        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if self._takes_types:
            given["token_type_ids"] = torch.from_numpy(types)
        with torch.inference_mode():
            found = self._model(**given)
        return found.start_logits.float().numpy(), found.end_logits.float().numpy()
