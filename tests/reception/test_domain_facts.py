"""The facts about a domain or a recipient, from memory."""

from dataclasses import replace
from typing import Any

import pytest

from restante.mail.address import Mailbox
from restante.reception.admission import HostedRecipient
from restante.reception.domain_facts import FactsLookup, quotas_of
from restante.store.figure_store import DomainUsage
from restante.tenancy.policy import Policy, RecipientPolicy
from restante.tenancy.quota import NO_QUOTA, DomainQuotas, Quota
from restante.tenancy.recipients import MailboxExistence, Recipient, RecipientSource
from tests.wire import NOW, Wire

QUOTA = Quota(messages=5)


def lookup(smtp: Wire) -> FactsLookup:
    return FactsLookup(
        smtp.store.figures,
        smtp.directory,
        lambda: smtp.now,
        is_up=lambda _destination: smtp.is_up,
        book=smtp.recipients.of,
    )


@pytest.mark.parametrize(
    ("policy", "quota", "matter"),
    [
        ({}, Quota(), False),
        ({"quota": QUOTA}, Quota(), True),
        ({"recipients": RecipientPolicy.LIST}, Quota(), True),
        ({}, QUOTA, True),
    ],
)
def test_facts_matter_where_something_could_refuse_mail(
    smtp: Wire, policy: dict[str, Any], quota: Quota, *, matter: bool
) -> None:
    domain = smtp.hosts("a.example", **policy)
    smtp.set_quota("alpha", quota)
    assert lookup(smtp).matter(domain) is matter


def test_the_state_of_a_domain_includes_its_account(smtp: Wire) -> None:
    domain = smtp.hosts("a.example", holding=1)
    smtp.hosts("b.example", holding=2)
    smtp.hosts("c.example", account="beta", holding=4)
    smtp.set_quota("alpha", QUOTA)
    smtp.is_up = True
    facts = lookup(smtp).of_domain(domain)
    assert (facts.usage.messages, facts.account_usage.messages) == (1, 3)
    assert (facts.account_quota, facts.now, facts.is_up) == (QUOTA, NOW, True)


def test_mail_on_its_way_to_the_disk_counts(smtp: Wire) -> None:
    domain = smtp.hosts("a.example", holding=1)
    facts = lookup(smtp)
    before = facts.of_domain(domain).usage
    reservation = facts.reserve([domain], 1000)
    during = facts.of_domain(domain)
    assert during.usage.messages == during.account_usage.messages == 2
    assert during.usage.octets > before.octets + 1000 - 1
    reservation.end()
    assert facts.of_domain(domain).usage == before


def test_a_mailbox_is_known_by_the_book_of_its_domain(smtp: Wire) -> None:
    domain = smtp.hosts("a.example", recipients=RecipientPolicy.LIST)
    path = Mailbox("Anna", "a.example")
    recipient = HostedRecipient(path, str(path), domain)
    assert lookup(smtp).of_recipient(recipient).known is None  # the book cannot be read
    smtp.knows("a.example", Recipient("anna", RecipientSource.LIST, is_there=True, at=NOW))
    assert lookup(smtp).of_recipient(recipient).known is MailboxExistence.YES
    bert = HostedRecipient(Mailbox("bert", "a.example"), "bert@a.example", domain)
    assert lookup(smtp).of_recipient(bert).known is MailboxExistence.UNKNOWN


def test_without_a_watcher_no_destination_is_known_to_answer(smtp: Wire) -> None:
    domain = smtp.hosts("a.example")
    facts = FactsLookup(smtp.store.figures, smtp.directory, lambda: NOW).of_domain(domain)
    assert not facts.is_up
    assert facts.usage == DomainUsage()
    assert domain.policy == Policy()


def test_the_quotas_of_domains_are_those_of_the_domain_and_its_account(smtp: Wire) -> None:
    bounded = smtp.hosts("a.example", quota=Quota(messages=3))
    free = smtp.hosts("b.example")
    directory = smtp.directory.now
    none, own = NO_QUOTA, Quota(messages=3)
    assert quotas_of(directory, {bounded.id, free.id, 77}) == {
        bounded.id: DomainQuotas("a.example", own, bounded.account, none)
    }
    whole = Quota(octets=1000)
    accounts = {**directory.accounts}
    accounts[free.account] = replace(accounts[free.account], quota=whole)
    assert quotas_of(replace(directory, accounts=accounts), [free.id]) == {
        free.id: DomainQuotas("b.example", none, free.account, whole)
    }
