"""Verdicts about a destination, from the facts of a session without mail. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from restante.mail.quantity import counted
from restante.network.dns_records import DnsRecordSet
from restante.network.tlsa import END_ENTITY, TlsaRecord, read_tlsa
from restante.phrases import EXPIRES, HAS_EXPIRED
from restante.readiness.destination_facts import (
    AddressFacts,
    DestinationFacts,
    ProbeReply,
    ShownCertificate,
)
from restante.readiness.dns_facts import NO_RECORDS
from restante.readiness.readiness_row import (
    ReadinessCheck,
    ReadinessRow,
    ReadinessRows,
    failed,
    not_known,
    passed,
    warned,
)
from restante.readiness.refusal_remedies import refusal_remedy
from restante.tenancy.model import ClientPassing, TlsUse

SLOW_GREETING: Final = 30.0  # seconds
PAUSE_GREETING: Final = 4.0  # seconds, from which a pause is meant as a test
EXPIRY_DAYS: Final = 14
_DAY: Final = 86_400
_AWAY: Final = "the destination gave no answer to judge"
_LATER: Final = "check again when the destination answers"


@dataclass(frozen=True, slots=True)
class ProbeView:
    """The facts to judge, and the settings that they are held against."""

    facts: DestinationFacts
    domain: str
    tls: TlsUse
    now: float  # Unix time
    message_octets: int  # the largest message that is taken for the domain
    includes_us: bool = False  # the SPF of the domain lets our mail pass
    login: str = ""  # the user name at the destination; "" without one
    passing: ClientPassing = ClientPassing.NONE  # how it is told the original client
    tlsa: DnsRecordSet = NO_RECORDS  # of its host and port
    again_at: float = 0.0  # when it can be looked at again, Unix time

    @property
    def is_of_other_domain(self) -> bool:
        """Whether the facts were gathered by the record of another domain."""
        return self.facts.domain != self.domain


def destination_rows(view: ProbeView) -> list[ReadinessRow]:
    """Return the rows that follow from the facts."""
    return [row for judge in _JUDGES for row in judge(view)]


def _reachable_rows(view: ProbeView) -> ReadinessRows:
    check, facts = ReadinessCheck.REACHABLE, view.facts
    if facts.is_ourselves:
        evidence = f"{facts.destination} is this server: mail would come back"
        yield failed(check, evidence, "name the primary as the destination")
        return
    broken = [one for one in facts.addresses if one.failure]
    if view.is_of_other_domain and facts.has_greeted and not facts.has_session:
        yield _of_other_domain(check, view)
        return
    if facts.failure and not facts.has_session:
        remedy = "start the primary, open its port to this server, or correct the destination"
        yield failed(check, f"{facts.destination}: {facts.failure}", remedy)
        return
    for one in broken:
        remedy = "repair or remove this address: each drain may meet it first"
        yield warned(check, f"{one.address}: {one.failure}", remedy)
    for one in facts.addresses:
        if not one.failure:
            yield _greeting_row(one)


def _greeting_row(one: AddressFacts) -> ReadinessRow:
    check, seconds = ReadinessCheck.REACHABLE, one.greeting_seconds
    evidence = f"{one.address} greets after {seconds:.1f} s: {one.greeting}"
    if seconds > SLOW_GREETING:
        remedy = "exempt this server from tests before the greeting, such as name look-ups"
        return warned(check, evidence, remedy)
    if seconds >= PAUSE_GREETING:
        evidence += "; this may be a greet pause, such as that of postscreen"
    return passed(check, evidence)


def _size_rows(view: ProbeView) -> ReadinessRows:
    theirs = view.facts.offer.size_limit
    if not view.facts.has_greeted:
        yield not_known(ReadinessCheck.SIZE, _AWAY, _LATER)
    elif 0 < theirs < view.message_octets:
        evidence = f"it takes {theirs:,} octets, and {view.message_octets:,} are taken"
        remedy = "take no larger mail than the destination does"
        command = f"restante domain set {view.domain} --message-size {theirs}"
        yield warned(ReadinessCheck.SIZE, f"{evidence} here: 552 at the drain", remedy, command)
    else:
        named = counted(theirs, "octet") if theirs else "no limit"
        yield passed(
            ReadinessCheck.SIZE, f"it names {named}, and {view.message_octets:,} are taken"
        )


_EXTENSIONS: Final = ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN")


def _extension_rows(view: ProbeView) -> ReadinessRows:
    check, offered = ReadinessCheck.EXTENSIONS, view.facts.offer.keywords
    if not view.facts.has_greeted:
        yield not_known(check, _AWAY, _LATER)
        return
    has = [one for one in _EXTENSIONS if one in offered]
    lacks = [one for one in _EXTENSIONS if one not in offered]
    evidence = f"offered: {', '.join(has) or 'none'}"
    if lacks:
        evidence += f"; not offered: {', '.join(lacks)}"
    if "SMTPUTF8" in lacks:
        remedy = "nothing, unless senders use addresses outside ASCII: such mail is refused"
        yield warned(check, evidence, remedy)
    else:
        yield passed(check, evidence)


def _tls_rows(view: ProbeView) -> ReadinessRows:
    check, tls = ReadinessCheck.STARTTLS, view.facts.tls
    demands = view.tls in (TlsUse.REQUIRED, TlsUse.VERIFY)
    setting = f"--tls {view.tls.value}"
    if not view.facts.has_greeted:
        yield not_known(check, _AWAY, _LATER)
    elif view.tls is TlsUse.OFF:
        remedy = f"`restante domain set {view.domain} --tls opportunistic`"
        yield warned(check, "TLS is off for this destination: mail goes in clear", remedy)
    elif view.is_of_other_domain and not tls.version:
        yield _of_other_domain(check, view)
    elif demands and not tls.version:
        why = tls.failure or view.facts.failure or "STARTTLS is not offered"
        remedy = f"repair its TLS, or pin its key: `restante domain set {view.domain} --pin-now`"
        yield failed(check, f"{setting} fails: {why}{_shown(tls.certificate)}", remedy)
    elif not tls.version:
        why = tls.failure or "STARTTLS is not offered"
        yield warned(check, f"mail goes in clear: {why}", "let the destination offer STARTTLS")
    else:
        yield from _session_rows(view)


def _session_rows(view: ProbeView) -> ReadinessRows:
    check, tls, certificate = ReadinessCheck.STARTTLS, view.facts.tls, view.facts.tls.certificate
    evidence = f"{tls.version} {tls.cipher}{_shown(certificate)}"
    if tls.was_verified and view.tls is not TlsUse.VERIFY:
        would = f"fail: {tls.unverified}" if tls.unverified else "work"
        evidence += f"; --tls verify would {would}"
    dane, differs = _dane(view.tlsa, certificate)
    evidence += dane
    days = None if certificate is None else (certificate.expires_at - view.now) / _DAY
    if days is not None and days < EXPIRY_DAYS:
        state = HAS_EXPIRED if days < 0 else f"{EXPIRES} {counted(int(days), 'day')}"
        yield warned(check, f"its certificate {state}; {evidence}", "renew it there")
    elif differs:
        remedy = "publish a record of the key that is shown: senders with DANE refuse it otherwise"
        yield warned(check, evidence, remedy)
    else:
        yield passed(check, evidence)


def _dane(tlsa: DnsRecordSet, certificate: ShownCertificate | None) -> tuple[str, bool]:
    """Return the TLSA records of the destination in words, and whether they name another key.

    Only records of keys are compared here (3 1 1). Held mail does not obey them: see --tls verify.
    """
    if certificate is None or not tlsa.values:
        return "", False
    if not tlsa.is_secure:
        return "; its TLSA records are not validated by the name server", False
    usable = [one for one in read_tlsa(tlsa.values) if one.is_usable]
    if TlsaRecord(END_ENTITY, 1, 1, bytes.fromhex(certificate.key)) in usable:
        return "; DANE: a TLSA record names this key", False
    of_keys = [one for one in usable if (one.usage, one.selector, one.matching) == (3, 1, 1)]
    if len(of_keys) < len(usable) or not usable:
        return "; DANE: its TLSA records are not compared here", False
    return "; DANE: its TLSA records name another key", True


def _shown(certificate: ShownCertificate | None) -> str:
    if certificate is None:
        return ""
    until = datetime.fromtimestamp(certificate.expires_at, UTC).strftime("%Y-%m-%d")
    kind = "self-signed certificate" if certificate.is_self_signed else "certificate"
    names = ", ".join(certificate.names) or "no name"
    return f"; {kind} for {names} until {until}, key SHA-256 {certificate.key}"


def _login_rows(view: ProbeView) -> ReadinessRows:
    check, reply = ReadinessCheck.LOGIN, view.facts.login
    if not view.login:
        return
    if view.is_of_other_domain:
        yield _of_other_domain(check, view)
    elif reply.is_positive:
        yield passed(check, f"{view.login} is accepted: {reply.text}")
    elif reply.is_asked:
        remedy = "correct the password here, or the login there"
        yield failed(check, f"{view.login}: {reply.text}", remedy)
    else:
        evidence = f"{view.login} was not tried: {view.facts.failure or view.facts.tls.failure}"
        remedy = "repair the connection first: no password goes without TLS"
        yield not_known(check, evidence, remedy)


def _unasked(check: ReadinessCheck, view: ProbeView, reply: ProbeReply) -> ReadinessRow | None:
    """Return the row of a question about a mailbox that was not asked, or of another domain."""
    if not reply.is_asked:
        return not_known(check, _AWAY, _LATER)
    return _of_other_domain(check, view) if view.is_of_other_domain else None


def _of_other_domain(check: ReadinessCheck, view: ProbeView) -> ReadinessRow:
    """Return the row of a fact that another domain's mailboxes or settings have decided."""
    evidence = f"the last look was for {view.facts.domain}, which has the same destination"
    seconds = math.ceil(max(1.0, view.again_at - view.now))
    return not_known(check, evidence, f"check again in {counted(seconds, 'second')}")


