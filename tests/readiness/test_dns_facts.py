"""Which hosts of the MX records are this server, and which addresses a destination sees."""

from restante.network.dns_records import DnsRecordSet
from restante.readiness.dns_facts import DnsFacts, MailHost, OwnHostFacts, SourceAddress

OWN = OwnHostFacts("mx2.b.example", (DnsRecordSet(("203.0.113.2",)),))


def test_a_host_is_ours_by_name_or_by_address() -> None:
    hosts = (
        MailHost("mail.a.example", 10, ("203.0.113.1",)),
        MailHost("mx.a.example", 20, ("203.0.113.2",)),
        MailHost("mx2.b.example", 30),
    )
    facts = DnsFacts("a.example", OWN, hosts=hosts)
    assert facts.own_hosts == hosts[1:]
    assert facts.other_hosts == hosts[:1]


def test_a_null_mx_is_nobody() -> None:
    facts = DnsFacts("a.example", OWN, hosts=(MailHost("", 0),))
    assert facts.own_hosts == facts.other_hosts == ()


def test_behind_a_translator_the_published_address_is_seen() -> None:
    inside = SourceAddress("10.0.0.2", is_inside=True)
    assert OwnHostFacts("mx2.b.example", OWN.addresses, (inside,)).outgoing == ("203.0.113.2",)
    seen = SourceAddress("203.0.113.7")
    assert OwnHostFacts("mx2.b.example", OWN.addresses, (inside, seen)).outgoing == ("203.0.113.7",)
