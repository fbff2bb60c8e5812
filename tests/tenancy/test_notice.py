"""Notices as values: the channels that receive them, and the topics that repeat."""

import pytest

from restante.tenancy.notice import (
    OF_ACCOUNTS,
    OF_THE_SERVER,
    Channel,
    NoticeFacts,
    NoticeKind,
)

AWAY, TEST = NoticeKind.PRIMARY_AWAY, NoticeKind.TEST


@pytest.mark.parametrize(
    ("account", "all_accounts", "of_account", "kind", "hears"),
    [
        ("alpha", False, "alpha", AWAY, True),
        ("alpha", False, "beta", AWAY, False),
        ("alpha", False, "", AWAY, False),
        ("alpha", True, "beta", AWAY, False),  # only the operator can have everything
        ("", False, "", AWAY, True),
        ("", False, "alpha", AWAY, False),
        ("", True, "alpha", AWAY, True),
        ("", True, "", AWAY, True),
        ("", True, "alpha", NoticeKind.PRIMARY_BACK, False),
        ("alpha", False, "alpha", NoticeKind.CHANGE_SCHEDULED, True),  # nobody can silence it
        ("alpha", False, "alpha", NoticeKind.CHANGE_ENDED, True),
        ("alpha", False, "beta", NoticeKind.CHANGE_SCHEDULED, False),
        ("", True, "alpha", NoticeKind.CHANGE_SCHEDULED, False),
        ("", False, "", NoticeKind.CHANGE_SCHEDULED, False),
        ("", True, "alpha", "a-kind-of-a-later-version", False),
    ],
)
def test_a_channel_receives_the_kinds_that_it_wants_of_its_own_account(
    account: str, of_account: str, kind: str, *, all_accounts: bool, hears: bool
) -> None:
    channel = Channel(
        1, account, "post", "mail", "x@y.example", None, frozenset({AWAY}), 0.0, all_accounts
    )
    assert channel.receives(NoticeFacts(kind, of_account, "x", "x", 0.0)) is hears


def test_each_kind_but_the_test_is_of_accounts_or_of_the_server() -> None:
    assert set(NoticeKind) - {TEST} == OF_ACCOUNTS | OF_THE_SERVER
    assert OF_ACCOUNTS.isdisjoint(OF_THE_SERVER)


def test_facts_repeat_each_other_whatever_their_text_and_time() -> None:
    first = NoticeFacts(AWAY, "alpha", "mx.example:25", "timed out", 1.0, {"domain": "b.example"})
    again = NoticeFacts(AWAY, "alpha", "mx.example:25", "refused", 2.0)
    other = NoticeFacts(AWAY, "alpha", "mx.other:25", "timed out", 1.0)
    assert first.topic == again.topic
    assert first.topic != other.topic
