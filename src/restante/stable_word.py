"""A word for machines, with its text for people. Pure.

Metrics, events, the API and the store have the word, which stays the same. It is lower case, with
hyphens. The command line, the portal and notices show the text, which may be
rewritten at any time.
"""

from enum import StrEnum
from typing import Self


class StableWord(StrEnum):
    """The base of an enumeration whose words people read too.

    A member is its word alone, or the word and its text. Without a text, people read the word with
    spaces in place of the hyphens.
    """

    text: str

    def __new__(cls, word: str, text: str = "") -> Self:
        """Make a member; the value is the word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.text = text or _spaced(word)
        return member

    @classmethod
    def text_of(cls, word: str) -> str:
        """Return the text of a word that was read; a newer server may have words of its own."""
        try:
            return cls(word).text
        except ValueError:
            return _spaced(word)


def _spaced(word: str) -> str:
    return word.replace("-", " ")
