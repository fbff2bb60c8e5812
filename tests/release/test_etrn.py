"""ETRN on the wire: the table of the design, row by row, and the entries of the audit trail."""

import ipaddress
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from restante.reception.reception_settings import ReceptionSettings
from restante.smtp import replies
from restante.tenancy.model import Destination
from restante.tenancy.policy import Suspension
from tests.wire import Wire, audit


def test_etrn_for_another_accounts_target_is_refused(smtp: Wire) -> None:
    """A login releases the targets of its own account only, and learns nothing of others."""
    smtp.hosts("mail.alpha.example", account="alpha", holding=2)
    smtp.hosts("mail.beta.example", account="beta", holding=5)

    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN mail.beta.example
        S: 459 4.7.1 Node mail.beta.example not allowed
        C: ETRN nowhere.example
        S: 459 4.7.1 Node nowhere.example not allowed
        C: ETRN #beta
        S: 459 4.7.1 Node #beta not allowed
        C: ETRN mail.alpha.example
        S: 253 2.0.0 OK, 2 pending messages for node mail.alpha.example started
    """)

    assert smtp.drains.started == ["mail.alpha.example"]
    assert [(entry.subject, entry.answer[:3], entry.reason) for entry in smtp.trail()] == [
        ("mail.beta.example", "459", "the domain belongs to another account"),
        ("nowhere.example", "459", "the domain is not hosted here"),
        ("#beta", "459", "the domain belongs to another account"),
        ("mail.alpha.example", "253", "granted"),
    ]
    assert {(entry.actor, entry.acted_from, entry.account) for entry in smtp.trail()} == {
        ("login alpha", "192.0.2.10", "alpha")
    }


def test_the_right_login_from_a_wrong_host_is_refused_in_the_same_words(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1, allow=("198.51.100.7",))
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 459 4.7.1 Node a.example not allowed
    """)
    assert smtp.drains.started == []
    assert smtp.trail()[0].reason == "host not authorized for a.example"


def test_without_authentication_it_is_530_and_in_the_trail(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1)
    smtp.transcript(
        """
        C: ETRN a.example
        S: 530 5.7.0 Authentication required
        C: AUTH PLAIN {wrong}
        S: 535 5.7.8 Authentication credentials invalid
        C: ETRN a.example
        S: 530 5.7.0 Authentication required
    """,
        wrong="AGFscGhhAHdyb25n",
    )
    assert [(entry.actor, entry.reason) for entry in smtp.trail()] == [
        ("anonymous", "not authenticated")
    ] * 2


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("", "500 5.5.4 ETRN needs the name of a node"),
        (" not-a-domain!", "501 5.5.4 Argument is not a domain, @domain or #name"),
        (" two words", "501 5.5.4 Argument is not a domain, @domain or #name"),
        (" @", "501 5.5.4 Argument is not a domain, @domain or #name"),
        (" #", "501 5.5.4 Argument is not a domain, @domain or #name"),
        (" 192.0.2.1", "501 5.5.4 Argument is not a domain, @domain or #name"),
        (" a.example' OR 1=1 --", "501 5.5.4 Argument is not a domain, @domain or #name"),
    ],
)
def test_texts_that_are_not_etrn_targets(smtp: Wire, argument: str, answer: str) -> None:
    smtp.hosts("a.example")
    smtp.transcript(
        "C: AUTH PLAIN {alpha}\nS: 235 2.7.0 Authentication successful\nC: ETRN{argument}\nS:"
        " {answer}",
        argument=argument,
        answer=answer,
    )


def test_nothing_held_is_251_or_250_where_the_account_asks_for_it(smtp: Wire) -> None:
    smtp.hosts("a.example", account="alpha")
    smtp.hosts("b.example", account="beta", empty_reply=250)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 251 2.0.0 OK, no messages waiting for node a.example
    """)
    smtp.connect(has_tls=True)
    smtp.transcript("""
        C: AUTH PLAIN {beta}
        S: 235 2.7.0 Authentication successful
        C: ETRN b.example
        S: 250 2.0.0 OK, queuing for node b.example started
    """)
    assert smtp.drains.started == []


def test_subtree_and_account_forms_by_label_and_case(smtp: Wire) -> None:
    smtp.hosts("foo.example", holding=1)
    smtp.hosts("sub.foo.example", holding=2)
    smtp.hosts("barfoo.example", holding=4)
    smtp.hosts("other.foo.example", account="beta", holding=8)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN @FOO.example
        S: 253 2.0.0 OK, 3 pending messages for node @FOO.example started
        C: ETRN #Alpha
        S: 253 2.0.0 OK, 7 pending messages for node #Alpha started
        C: ETRN SUB.Foo.EXAMPLE
        S: 253 2.0.0 OK, 2 pending messages for node SUB.Foo.EXAMPLE started
    """)
    assert "other.foo.example" not in smtp.drains.started


