"""Orders at an authority, and the faults of authorities."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.acme.account_key import load_account_key
from restante.acme.acme_client import MOST_POLLS, AcmeAccount, AcmeClient, AcmeFailed
from restante.acme.certificate_files import CertificateFilesOf
from restante.network.outgoing_http import OutgoingAnswer
from tests.acme.authority_stub import BASE, TERMS, StubAuthority, problem, unreachable

NAME = "mx.customer.example"


def order(authority: StubAuthority, directory: Path, terms: str = TERMS) -> bytes:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        assert len(pauses) <= MOST_POLLS

    key = load_account_key(directory / "account.key.pem")
    account = AcmeAccount(f"{BASE}/dir", key, "hostmaster@example.net", terms)
    client = AcmeClient(authority.http, account, authority.answers, pause)
    return asyncio.run(client.order(NAME, CertificateFilesOf(directory, NAME).request()))


def test_an_order_goes_from_the_directory_to_the_chain(tmp_path: Path) -> None:
    authority = StubAuthority(polls=3)
    chain = order(authority, tmp_path)
    assert chain.startswith(b"-----BEGIN CERTIFICATE-----")
    assert authority.payloads["/account"] == {
        "termsOfServiceAgreed": True,
        "contact": ["mailto:hostmaster@example.net"],
    }
    assert authority.payloads["/orders"] == {"identifiers": [{"type": "dns", "value": NAME}]}
    assert authority.payloads["/challenge/1"] == {}
    assert authority.payloads["/certificate/1"] is None
    assert authority.seen is not None
    assert authority.seen.startswith("token.")
    assert authority.answers.answer("/.well-known/acme-challenge/token") is None
    assert authority.asked.count("HEAD /nonce") == 1


def test_a_name_that_is_proved_already_is_not_proved_again(tmp_path: Path) -> None:
    authority = StubAuthority(is_valid=True)
    order(authority, tmp_path)
    assert "POST /challenge/1" not in authority.asked


def test_a_refused_nonce_is_replaced(tmp_path: Path) -> None:
    assert order(StubAuthority(bad_nonces=2), tmp_path)
    with pytest.raises(AcmeFailed, match="badNonce"):
        order(StubAuthority(bad_nonces=3), tmp_path)


@pytest.mark.parametrize("terms", ["", "https://ca.example/old-terms"])
def test_other_terms_are_not_accepted(tmp_path: Path, terms: str) -> None:
    authority = StubAuthority()
    with pytest.raises(AcmeFailed, match=f"terms of service are {TERMS}"):
        order(authority, tmp_path, terms)
    assert authority.asked == ["GET /dir"]


def test_an_authority_without_terms_needs_no_consent(tmp_path: Path) -> None:
    authority = StubAuthority(terms="")
    order(authority, tmp_path, "")
    assert "termsOfServiceAgreed" not in authority.payloads["/account"]


def document(value: object, **headers: str) -> Callable[[], OutgoingAnswer]:
    nonce = {"replay-nonce": "nonce-x"}
    return lambda: OutgoingAnswer(200, json.dumps(value).encode(), {**nonce, **headers})


INVALID = {
    "status": "invalid",
    "challenges": [{"type": "http-01", "error": {"detail": "connection refused"}}],
}


@pytest.mark.parametrize(
    ("path", "fault", "cause"),
    [
        ("/dir", unreachable, r"^ca\.example: no answer in time$"),
        ("/dir", document([]), "answers 200 without a JSON object"),
        ("/dir", document({}), "has no newAccount"),
        ("/dir", lambda: OutgoingAnswer(200, b"\xff"), "without a JSON object"),
        ("/dir", lambda: OutgoingAnswer(200, b"[" * 100_000), "without a JSON object"),
        ("/nonce", lambda: OutgoingAnswer(200), "gives no nonce"),
        ("/account", problem("unauthorized", "no"), "answers 403 unauthorized: no$"),
        ("/account", document({}), "does not say where"),
        ("/orders", problem("rateLimited", "too many", 429), "answers 429 rateLimited: too many"),
        ("/orders", document({"authorizations": 5}, location="x"), "has no list of URLs"),
        ("/authz/1", document(INVALID), "authorization is invalid: connection refused"),
        ("/authz/1", document({"status": "pending", "challenges": None}), "offers no challenge"),
        ("/order/1", document(INVALID), "the order is invalid: connection refused"),
        ("/order/1", document({"status": "processing"}), "not decided in time"),
        ("/challenge/1", problem("malformed"), "answers 403 malformed$"),
        ("/finalize/1", problem("badCSR", "weak"), "badCSR: weak"),
        (
            "/orders",
            document({"authorizations": ["http://ca.example/a"]}, location=f"{BASE}/order/1"),
            "another scheme",
        ),
    ],
)
def test_a_fault_of_the_authority_is_told(
    tmp_path: Path, path: str, fault: Callable[[], OutgoingAnswer], cause: str
) -> None:
    authority = StubAuthority(fault={path: fault})
    with pytest.raises(AcmeFailed, match=cause):
        order(authority, tmp_path)
    assert authority.answers.answer("/.well-known/acme-challenge/token") is None


def test_an_authorization_that_is_never_decided_ends(tmp_path: Path) -> None:
    with pytest.raises(AcmeFailed, match="authorization was not decided in time"):
        order(StubAuthority(polls=1000), tmp_path)


def test_an_authority_that_cannot_use_http_is_of_no_use(tmp_path: Path) -> None:
    with pytest.raises(AcmeFailed, match="no challenge of the type http-01"):
        order(StubAuthority(challenge="tls-alpn-01"), tmp_path)
