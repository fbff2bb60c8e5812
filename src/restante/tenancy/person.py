"""One person, known by a mail address: where texts name it, and texts without it. Pure.

An address is compared as forward-paths are. Case does not matter, and the domain has its canonical
form. A tag does not matter where the domain ignores tags. A mark, such as `erased-1`, takes the
place of the address in texts that are kept.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import idna

from restante.mail.address import canonical_domain, split_mailbox

_LONGEST: Final = 64  # octets of a local part, RFC 5321 §4.5.3.1.1
_TAG: Final = "+"
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)  # no slots: patterns are kept beside the fields
class Person:
    """Somebody, by an address."""

    local_part: str  # in lower case, without quotes
    domain: str  # canonical
    has_tags: bool = False  # whether `local_part+tag` is the same mailbox

    @property
    def address(self) -> str:
        """Return the address in the one spelling by which it is known here."""
        return f"{self.local_part}@{self.domain}"

    def is_at(self, path: str) -> bool:
        """Tell whether a path is this person's mailbox."""
        local_part, domain = split_mailbox(path)
        if not domain or not self.is_local_part(local_part):
            return False
        try:
            return canonical_domain(domain) == self.domain
        except ValueError:
            return False

    def is_local_part(self, text: str) -> bool:
        """Tell whether a local part of the domain is this person's."""
        plain = _plain(text).lower()
        return plain == self.local_part or (
            self._takes_tags and plain.startswith(self.local_part + _TAG)
        )

    def is_named_in(self, *texts: str) -> bool:
        """Tell whether one of the texts has the address in it."""
        return any(self._in_text.search(text) for text in texts)

    def without(self, text: str, mark: str) -> str:
        """Return a text with the mark in place of the address."""
        return self._in_text.sub(mark, text)

    def path_without(self, path: str, mark: str) -> str:
        """Return the mark for this person's path, and another path as it is."""
        return mark if self.is_at(path) else path

    def is_named_in_json(self, text: str | None) -> bool:
        """Tell whether a text of a JSON value has the address in it. "" and None are no value.

        A text that is no JSON must not stop an erasure. It is searched as it is.
        """
        return self.is_named_in(*_texts(_json_value(text))) if text else False

    def json_without(self, text: str | None, mark: str) -> str | None:
        """Return a JSON value with the mark in place of the address."""
        if not text or not self.is_named_in_json(text):
            return text
        value = _json_value(text)
        if value is text:
            return self.without(text, mark)
        return json.dumps(
            self.value_without(value, mark), ensure_ascii=False, separators=(",", ":")
        )

    def value_without(self, value: Any, mark: str) -> Any:
        """Return texts, lists and objects with the mark in place of the address."""
        if isinstance(value, str):
            return self.without(value, mark)
        if isinstance(value, list):
            return [self.value_without(one, mark) for one in value]
        if isinstance(value, dict):
            return {
                self.without(key, mark): self.value_without(one, mark) for key, one in value.items()
            }
        return value

    @property
    def _takes_tags(self) -> bool:
        """Whether tags of others are this person's: not if the address itself has one."""
        return self.has_tags and _TAG not in self.local_part[1:]

    @cached_property
    def _in_text(self) -> re.Pattern[str]:
        """The address in a text, where no letter of a longer one adjoins it."""
        tag = r'(?:\+[^\s@<>",;]*)?' if self._takes_tags else ""
        local_part = rf'"?{re.escape(self.local_part)}{tag}"?'
        domains = "|".join(map(re.escape, _spellings(self.domain)))
        return re.compile(rf"(?<![\w.+-]){local_part}@(?:{domains})(?![\w-]|\.\w)", re.IGNORECASE)


def read_person(text: str) -> Person:
    """Return who has an address, without tags. Raises ValueError, which says what is wrong."""
    local_part, domain = split_mailbox(text.strip().removeprefix("<").removesuffix(">"))
    plain = _plain(local_part)
    if not domain or not 0 < len(plain.encode()) <= _LONGEST or not plain.isprintable():
        message = f"{text!r} is not an address"
        raise ValueError(message)
    return Person(plain.lower(), canonical_domain(domain))


def _plain(local_part: str) -> str:
    """Return a local part without quotes (RFC 5321 §4.1.2: both spellings are the same mailbox)."""
    if len(local_part) > 1 and local_part[0] == local_part[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", local_part[1:-1])
    return local_part


def _spellings(domain: str) -> list[str]:
    """Return the A-labels and the U-labels of a domain."""
    try:
        return list(dict.fromkeys((domain, idna.decode(domain))))
    except idna.IDNAError:  # an underscore
        return [domain]


def _json_value(text: str) -> Any:
    """Return a JSON value, or the text itself if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _texts(one)
