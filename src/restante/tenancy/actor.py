"""The actor of a request: its kind and its name, and the one text that stands for both. Pure.

The audit trail, drains, releases and events have that text: "login anna", "operator root",
"token ci (alpha)", "anonymous". Only this module makes it and reads it.
"""

from enum import StrEnum
from typing import NamedTuple


class ActorKind(StrEnum):
    """The kinds of actors."""

    OPERATOR = "operator"  # a user of this machine, over the control socket or the command line
    LOGIN = "login"
    TOKEN = "token"  # noqa: S105  a name
    USER = "user"  # of the portal
    POLICY = "policy"  # a rule of this server
    ANONYMOUS = "anonymous"  # not authenticated


class Actor(NamedTuple):
    """An actor. The name of a token or a user ends with its account, in parentheses."""

    kind: ActorKind
    name: str = ""

    @property
    def text(self) -> str:
        """The stored form."""
        return f"{self.kind} {self.name}" if self.name else str(self.kind)


def read_actor(text: str) -> Actor | None:
    """Return the actor of a stored text; None if it names none, as "an earlier drain" does."""
    kind, _, name = text.partition(" ")
    return Actor(ActorKind(kind), name) if kind in set(ActorKind) else None


class ActorChoice(NamedTuple):
    """The stored texts that a filter accepts: `texts`, and those that start with `beginning`."""

    texts: tuple[str, ...]
    beginning: str

    def accepts(self, text: str) -> bool:
        """Return whether a stored text is one of these."""
        return text in self.texts or text.startswith(self.beginning)


def actors_named(given: str) -> ActorChoice:
    """Return the actors that a person means by "login anna", by "anna", or by "login"."""
    texts = (given, *(Actor(kind, given).text for kind in ActorKind))
    return ActorChoice(texts, f"{given} ")
