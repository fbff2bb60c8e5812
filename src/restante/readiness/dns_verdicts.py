"""Verdicts about the DNS of a domain and of this server. Pure.

The most important row is the SPF of the domain. It must not include this server. Otherwise
forgeries of the domain through the backup MX pass SPF, and so DMARC. Our own SPF is right for our
own name only, for reports and notices.
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Final

from restante.mail.quantity import span_text
from restante.readiness.dns_facts import DnsFacts, MailHost, SourceAddress, SpfFinding
from restante.readiness.mta_sts import StsPolicy, announces_sts, read_sts_policy
from restante.readiness.readiness_row import (
    ReadinessCheck,
    ReadinessRow,
    ReadinessRows,
    failed,
    not_known,
    passed,
    warned,
)

LONG_SECONDS: Final = 86_400  # a record that holds for longer delays every change
_BELIEVED: Final = frozenset({"pass", "neutral"})  # DMARC takes pass; filters do not mind neutral
MOST_SHOWN: Final = 10  # records, hosts or names in one text
_LONGEST_TEXT: Final = 255
_TRY_AGAIN: Final = "check again when DNS answers"
_PUBLIC_CERTIFICATE: Final = "install a certificate of a public authority for this name"
_COLON: Final = ":"
_KEY_RECORD: Final = "3 1 1"  # the SHA-256 of the key (RFC 6698 §2.1)
_LISTED: Final = IPv4Network("127.0.0.0/8")
_REFUSED: Final = IPv4Network("127.255.255.0/24")
_NEVER: Final = IPv4Address("127.0.0.1")


def dns_rows(facts: DnsFacts) -> list[ReadinessRow]:
    """Return the rows that follow from the facts."""
    return [row for judge in _JUDGES for row in judge(facts)]


def _some(texts: Sequence[str], between: str = ", ") -> str:
    """Return the first of many texts: strangers choose how many there are."""
    shown = between.join(text[:_LONGEST_TEXT] for text in texts[:MOST_SHOWN])
    more = len(texts) - MOST_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def spf_includes_us(facts: DnsFacts) -> bool:
    """Tell whether the SPF of the domain lets mail from this server pass."""
    return any(one.result == "pass" for one in facts.spf)


def _mx_rows(facts: DnsFacts) -> ReadinessRows:
    check, hostname = ReadinessCheck.MX, facts.own.hostname
    found = _some([f"{one.host or '.'} {one.preference}" for one in facts.hosts])
    line = f"{facts.domain}.  IN MX {_next_preference(facts)} {hostname}."
    if facts.mx.failure:
        yield not_known(check, f"MX of {facts.domain}: {facts.mx.failure}", _TRY_AGAIN)
    elif not facts.hosts:
        yield failed(check, f"{facts.domain} has no MX record", "publish one for each host", line)
    elif not facts.own_hosts:
        remedy = "publish this record: senders find no backup MX otherwise"
        yield failed(check, f"{found}: this server is not among them", remedy, line)
    elif not facts.other_hosts:
        evidence = f"{found}: no other host takes the domain's mail"
        yield warned(check, evidence, "publish the primary with a smaller number, if it has one")
    elif min(one.preference for one in facts.own_hosts) <= facts.other_hosts[0].preference:
        remedy = "give this server a larger number than the primary"
        yield warned(check, f"{found}: senders use this server first", remedy, line)
    else:
        yield passed(check, f"{found} (TTL {facts.mx.seconds} s)")


def _next_preference(facts: DnsFacts) -> int:
    """Return a preference behind those of all other hosts."""
    return max((one.preference for one in facts.other_hosts), default=10) + 10


def _own_name_rows(facts: DnsFacts) -> ReadinessRows:
    """Judge that the name leads to addresses, and each outgoing address back to the name."""
    check, own = ReadinessCheck.OWN_NAME, facts.own
    failure = next((one.failure for one in own.addresses if one.failure), "")
    if not own.published:
        if failure:
            yield not_known(check, f"{own.hostname}: {failure}", _TRY_AGAIN)
            return
        snippet = "\n".join(_address_record(own.hostname, one.address) for one in own.sources)
        evidence = f"{own.hostname} has no address in DNS"
        yield failed(check, evidence, "publish its address: many primaries refuse it", snippet)
        return
    if not own.sources:
        remedy = "give the domain a destination that resolves; then check again"
        yield not_known(check, "the outgoing address is not known", remedy)
    for source in own.sources:
        yield _source_row(own.hostname, own.published, source)


def _source_row(hostname: str, published: tuple[str, ...], source: SourceAddress) -> ReadinessRow:
    check, address = ReadinessCheck.OWN_NAME, source.address
    if source.is_inside and address not in published:
        evidence = f"mail leaves from {address}, which the destination sees as another address"
        remedy = f"make sure that the public address has the PTR record {hostname}"
        return not_known(check, evidence, remedy)
    if source.names.failure:
        return not_known(check, f"PTR of {address}: {source.names.failure}", _TRY_AGAIN)
    lacking = [] if address in published else [_address_record(hostname, address)]
    if not source.is_named(hostname):
        lacking.append(f"{_reverse_name(address)}.  IN PTR {hostname}.")
    if not lacking:
        return passed(check, f"{address} is {hostname}, in both directions")
    names = _some(source.names.values) or "no name"
    evidence = f"mail leaves from {address}, whose PTR record is {names}; {hostname} is "
    evidence += _some(published)
    remedy = "publish these records: many primaries answer 450 4.7.25 otherwise"
    return failed(check, evidence, remedy, "\n".join(lacking))


def _address_record(hostname: str, address: str) -> str:
    return f"{hostname}.  IN {'AAAA' if _COLON in address else 'A'} {address}"


def _reverse_name(address: str) -> str:
    return ip_address(address).reverse_pointer


def _domain_spf_rows(facts: DnsFacts) -> ReadinessRows:
    """Judge that forgeries of the domain do not pass SPF by coming through this server."""
    check = ReadinessCheck.DOMAIN_SPF
    if not facts.spf:
        yield not_known(check, "the outgoing address is not known", _TRY_AGAIN)
    for one in facts.spf:
        yield _domain_spf_row(facts, one)


def _domain_spf_row(facts: DnsFacts, one: SpfFinding) -> ReadinessRow:
    check, evidence = ReadinessCheck.DOMAIN_SPF, _spf_text(facts.domain, one)
    if one.result == "temperror":
        return not_known(check, evidence, _TRY_AGAIN)
    if one.result == "none":
        remedy = "publish one that names the primary's own addresses, and no `mx`"
        return warned(check, f"{facts.domain} has no SPF record", remedy)
    if one.result == "permerror":
        return warned(check, evidence, "correct the record: no receiver can use it")
    if one.result not in _BELIEVED:
        return passed(check, f"{evidence}: forgeries through this server do not pass")
    remedy = "name the primary's addresses (ip4:, ip6:) in place of this server's"
    snippet = _mended_spf(facts, one)
    if one.result == "pass" and facts.dmarc.policy in ("quarantine", "reject"):
        forged = f"forgeries of {facts.domain} through this server pass DMARC"
        where = f"p={facts.dmarc.policy} at {facts.dmarc.found_at}"
        return failed(check, f"{evidence}; {where}: {forged}", remedy, snippet)
    forged = "forgeries through this server are not told from its own mail"
    return warned(check, f"{evidence}: {forged}", remedy, snippet)


def _mended_spf(facts: DnsFacts, one: SpfFinding) -> str:
    """Return the record without this server, where `mx` or `a` includes it; "" otherwise."""
    if one.matched.lstrip("+?").lower() != "mx" or one.matched not in one.record.split():
        return ""
    addresses = dict.fromkeys(one for host in facts.other_hosts for one in host.addresses)
    terms = [f"{'ip6' if _COLON in address else 'ip4'}:{address}" for address in addresses]
    words = [
        word
        for given in one.record.split()
        for word in (terms if given == one.matched else [given])
    ]
    return f'{facts.domain}.  IN TXT "{" ".join(words)}"' if terms else ""


def _spf_text(sender: str, one: SpfFinding) -> str:
    """Return the result of SPF in words."""
    by = f" by {one.matched}" if one.matched else ""
    reason = f" ({one.reason})" if one.reason else ""
    return f"SPF of {sender} says {one.result}{by} for {one.address}{reason}"


def _own_spf_rows(facts: DnsFacts) -> ReadinessRows:
    check, hostname = ReadinessCheck.OWN_SPF, facts.own.hostname
    snippet = f'{hostname}.  IN TXT "v=spf1 a -all"'
    remedy = "publish it: the destination judges reports, which have no sender, by this name"
    for one in facts.own.spf:
        evidence = _spf_text(hostname, one)
        if one.result == "temperror":
            yield not_known(check, evidence, _TRY_AGAIN)
        elif one.result == "pass":
            yield passed(check, evidence)
        else:
            yield warned(check, evidence, remedy, snippet)


def _own_certificate_rows(facts: DnsFacts) -> ReadinessRows:
    """Judge that clients that verify accept this server by each of its names."""
    check = ReadinessCheck.OWN_CERTIFICATE
    if facts.own.distrust is None:
        evidence = "the certificates of this server or the authorities of this system are not known"
        remedy = "start the server, and install the package ca-certificates"
        yield not_known(check, evidence, remedy)
        return
    for name, fault in facts.own.distrust.items():
        if not fault:
            yield passed(check, f"clients that verify accept it for {name}")
            continue
        evidence = f"clients that verify do not accept it for {name}: {fault}"
        yield warned(check, evidence, _PUBLIC_CERTIFICATE)


def _sts_rows(facts: DnsFacts) -> ReadinessRows:
    check, sts = ReadinessCheck.MTA_STS, facts.sts
    if sts.announced.failure:
        yield not_known(check, f"_mta-sts.{facts.domain}: {sts.announced.failure}", _TRY_AGAIN)
        return
    if not announces_sts(sts.announced.values):
        yield passed(check, f"{facts.domain} announces no policy")
        return
    try:
        policy = read_sts_policy(sts.text) if not sts.failure else None
    except ValueError as error:
        yield warned(check, f"the policy of {facts.domain} is not valid: {error}", "correct it")
        return
    if policy is None:
        evidence = f"a policy is announced and cannot be read: {sts.failure}"
        yield warned(check, evidence, f"serve it at mta-sts.{facts.domain}, or end the record")
        return
    yield _sts_row(facts, policy)


def _sts_row(facts: DnsFacts, policy: StsPolicy) -> ReadinessRow:
    check = ReadinessCheck.MTA_STS
    lacking = [name for name in facts.own_names if not policy.covers(name)]
    evidence = f"mode {policy.mode}, mx: {_some(policy.exchangers)}"
    if policy.mode == "none":
        return passed(check, evidence)
    if not lacking:
        return _certificate_row(facts, policy, evidence)
    snippet = "\n".join(f"mx: {name}" for name in lacking)
    remedy = "add the line to the policy, and change the id of the TXT record"
    if policy.mode == "enforce":
        evidence += f": senders that obey it send nothing to {', '.join(lacking)}"
        return failed(check, evidence, remedy, snippet)
    return warned(check, f"{evidence}: {', '.join(lacking)} is not in it", remedy, snippet)


def _certificate_row(facts: DnsFacts, policy: StsPolicy, evidence: str) -> ReadinessRow:
    """Judge that the certificates are valid for the names that the policy has (RFC 8461 §4.1)."""
    check = ReadinessCheck.MTA_STS
    shown = {name: facts.own.certificate_for(name) for name in facts.own_names}
    faults = {
        name: f"it is not for {name}"
        for name, one in shown.items()
        if one is not None and not one.covers(name)
    }
    faults |= {name: fault for name, fault in (facts.own.distrust or {}).items() if fault}
    if not faults:
        return passed(check, evidence)
    evidence += f": senders that obey it refuse our certificate: {_some([*faults.values()], '; ')}"
    judged = failed if policy.mode == "enforce" else warned
    return judged(check, evidence, _PUBLIC_CERTIFICATE)


def _tlsa_rows(facts: DnsFacts) -> ReadinessRows:
    """Judge the records of each of our names among the mail hosts."""
    hosts = facts.own_hosts
    if not hosts:
        yield passed(ReadinessCheck.TLSA, "this server is no mail host of the domain yet")
    for one in hosts:
        yield _tlsa_row(facts, one)


def _tlsa_row(facts: DnsFacts, host: MailHost) -> ReadinessRow:
    check, tlsa, name = ReadinessCheck.TLSA, host.tlsa, f"_25._tcp.{host.tlsa_base or host.host}"
    remedy = f"publish the record that `restante domain dns {facts.domain}` prints"
    if tlsa.failure:
        return not_known(check, f"{name}: {tlsa.failure}", _TRY_AGAIN)
    if not tlsa.values:
        secure = [one.host for one in facts.other_hosts if one.tlsa.values and one.tlsa.is_secure]
        if secure and facts.mx.is_secure:
            evidence = f"{secure[0]} has TLSA records, and {name} has none"
            return warned(check, f"{evidence}: senders by DANE are less safe here", remedy)
        return passed(check, f"{name} has no records: senders do not use DANE here")
    if not tlsa.is_secure:
        evidence = f"{name} has records, and the name server has not validated them"
        return not_known(check, evidence, "use a validating name server on this machine")
    served = facts.own.certificate_for(host.host)
    if served is None:
        return not_known(
            check,
            f"{name}: {_some(tlsa.values, '; ')}",
            "start the server, which knows its certificates",
        )
    return _compared(name, tlsa.values, served.keys, remedy)


def _compared(
    name: str, values: tuple[str, ...], keys: tuple[str, ...], remedy: str
) -> ReadinessRow:
    """Compare records with the keys that are shown (RFC 7672 §3.1: DANE-EE of the key)."""
    check = ReadinessCheck.TLSA
    lacking = [key for key in keys if f"{_KEY_RECORD} {key}" not in values]
    if not lacking:
        return passed(check, f"{name} has each key that is shown")
    if any(not value.startswith(_KEY_RECORD) for value in values):
        remedy = "compare it by hand, or publish 3 1 1 records"
        return not_known(check, f"{name}: {_some(values, '; ')} is not compared here", remedy)
    evidence = f"{name} has {_some(values, '; ')}, and the key that is shown is {lacking[0]}"
    return failed(check, f"{evidence}: senders by DANE refuse it", remedy)


def _tls_rpt_rows(facts: DnsFacts) -> ReadinessRows:
    check, name = ReadinessCheck.TLS_RPT, f"_smtp._tls.{facts.domain}"
    if facts.tls_rpt.failure:
        yield not_known(check, f"{name}: {facts.tls_rpt.failure}", _TRY_AGAIN)
    elif not facts.tls_rpt.values:
        yield passed(check, f"{name} asks for no reports, which are optional")
    else:
        yield passed(check, f"{name}: {_some(facts.tls_rpt.values, '; ')}")


def _ttl_rows(facts: DnsFacts) -> ReadinessRows:
    check = ReadinessCheck.TTL
    names = {
        f"MX of {facts.domain}": facts.mx,
        **{f"address of {facts.own.hostname}": one for one in facts.own.addresses},
        **{f"PTR of {one.address}": one.names for one in facts.own.sources},
    }
    known = {name: one.seconds for name, one in names.items() if one.values}
    long = [f"{name} {span_text(one)}" for name, one in known.items() if one > LONG_SECONDS]
    if long:
        evidence = f"some records hold for more than a day: {', '.join(long)}"
        yield passed(check, f"{evidence}; a change takes as long")
    elif known:
        yield passed(check, f"no record holds for more than {span_text(max(known.values()))}")


def _blocklist_rows(facts: DnsFacts) -> ReadinessRows:
    check, found = ReadinessCheck.BLOCKLISTS, facts.own.blocklists
    if not found:
        remedy = "name those that destinations use in [hygiene] dnsbl; they are asked here too"
        yield not_known(check, "no blocklists are configured", remedy)
        return
    listed = [one for one in found if any(map(is_listing, one.codes))]
    silent = [one for one in found if one.failure or any(map(_is_refusal, one.codes))]
    for one in listed:
        evidence = f"{one.address} is listed by {one.zone}: {', '.join(one.codes)}"
        yield failed(check, evidence, "have it removed there: destinations that ask it refuse us")
    if silent:
        zones = ", ".join(dict.fromkeys(one.zone for one in silent))
        yield not_known(check, f"no answer of {zones}", _TRY_AGAIN)
    if not listed and not silent:
        zones = ", ".join(dict.fromkeys(one.zone for one in found))
        yield passed(check, f"not listed by {zones}")


def is_listing(code: str) -> bool:
    """Tell whether an answer means that the address is listed (RFC 5782 §2.1, §5)."""
    address = ip_address(code)
    return address in _LISTED and address != _NEVER and not _is_refusal(code)


def _is_refusal(code: str) -> bool:
    """Tell whether a list says that it does not answer this resolver."""
    return ip_address(code) in _REFUSED


_JUDGES: Final[tuple[Callable[[DnsFacts], ReadinessRows], ...]] = (
    _mx_rows,
    _own_name_rows,
    _domain_spf_rows,
    _own_spf_rows,
    _own_certificate_rows,
    _sts_rows,
    _tlsa_rows,
    _tls_rpt_rows,
    _ttl_rows,
    _blocklist_rows,
)
