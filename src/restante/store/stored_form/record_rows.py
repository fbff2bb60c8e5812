"""Records and the columns of their rows: accounts, logins, and domains with their destinations."""

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from functools import lru_cache

from restante.store.stored_form.policy_column import (
    SHARED_TEXTS,
    policy_text,
    quota_text,
    read_policy,
    read_quota,
)
from restante.store.stored_form.row_type import Row
from restante.tenancy.client_certificates import read_login_certificates
from restante.tenancy.history_detail import HistoryDetail
from restante.tenancy.login_certificate import certificates_text
from restante.tenancy.model import (
    Account,
    AuthorizedHosts,
    ClientPassing,
    Destination,
    DestinationLogin,
    HostedDomain,
    Login,
    PriorPassword,
    TlsUse,
    parse_authorized_hosts,
)


def account_row(account: Account) -> Row:
    """Spell an account in the order of its columns."""
    return (
        account.name,
        account.created_at,
        account.empty_reply,
        account.note,
        quota_text(account.quota),
        int(account.report_details),
        str(account.history),
        int(account.change_lock),
    )


def account(row: Row) -> Account:
    """Read an account back."""
    name, created_at, empty_reply, note, quota, report_details, history, change_lock = row
    return Account(
        name,
        created_at,
        empty_reply,
        note,
        read_quota(quota),
        bool(report_details),
        HistoryDetail(history),
        bool(change_lock),
    )


def login_row(login: Login) -> Row:
    """Spell a login in the order of its columns."""
    secrets = (login.password_hash, login.sealed_secret, login.created_at, login.sealed_verifier)
    prior = login.prior
    before: Row = (None, None, None, None)
    if prior is not None:
        sealed = (prior.sealed_secret, prior.sealed_verifier)
        before = (prior.password_hash, *sealed, prior.valid_until)
    certificates = certificates_text(login.certificates)
    rest = (int(login.turnaround), certificates, login.turnaround_at)
    return (login.user, login.account, *secrets, login.valid_until, *before, *rest)


def login_of(row: Row) -> Login:
    """Read a login back."""
    *present, turnaround, pem, turnaround_at = row
    *facts, prior_hash, prior_secret, prior_verifier, prior_until = present
    login = replace(
        Login(*facts),
        turnaround=bool(turnaround),
        certificates=read_login_certificates(pem),
        turnaround_at=turnaround_at,
    )
    if prior_hash is None:
        return login
    prior = PriorPassword(prior_hash, prior_secret, prior_verifier, prior_until)
    return replace(login, prior=prior)


def domain_row(domain: HostedDomain) -> Row:
    """Spell a hosted domain in the order of its columns, without its id."""
    return (
        domain.name,
        domain.account,
        destination_text(domain.destination),
        hosts_text(domain.authorized_hosts),
        domain.created_at,
        policy_text(domain.policy),
    )


def hosted_domain(row: Row) -> HostedDomain:
    """Read a hosted domain back."""
    number, name, account, destination, hosts, created_at, policy = row
    return HostedDomain(
        number,
        name,
        account,
        destination_of(destination),
        hosts_of(hosts),
        created_at,
        read_policy(policy),
    )


def hosts_text(hosts: AuthorizedHosts) -> str:
    """Spell authorized hosts as they stand in one column."""
    return json.dumps(hosts.texts)


@lru_cache(SHARED_TEXTS)  # the domains of a customer often have the same
def hosts_of(text: str) -> AuthorizedHosts:
    """Read authorized hosts back."""
    return parse_authorized_hosts(json.loads(text))


def destination_text(destination: Destination) -> str:
    """Spell a destination as it stands in one column."""
    login = destination.login
    return json.dumps(
        {
            "host": destination.host,
            "port": destination.port,
            "tls": destination.tls,
            "ca_file": destination.ca_file,
            "ca_text": destination.ca_text,
            "set_by": destination.set_by,
            "may_be_private": destination.may_be_private,
            "key_pins": destination.key_pins,
            "login": login
            and {"user": login.user, "sealed": b64encode(login.sealed_password).decode()},
            "connections": destination.connections,
            "per_minute": destination.per_minute,
            "client_address": destination.client_address,
        }
    )


@lru_cache(SHARED_TEXTS)  # as above; passwords are sealed
def destination_of(text: str) -> Destination:
    """Read a destination back."""
    facts = json.loads(text)
    login = facts["login"]
    return Destination(
        host=facts["host"],
        port=facts["port"],
        tls=TlsUse(facts["tls"]),
        ca_file=facts["ca_file"],
        key_pins=tuple(facts["key_pins"]),
        login=login and DestinationLogin(login["user"], b64decode(login["sealed"])),
        connections=facts["connections"],
        per_minute=facts.get("per_minute"),  # older records have none
        ca_text=facts.get("ca_text", ""),
        set_by=facts.get("set_by", ""),  # older ones are the operator's
        may_be_private=facts.get("may_be_private"),
        client_address=ClientPassing(facts.get("client_address", "none")),
    )
