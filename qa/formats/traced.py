"""A text that knows from which characters of a page it was put together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traced:
    """A text and, as runs of characters that stand together there too, where it comes from.

    A run is its beginning and end in the text and the number of its first character on the page. What is in no run was
    put in: a space between two lines.
    """

    text: str
    runs: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, text: str, first: int) -> Traced:
        """A text as it stands on the page, from one of its characters on."""
        return cls(text, ((0, len(text), first),))

    def part(self, start: int, end: int) -> Traced:
        """The characters `[start, end)`.

        >>> (Traced.of("con-", 5) + Traced.of("cern", 10)).part(2, 6)
        Traced(text='n-ce', runs=((0, 2, 7), (2, 4, 10)))
        """
        cut = ((max(s, start), min(e, end), first + max(0, start - s)) for s, e, first in self.runs)
        return Traced(self.text[start:end], tuple((s - start, e - start, first) for s, e, first in cut if s < e))

    def __add__(self, other: Traced) -> Traced:
        shift = len(self.text)
        return Traced(self.text + other.text, self.runs + tuple((s + shift, e + shift, f) for s, e, f in other.runs))

    def origins(self) -> list[int | None]:
        """For each character its number on the page; None for what was put in."""
        found: list[int | None] = [None] * len(self.text)
        for start, end, first in self.runs:
            found[start:end] = range(first, first + end - start)
        return found
