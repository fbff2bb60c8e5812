"""Records of DNS as facts."""

from restante.network.dns_records import DnsRecordSet


def test_without_values_and_without_a_failure_there_is_no_record() -> None:
    none, unknown = DnsRecordSet(), DnsRecordSet(failure="no name server answered in time")
    assert (none.values, none.failure) == ((), "")
    assert none != unknown