def test_an_internationalized_target_in_either_form(smtp: Wire) -> None:
    smtp.hosts("xn--mnchen-3ya.example", holding=1)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN xn--mnchen-3ya.example
        S: 253 2.0.0 OK, 1 pending messages for node xn--mnchen-3ya.example started
        C: ETRN MÜNCHEN.example
        S: 253 2.0.0 OK, 1 pending messages for node xn--mnchen-3ya.example started
    """)


def test_when_no_drain_can_start_it_is_458(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1)
    smtp.drains.is_broken = True
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 458 4.3.0 Unable to queue messages for node a.example
    """)
    assert "stopping" in smtp.trail()[-1].reason


def leads_nowhere(smtp: Wire, domain: str, **fields: Any) -> None:
    hosted = replace(smtp.hosts(domain, **fields), destination=Destination(""))
    smtp.run(smtp.store.records.put_domain(hosted, audit()))
    smtp.run(smtp.directory.refresh())


@pytest.mark.parametrize("holding", [0, 1])
def test_mail_that_leaves_by_atrn_only_is_459_with_the_reason(smtp: Wire, holding: int) -> None:
    """A later request would get the same answer, so it is not 458."""
    leads_nowhere(smtp, "n.example", holding=holding)
    smtp.hosts("a.example")
    by_atrn = "not allowed: no destination, use ATRN to take its mail"
    smtp.transcript(f"""
        C: AUTH PLAIN {{alpha}}
        S: 235 2.7.0 Authentication successful
        C: ETRN n.example
        S: 459 4.7.1 Node n.example {by_atrn}
        C: ETRN a.example
        S: 251 2.0.0 OK, no messages waiting for node a.example
    """)
    assert answers(smtp, "ETRN #alpha") == ["459" if holding else "251"]
    assert "leaves by ATRN only" in smtp.trail()[0].reason
    smtp.hosts("b.example", holding=1)
    assert answers(smtp, "ETRN #alpha") == ["253"]
    assert smtp.drains.started == ["b.example"]


def test_inside_a_transaction_it_is_503(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 OK
        C: ETRN a.example
        S: 503 5.5.1 Bad sequence of commands
    """)


def test_a_host_given_by_name_is_matched_by_forward_lookup(smtp: Wire) -> None:
    smtp.names.known["mail.a.example"] = (ipaddress.ip_address("192.0.2.10"),)
    smtp.names.known["elsewhere.example"] = (ipaddress.ip_address("198.51.100.1"),)
    smtp.hosts("a.example", holding=1, allow=("mail.a.example",))
    smtp.hosts("b.example", holding=1, allow=("elsewhere.example", "unknown.example"))
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 253 2.0.0 OK, 1 pending messages for node a.example started
        C: ETRN b.example
        S: 459 4.7.1 Node b.example not allowed
    """)


def test_names_of_another_account_are_not_even_looked_up(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1)
    smtp.hosts("b.example", account="beta", holding=1, allow=("mail.beta.example",))
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN b.example
        S: 459 4.7.1 Node b.example not allowed
        C: ETRN a.example
        S: 253 2.0.0 OK, 1 pending messages for node a.example started
    """)
    assert smtp.names.asked == []


def test_a_login_removed_since_it_authenticated_releases_nothing(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1)
    smtp.transcript("C: AUTH PLAIN {alpha}\nS: 235 2.7.0 Authentication successful")
    smtp.run(smtp.store.records.remove_login("alpha", smtp.run(smtp.store.audit.audit(limit=1))[0]))
    smtp.run(smtp.directory.refresh())
    smtp.transcript("C: ETRN a.example\nS: 459 4.7.1 Node a.example not allowed")
    assert smtp.drains.started == []


def test_part_of_an_accounts_domains_may_be_asked_for_from_here(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1)
    smtp.hosts("b.example", holding=1, allow=("198.51.100.1",))
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN #alpha
        S: 253 2.0.0 OK, 1 pending messages for node #alpha started
    """)
    assert smtp.drains.started == ["a.example"]
    assert smtp.trail()[0].reason == "granted, but host not authorized for b.example"


def test_a_suspended_domain_is_458_to_whoever_may_ask_for_it(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1, suspension=Suspension("not paid", until=smtp.now + 60))
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 458 4.3.0 Unable to queue messages for node a.example
    """)
    assert smtp.drains.started == []
    assert [(entry.answer[:3], entry.reason) for entry in smtp.trail()] == [
        ("458", "a.example is suspended: not paid"),
    ]
    smtp.now += 60
    smtp.transcript("""
        C: ETRN a.example
        S: 253 2.0.0 OK, 1 pending messages for node a.example started
    """)


def test_nobody_else_learns_that_a_domain_is_suspended(smtp: Wire) -> None:
    smtp.hosts("a.example", account="alpha", holding=1, suspension=Suspension("not paid"))
    smtp.hosts("b.example", account="beta")
    smtp.transcript("""
        C: AUTH PLAIN {beta}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 459 4.7.1 Node a.example not allowed
    """)


def test_of_several_domains_those_suspended_are_left_out(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1, suspension=Suspension("not paid"))
    smtp.hosts("sub.a.example", holding=2)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN @a.example
        S: 253 2.0.0 OK, 2 pending messages for node @a.example started
    """)
    assert smtp.drains.started == ["sub.a.example"]
    assert smtp.trail()[0].reason == "granted, but a.example is suspended: not paid"