def _acceptance_rows(view: ProbeView) -> ReadinessRows:
    check, reply = ReadinessCheck.ACCEPTANCE, view.facts.postmaster
    question = f"<> to postmaster@{view.domain}"
    if (row := _unasked(check, view, reply)) is not None:
        yield row
    elif reply.is_positive:
        yield passed(check, f"{question}: {reply.text}")
    elif reply.is_permanent:
        yield failed(check, f"{question}: {reply.text}", refusal_remedy(reply.text))
    else:
        yield warned(check, f"{question}: {reply.text}", refusal_remedy(reply.text))


def _nobody_rows(view: ProbeView) -> ReadinessRows:
    check, reply = ReadinessCheck.UNKNOWN_RECIPIENT, view.facts.nobody
    if (row := _unasked(check, view, reply)) is not None:
        yield row
    elif reply.is_positive:
        evidence = f"a mailbox that cannot exist is accepted: {reply.text}"
        remedy = "it is a catch-all, or refuses after DATA; then use --recipients list"
        yield warned(check, evidence, remedy)
    elif reply.is_permanent:
        yield passed(check, f"it knows its mailboxes: {reply.text}")
    else:
        yield not_known(check, f"a mailbox that cannot exist: {reply.text}", _LATER)


def _own_domain_rows(view: ProbeView) -> ReadinessRows:
    check, reply = ReadinessCheck.OWN_DOMAIN, view.facts.own_domain
    question = f"postmaster@{view.domain} from outside"
    if (row := _unasked(check, view, reply)) is not None:
        yield row
    elif reply.is_permanent:
        stops = "forgeries of the domain stop there; such mail of its own users is refused too"
        yield passed(check, f"{question}: {reply.text}; {stops}")
    elif not reply.is_positive:
        yield not_known(check, f"{question}: {reply.text}", _LATER)
    elif view.includes_us:
        evidence = f"{question} is accepted, and the domain's SPF includes this server"
        remedy = "keep this server out of the SPF record, and refuse the own domain from outside"
        yield warned(check, f"{evidence}: forgeries arrive as its own mail", remedy)
    else:
        evidence = f"{question} is accepted; the domain's SPF does not include this server"
        yield passed(check, evidence)


