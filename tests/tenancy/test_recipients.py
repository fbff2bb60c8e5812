"""Known mailboxes: the list, patterns, tags, the destination's answers and their age."""

import pytest

from restante.tenancy.policy import DAY, Policy, RecipientPolicy
from restante.tenancy.recipients import (
    MailboxExistence,
    Recipient,
    RecipientSource,
    make_book,
    parse_recipient,
)

NOW = 1000 * DAY
LISTED = ["anna", "sales-*", "*.bot", "with.dot", "quo*ted"]
BOOK = make_book(
    [
        *(Recipient(name, RecipientSource.LIST, is_there=True, at=0.0) for name in LISTED),
        Recipient("taken", RecipientSource.DRAIN, is_there=True, at=NOW - 29 * DAY),
        Recipient("taken-long-ago", RecipientSource.DRAIN, is_there=True, at=NOW - 31 * DAY),
        Recipient("refused", RecipientSource.DRAIN, is_there=False, at=NOW - 6 * DAY),
        Recipient("refused-long-ago", RecipientSource.DRAIN, is_there=False, at=NOW - 8 * DAY),
        Recipient("anna", RecipientSource.DRAIN, is_there=False, at=NOW),
    ]
)


@pytest.mark.parametrize(
    ("name", "by_list", "by_learning"),
    [
        ("anna", MailboxExistence.YES, MailboxExistence.YES),  # the list wins
        ("ANNA", MailboxExistence.YES, MailboxExistence.YES),
        ("Postmaster", MailboxExistence.YES, MailboxExistence.YES),
        ("sales-", MailboxExistence.YES, MailboxExistence.YES),
        ("Sales-north", MailboxExistence.YES, MailboxExistence.YES),
        ("sales", MailboxExistence.UNKNOWN, MailboxExistence.UNKNOWN),
        ("a.bot", MailboxExistence.YES, MailboxExistence.YES),
        ("a.bots", MailboxExistence.UNKNOWN, MailboxExistence.UNKNOWN),
        ("withxdot", MailboxExistence.UNKNOWN, MailboxExistence.UNKNOWN),
        ("anna+tag", MailboxExistence.UNKNOWN, MailboxExistence.UNKNOWN),
        ("taken", MailboxExistence.UNKNOWN, MailboxExistence.YES),
        ("taken-long-ago", MailboxExistence.UNKNOWN, MailboxExistence.UNKNOWN),
        ("refused", MailboxExistence.UNKNOWN, MailboxExistence.NO),
        ("refused-long-ago", MailboxExistence.UNKNOWN, MailboxExistence.UNKNOWN),
        ("nobody", MailboxExistence.UNKNOWN, MailboxExistence.UNKNOWN),
    ],
)
def test_a_recipient_is_known_by_list_or_by_learning(
    name: str, by_list: MailboxExistence, by_learning: MailboxExistence
) -> None:
    assert BOOK.known(name, Policy(recipients=RecipientPolicy.LIST), NOW) is by_list
    assert BOOK.known(name, Policy(recipients=RecipientPolicy.LEARNED), NOW) is by_learning
    assert BOOK.known(name, Policy(), NOW) is MailboxExistence.YES


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("anna+tag", MailboxExistence.YES),
        ("anna+a+b", MailboxExistence.YES),
        ("nobody+tag", MailboxExistence.UNKNOWN),
        ("+anna", MailboxExistence.UNKNOWN),
    ],
)
def test_tags_are_ignored_where_that_is_wanted(name: str, known: MailboxExistence) -> None:
    assert (
        BOOK.known(name, Policy(recipients=RecipientPolicy.LIST, ignores_tags=True), NOW) is known
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("anna", "anna"),
        (" Anna@Alpha.Example. ", "anna"),
        ("sales-*@alpha.example", "sales-*"),
        ("*", "*"),
        ('"quoted"@alpha.example', '"quoted"'),
        ("ünï@alpha.example", "ünï"),
    ],
)
def test_entries_are_read(text: str, name: str) -> None:
    assert parse_recipient("alpha.example", text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@alpha.example",
        "anna@beta.example",
        "anna@sub.alpha.example",
        "an na",
        "a\tb",
        "x" * 65,
        "a@b@c d",
    ],
)
def test_an_address_outside_the_domain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|not a domain"):
        parse_recipient("alpha.example", text)