@pytest.mark.parametrize(
    "allow", ["::ffff:192.0.2.10", "::ffff:192.0.2.0/120", "[::ffff:c000:20a]"]
)
def test_an_authorized_host_written_as_ipv4_mapped_is_the_ipv4_host(smtp: Wire, allow: str) -> None:
    smtp.hosts("a.example", holding=1, allow=(allow,))
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 253 2.0.0 OK, 1 pending messages for node a.example started
    """)


def test_a_name_with_an_ipv4_mapped_address_is_the_ipv4_host(smtp: Wire) -> None:
    smtp.names.known["home.example"] = (ipaddress.ip_address("::ffff:192.0.2.10"),)
    smtp.hosts("a.example", holding=1, allow=("home.example",))
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 253 2.0.0 OK, 1 pending messages for node a.example started
    """)


def test_no_reply_repeats_what_is_not_ascii(smtp: Wire) -> None:
    """Replies are ASCII (RFC 5321 \u00a74.2), so an international name is told in A-labels."""
    smtp.hosts("xn--bcher-kva.example", holding=1)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN b\u00fccher.example
        S: 253 2.0.0 OK, 1 pending messages for node xn--bcher-kva.example started
        C: ETRN @B\u00fccher.Example
        S: 253 2.0.0 OK, 1 pending messages for node @xn--bcher-kva.example started
        C: ETRN \u00fc.example
        S: 459 4.7.1 Node xn--tda.example not allowed
        C: ETRN #b\u00fccher
        S: 501 5.5.4 Argument is not a domain, @domain or #name
    """)


def test_nor_does_one_that_was_put_off_unread() -> None:
    reply = replies.CANNOT_QUEUE.fill(target="b\u00fc\ud800")
    assert reply.octets == b"458 4.3.0 Unable to queue messages for node b??\r\n"


OWN, FOREIGN = "ETRN a.example", "ETRN b.example"
MINUTE = 60


def limited(allow: tuple[str, ...] = ("192.0.2.0/24",)) -> Wire:
    """Two requests a minute, of each kind."""
    smtp = Wire(ReceptionSettings(releases_per_minute=2))
    smtp.hosts("a.example", allow=allow)
    smtp.hosts("b.example", account="beta")
    smtp.transcript("C: AUTH PLAIN {alpha}\nS: 235 2.7.0 Authentication successful")
    return smtp


def answers(smtp: Wire, *commands: str) -> list[str]:
    said = []
    for command in commands:
        smtp.send(f"{command}\r\n".encode())
        said.append(smtp.session.data_to_send()[:3].decode())
    return said


@pytest.mark.parametrize(
    "wrong", [FOREIGN, "ETRN nowhere.example", "ETRN @b.example", "ETRN #beta", "ETRN"]
)
def test_wrong_requests_use_up_none_of_the_right_ones(wrong: str) -> None:
    with closing(limited()) as smtp:
        first = "500" if wrong == "ETRN" else "459"
        assert answers(smtp, wrong, wrong, wrong) == [first, first, "458"]
        assert answers(smtp, OWN, OWN, OWN) == ["251", "251", "458"]
        assert len(smtp.trail()) == 4  # the excess request is not audited
        smtp.now += MINUTE / 2
        assert answers(smtp, wrong, OWN) == [first, "251"]


def test_right_requests_use_up_none_of_the_wrong_ones() -> None:
    with closing(limited()) as smtp:
        assert answers(smtp, OWN, OWN, OWN, FOREIGN, FOREIGN, FOREIGN) == [
            "251",
            "251",
            "458",
            "459",
            "459",
            "458",
        ]


def test_a_host_that_is_not_authorized_uses_up_none_of_the_primarys_requests() -> None:
    """Both log in by the same name."""
    with closing(limited(allow=("192.0.2.10",))) as smtp:
        elsewhere, primary = ipaddress.ip_address("198.51.100.7"), smtp.peer
        smtp.dialogue._peer = elsewhere
        assert answers(smtp, OWN, OWN, OWN) == ["459", "459", "458"]
        smtp.dialogue._peer = primary
        assert answers(smtp, OWN, OWN, OWN) == ["251", "251", "458"]


def test_a_suspended_domain_is_a_right_request() -> None:
    with closing(limited()) as smtp:
        smtp.change("a.example", suspension=Suspension("unpaid"))
        assert answers(smtp, OWN, OWN, OWN, FOREIGN) == ["458", "458", "458", "459"]
        assert len(smtp.trail()) == 3


def test_without_wrong_requests_left_the_last_known_addresses_decide() -> None:
    """So nobody can have names looked up without limit."""
    with closing(limited(allow=("primary.example",))) as smtp:
        smtp.names.known["primary.example"] = (smtp.peer,)
        assert answers(smtp, FOREIGN, FOREIGN, OWN) == ["459", "459", "458"]
        assert smtp.names.asked == []
        smtp.now += MINUTE / 2
        assert answers(smtp, OWN) == ["251"]
        assert answers(smtp, FOREIGN, OWN, OWN) == ["459", "251", "458"]
        assert smtp.names.asked == ["primary.example"]
