"""Errors that a person can act on.

    QAError
    ├── CorpusError      the folder of documents cannot be read, or nothing in it can
    ├── DocumentError    one document cannot be read (listed with its reason; the others go on)
    ├── IndexMissing     there is no index where one was expected
    ├── IndexStale       the index was made with another model, or in another format
    ├── IndexDamaged     a file of the index is missing, cut short or changed
    ├── IndexBusy        another process is writing the index
    ├── ModelMissing     a model cannot be loaded from where it was said to be
    ├── QuestionError    a question cannot be taken as it is
    └── QuestionsError   a file of questions (a batch or an evaluation set) is not as it should be

Each message says what was expected, what was found, and what to do next.
"""


class QAError(Exception):
    """Something a person can mend; the message says how."""


class CorpusError(QAError):
    """The corpus cannot be read, or nothing in it can."""


class DocumentError(QAError):
    """One document cannot be read; the message is the reason shown for it."""


class IndexMissing(QAError):
    """There is no index where one was expected."""


class IndexStale(QAError):
    """The index does not fit the model, the settings or the format in use."""


class IndexDamaged(QAError):
    """A file of the index is missing, cut short or changed."""


class IndexBusy(QAError):
    """Another process is writing the index."""


class ModelMissing(QAError):
    """A model cannot be loaded from where it was said to be."""


class QuestionError(QAError):
    """A question cannot be taken as it is."""


class QuestionsError(QAError):
    """A file of questions is not as it should be; the message names the line."""
