"""SPF for one address and one sender (RFC 7208), by our own name servers.

spftrace evaluates within the limits of the RFC: ten terms that look up, two without an answer. On
top of them, queries, time and the length of a record have limits. A stranger chooses the names that
are looked up, so nothing connects to the addresses that are found.
"""

from typing import Any, Final

from restante.network.dns_records import DnsRecords
from restante.readiness.dns_facts import SpfFinding

MOST_QUERIES: Final = 40
SECONDS: Final = 15.0
LONGEST_RECORD: Final = 4096  # characters: ten times the length that RFC 7208 §3.4 advises
_LONGEST_REASON: Final = 200
_POSTMASTER: Final = "postmaster@"


async def find_spf(records: DnsRecords, address: str, sender: str, hello: str) -> SpfFinding:
    """Return the result for mail of a domain that comes from an address."""
    import spftrace  # noqa: PLC0415  many servers never need it

    class OurResolver(spftrace.BaseResolver):
        """Gives spftrace the records that our name servers have."""

        async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
            found = await records.records(name.rstrip("."), rtype)
            if found.failure:
                return "SERVFAIL", []
            values = [one for one in found.values if len(one) <= LONGEST_RECORD]
            return "NOERROR", [_text(value, rtype) for value in values]

    limits = spftrace.Limits(time_limit=SECONDS, max_queries=MOST_QUERIES)
    evaluator = spftrace.Evaluator(OurResolver(), limits, receiver=hello)
    try:
        traced = await evaluator.evaluate(address, f"{_POSTMASTER}{sender}", hello)
    except Exception as error:  # noqa: BLE001  strangers write the records; it costs one result
        cause = f"a record cannot be read: {error}"[:_LONGEST_REASON]
        return SpfFinding(address, "permerror", reason=cause)
    return _finding(address, traced)


def _text(value: str, kind: str) -> str:
    """Return a record as spftrace wants it: the name alone of an MX record."""
    return value.partition(" ")[2] if kind == "MX" else value


def _finding(address: str, traced: Any) -> SpfFinding:
    events = traced.to_dict()["events"]
    terms = [term for one in events if not one["depth"] and (term := _term(one))]
    exits = [one for one in events if one["kind"] == "exit"]
    policies = [one for one in events if one["kind"] == "policy_parsed"]
    return SpfFinding(
        address,
        traced.verdict,
        matched=terms[-1] if terms else "",
        reason=exits[-1]["reason"][:_LONGEST_REASON] if exits else "",
        record=policies[0]["policy"] if policies else "",
    )


def _term(event: Any) -> str:
    """Return the term of the domain's own record that decides by this event, "" if none does."""
    if event["kind"] == "mech_match":
        return str(event["raw"])
    if event["kind"] == "recurse_in" and event["via"] == "redirect":
        return f"redirect={event['domain']}"
    return ""
