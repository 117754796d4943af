"""What a question asks for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import QuestionError
from qa.question import (
    MAX_QUESTION_CHARACTERS,
    AnswerType,
    asked_type,
    asks_for_definition,
    asks_for_list,
    asks_for_sentence,
    asks_for_steps,
    asks_yes_or_no,
    clean_question,
    expressions,
    holds_words,
    plain_question,
)


@pytest.mark.parametrize(
    ("question", "clean"),
    [
        ("  When did\n it\topen? ", "When did it open?"),
        ("When\x00did\x1b[31m it\x7f open?", "When did [31m it open?"),
        ("When did \ud800 it open \udcff?", "When did it open ?"),
        ("cafe\u0301", "café"),
        ("ﬁne 👩🏽‍🚀 橋", "ﬁne 👩🏽‍🚀 橋"),
        ("", ""),
        (" \n\t\u00a0 ", ""),
    ],
)
def test_a_question_becomes_one_clean_line(question: str, clean: str) -> None:
    assert clean_question(question) == clean


@given(st.text(st.characters(), max_size=100))
def test_a_clean_question_can_be_written_out_and_cleaned_again(question: str) -> None:
    clean = clean_question(question)

    clean.encode("utf-8")
    assert clean_question(clean) == clean == unicodedata.normalize("NFC", clean)
    assert "\n" not in clean and "\x1b" not in clean


def test_a_question_that_is_too_long_is_refused_with_both_lengths() -> None:
    assert len(clean_question("x" * MAX_QUESTION_CHARACTERS)) == MAX_QUESTION_CHARACTERS
    with pytest.raises(QuestionError, match=r"has 10,000 characters; at most 2,000 are read\. Ask it in fewer words"):
        clean_question("x" * 10_000)


@pytest.mark.parametrize(
    ("question", "holds"), [("", False), ("?!…", False), ("👍 👩🏽‍🚀", False), ("a", True), ("2", True), ("橋", True)]
)
def test_a_question_holds_a_letter_or_a_digit_or_nothing_to_look_for(question: str, holds: bool) -> None:
    assert holds_words(question) is holds


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did it open?", "date"),
        ("In which year did it open?", "date"),
        ("What date is it?", "date"),
        ("How many mines were destroyed?", "number"),
        ("how long is the bridge?", "number"),
        ("Who built it?", "person"),
        ("By whom was it built?", "person"),
        ("Where is it?", "place"),
        ("In which city is it?", "place"),
        ("What is it made of?", "text"),
        ("Why did it burn?", "text"),
        ("whenever it rains", "text"),
        ("", "text"),
    ],
)
def test_the_question_word_tells_the_kind_of_answer(question: str, kind: AnswerType) -> None:
    assert asked_type(question) == kind


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("date", "On 1 May 2003, in June 2004 and May 5, 2005.", ["1 May 2003", "June 2004", "May 5, 2005"]),
        ("date", "It took from 1901 to 1903, or 1901–1903.", ["1901", "1903", "1901–1903"]),
        ("date", "Room 12345 is 12 m wide.", []),
        ("number", "In 2004 over 1200 mines and five men were counted.", ["over 1200", "five"]),
        ("number", "It cost $3.5 million, or 12 per cent.", ["$3.5 million", "12 per cent"]),
        (
            "person",
            "Yesterday Foreign Minister Hamrokhon Zarifi spoke.",
            ["Yesterday Foreign Minister Hamrokhon Zarifi"],
        ),
        ("person", "Then Jaap de Hoop Scheffer came.", ["Then Jaap de Hoop Scheffer"]),
        ("person", "Nobody came.", []),
        ("place", "They met in New York and flew to Paris.", ["New York", "Paris"]),
        ("text", "They met in New York in 2004.", []),
    ],
)
def test_expressions_of_a_kind_are_found_with_their_places(kind: AnswerType, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in expressions(kind, text)] == found


@given(st.sampled_from(["date", "number", "person", "place", "text"]), st.text(max_size=200))
def test_expressions_are_in_order_and_inside_the_text(kind: AnswerType, text: str) -> None:
    edges = [0, *(edge for place in expressions(kind, text) for edge in place), len(text)]

    assert edges == sorted(edges)


@pytest.mark.parametrize(
    "question",
    [
        "Do they work together?",
        "Isn't it open?",
        "But is it true?",
        "Please, was it signed?",
        "In 2004, did NATO help?",
        "On 5 May, were talks held?",
        "Can you fly?",
        "Can you tell me whether it joined?",
        "Do you know if NATO met?",
        "I'd like to know if it left",
        "whether NATO takes part",
    ],
)
def test_questions_of_yes_or_no(question: str) -> None:
    assert asks_yes_or_no(question)
    assert asks_for_sentence(question)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Can you tell me when it joined?", False),
        ("Do you know who met?", False),
        ("Does anyone know what happened?", False),
        ("Is it A or B?", False),
        ("In which year was it?", False),
        ("If it rains, what then?", False),
        ("Tell me about the talks", False),
        ("And why?", True),
        ("Hello, can you please tell me why they met?", True),
        ("According to the report, why did they meet?", True),
        ("Could anyone tell us how it works?", True),
        ("", False),
    ],
)
def test_questions_that_are_none_of_yes_or_no(question: str, sentence: bool) -> None:
    assert not asks_yes_or_no(question)
    assert asks_for_sentence(question) == sentence


@pytest.mark.parametrize(
    ("question", "definition"),
    [
        ("What is a partnership programme?", True),
        ("who was Emomali Rahmon", True),
        ("Can you tell me what the Warsaw Pact was?", True),
        ("Explain what latency is", False),  # only once it is a plain question
        ("What was the Warsaw Pact?", True),
        ("What is meant by transparency of budgets?", True),
        ("What does interoperability mean?", True),
        ("Define “host nation”.", True),
        ("Who was Peter of Rome?", True),
        ("What is the budget?", False),
        ("What is NATO’s budget?", False),
        ("What is the budget of NATO?", False),
        ("What was it renamed?", False),
        ("What is required?", False),
        ("Who was the first to visit?", False),
        ("What is used for mine clearing?", False),
        ("What is in the annex?", False),
    ],
)
def test_questions_of_what_or_who_something_is(question: str, definition: bool) -> None:
    assert asks_for_definition(question) == definition
    assert asks_for_sentence(question) == definition


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ("How do I insert a page break?", True),
        ("how to merge two lists?", True),
        ("How would one turn it off?", True),
        ("How can cells be protected?", True),
        ("What should I do to get rid of an entry?", True),
        ("What are the steps for printing stickers?", True),
        ("steps to leave?", True),
        ("Where can I change the first page number?", True),
        ("The pump is stuck. How do I open it?", True),
        ("I want a note that is not printed, how?", True),
        ("How?", False),
        ("How did plants reach the island?", False),
        ("How do plants drink?", False),
        ("How many can I take?", False),
        ("How long do I wait?", False),
        ("Who taught them how to read?", False),
        ("Where can I find a hotel?", False),
        ("What do I need?", False),
        ("What is the purpose of the fund?", False),
    ],
)
def test_questions_of_what_to_do(question: str, steps: bool) -> None:
    assert asks_for_steps(question) == steps
    assert asks_for_sentence(question) or not steps


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Which countries paid for it?", True),
        ("Can you tell me which countries paid?", True),
        ("In which years was London hit?", True),
        ("What three churches have colleges there?", True),
        ("What parts does the pump have?", True),
        ("What status does it have?", False),
        ("What kinds of courses are held?", True),
        ("Which Supreme Court cases deal with it?", True),
        ("Who were its presidents?", True),
        ("Name the members.", True),
        ("List all donors", True),
        ("What tribe uses maps?", False),
        ("What right do they have?", False),
        ("What percentage were women?", False),
        ("Which class was it?", False),
        ("Name a member.", False),
        ("Name the donor countries that paid for it.", True),
        ("Identify the United Nations agencies.", True),
        ("Name the food and waterborne diseases found there.", True),
        ("Name the countries Mali borders.", True),
        ("Name the city where officers were taught.", False),
        ("Name the news outlet that ran the report.", False),
        ("Name the country whose schools closed.", False),
        ("Name the United Nations agency.", False),
        ("What happened in towns that were burnt?", False),
        ("When were they built?", False),
    ],
)
def test_questions_for_several_things(question: str, several: bool) -> None:
    assert asks_for_list(question) == several


@pytest.mark.parametrize(
    ("question", "plain"),
    [
        ("When did it open?", "When did it open?"),
        ("I need to find out in which year NATO was founded", "in which year NATO was founded?"),
        ("For my notes: I can't remember who heads the office.", "who heads the office?"),
        ("year of the first visit", "What is the year of the first visit?"),
        ("The school where officers were taught", "What is the school where officers were taught?"),
        ("Give the names of all donors.", "What are the names of all donors?"),
        ("Name the donor countries.", "What are the donor countries?"),
        ("Name the city where they met.", "What is the city where they met?"),
        ("NATO helped.", "NATO helped?"),
        ("Tajikistan", "Tajikistan?"),
        ("встреча в Душанбе", "встреча в Душанбе?"),
        ("State whether NATO takes part.", "whether NATO takes part?"),
        ("Explain why the mines were destroyed.", "why the mines were destroyed?"),
        ("I read of Zarifi and wonder whom he met there.", "I read of Zarifi and wonder whom he met there?"),
        ("They built a school; I wonder when it opened.", "They built a school; I wonder when it opened?"),
        ("The soldiers were sent home, tell me why.", "The soldiers were sent home, tell me why?"),
        ("Can you tell me when it opened?", "when it opened?"),
        ("Hi, could you please tell me, who came?", "who came?"),
        ("I would like to know how many came.", "how many came?"),
        ("founding date", "What is the founding date?"),
        ("Who came ?!", "Who came?"),
        ("…", "…"),
        ("According to the documents, who came?", "who came?"),
        ("In the documents, can you tell me who came?", "who came?"),
        ("In 2004, do you know who came?", "In 2004, who came?"),
        ("According to the report on mines, who came?", "According to the report on mines, who came?"),
        ("Do you know if they came?", "Do you know if they came?"),
        ("Can you tell me?", "Can you tell me?"),
        ("Do they know who came?", "Do they know who came?"),
    ],
)
def test_courtesies_are_no_part_of_a_question(question: str, plain: str) -> None:
    assert plain_question(question) == plain
    assert plain_question(plain) == plain


@given(st.text(max_size=60))
def test_a_plain_question_has_words_where_the_question_has(question: str) -> None:
    assert holds_words(plain_question(question)) == holds_words(question)
    assert len(plain_question(question)) <= len(question) + len("What is the ?")