def _rate_rows(view: ProbeView) -> ReadinessRows:
    check, reply = ReadinessCheck.RATE, view.facts.third
    if not reply.is_asked:
        yield not_known(check, _AWAY, _LATER)
    elif reply.is_positive:
        yield passed(check, "three transactions in a row met no limit; more are not tried")
    else:
        remedy = "exempt this server from limits per client, and use --connections 1 until then"
        yield warned(check, f"a third transaction: {reply.text}", remedy)


def _client_address_rows(view: ProbeView) -> ReadinessRows:
    """Judge whether the destination learns the original client of each message."""
    check, has_xclient = ReadinessCheck.CLIENT_ADDRESS, "XCLIENT" in view.facts.offer.keywords
    if not view.facts.has_session:
        yield not_known(check, _AWAY, _LATER)
    elif view.passing is ClientPassing.PROXY and view.is_of_other_domain:
        yield _of_other_domain(check, view)
    elif view.passing is ClientPassing.PROXY:
        yield passed(check, "it is told by the PROXY protocol, which this session has begun with")
    elif view.passing is ClientPassing.XCLIENT and has_xclient:
        yield passed(check, "it is told by XCLIENT, which is offered to this server")
    elif view.passing is ClientPassing.XCLIENT:
        evidence = "XCLIENT is not offered to this server: mail of known clients stays held"
        remedy = "let the destination offer it, or set --client-address none"
        yield failed(check, evidence, remedy, _snippet_command(view, "postfix-xclient"))
    elif has_xclient:
        evidence = "XCLIENT is offered to this server, and not used: it is judged as the client"
        command = f"restante domain set {view.domain} --client-address xclient"
        yield warned(check, evidence, "tell the destination the original client", command)
    else:
        evidence = "the destination judges this server as the client of all held mail"
        if "XFORWARD" in view.facts.offer.keywords:
            evidence += "; XFORWARD, which it offers, changes its log and no decision"
        remedy = "tell it the original client by --client-address, or set its filters up"
        yield warned(check, evidence, remedy, _snippet_command(view, "PROGRAM"))


def _snippet_command(view: ProbeView, program: str) -> str:
    return f"restante domain snippet {view.domain} --for {program}"


_JUDGES: Final[tuple[Callable[[ProbeView], ReadinessRows], ...]] = (
    _reachable_rows,
    _size_rows,
    _extension_rows,
    _tls_rows,
    _login_rows,
    _acceptance_rows,
    _nobody_rows,
    _own_domain_rows,
    _rate_rows,
    _client_address_rows,
)
