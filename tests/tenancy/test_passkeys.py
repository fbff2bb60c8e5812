import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fido2.cose import ES256, CoseKey
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.grants import GrantedRole
from restante.tenancy.passkeys import (
    LONGEST_ANSWER,
    NoRelyingParty,
    PasskeyAssertion,
    PasskeyRefused,
    PasskeyRegistration,
    RelyingParty,
    asserted,
    assertion_options,
    registered,
    registration_options,
)
from restante.tenancy.portal_user import PortalPasskey, PortalUser
from tests.tenancy.soft_authenticator import (
    BACKED_UP,
    BACKUP_POSSIBLE,
    PRESENT,
    VERIFIED,
    SoftAuthenticator,
)

ANA = PortalUser(
    "ana@alpha.example", "alpha", frozenset({GrantedRole.ACCOUNT_ADMIN}), "operator", 5.0
)
PARTY = RelyingParty.of_url("https://portal.example.net", "Example")
CHALLENGE, OTHER = b"\1" * 32, b"\2" * 32
NOW = 1700000000.0


def options_for(user: PortalUser = ANA, challenge: bytes = CHALLENGE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        json.dumps(registration_options(PARTY, user, challenge), default=dict)
    )
    return found


def request_for(challenge: bytes = CHALLENGE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(assertion_options(PARTY, challenge)))
    return found


def register(device: SoftAuthenticator) -> PortalPasskey:
    answer = PasskeyRegistration.read(device.create(options_for()))
    return registered(PARTY, CHALLENGE, answer, "phone", NOW)


def sign(device: SoftAuthenticator, passkey: PortalPasskey, *, is_stranger: bool = True) -> int:
    answer = PasskeyAssertion.read(device.get(request_for()))
    return asserted(PARTY, CHALLENGE, answer, ANA, passkey, is_stranger=is_stranger)


def device_of(**fields: Any) -> SoftAuthenticator:
    return SoftAuthenticator(PARTY.web_origin, **fields)


def test_a_passkey_is_registered_and_signs() -> None:
    device = device_of(counter=3)
    passkey = register(device)
    assert (passkey.name, passkey.sign_count, passkey.created_at) == ("phone", 3, NOW)
    assert passkey.credential_id == device.credential_id
    device.counter = 4
    answer = PasskeyAssertion.read(device.get(request_for()))
    assert (answer.challenge, answer.credential_id) == (CHALLENGE, passkey.credential_id)
    assert sign(device, passkey) == 4


def test_the_options_ask_for_a_verified_user_and_a_passkey_that_names_its_user() -> None:
    options = options_for()
    assert options["rp"] == {"id": "portal.example.net", "name": "Example"}
    wanted = options["authenticatorSelection"]
    assert (wanted["userVerification"], wanted["residentKey"]) == ("required", "required")
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [-7, -8, -257]
    assert options["timeout"] == 300_000
    request = request_for()
    assert (request["userVerification"], request["rpId"]) == ("required", PARTY.id)
    assert not request.get("allowCredentials")


def test_present_passkeys_are_not_made_again() -> None:
    device = device_of()
    user = replace(ANA, passkeys=(register(device),))
    [excluded] = options_for(user)["excludeCredentials"]
    assert excluded["id"] == json.loads(device.get(request_for()))["id"]
    named = assertion_options(PARTY, CHALLENGE, user.passkeys)["allowCredentials"]
    assert [one["id"] for one in named] == [excluded["id"]]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"web_origin": "https://portal.example.net:8443"}, "origin"),
        ({"web_origin": "https://sub.portal.example.net"}, "origin"),
        ({"web_origin": "http://portal.example.net"}, "origin"),
        ({"relying_party": "example.net"}, "RP ID"),
        ({"flags": PRESENT}, "verification required"),
        ({"flags": VERIFIED}, "User Present"),
        ({"flags": PRESENT | VERIFIED | BACKED_UP}, "contradict"),
        ({"client": {"crossOrigin": True}}, "frame"),
        ({"client": {"type": "webauthn.other"}}, "type"),
        ({"client": {"challenge": "AgICAgICAgICAgICAgICAg"}}, "challenge"),
        ({"client": {"origin": None}}, "origin"),
        ({"client": {"challenge": 7}}, "challenge"),
    ],
    ids=range(12),
)
def test_an_answer_of_another_ceremony_is_refused(fields: dict[str, Any], reason: str) -> None:
    good = device_of()
    passkey = register(good)
    good.counter += 1
    for name, value in fields.items():
        setattr(good, name, value)
    for attempt in (lambda: register(good), lambda: sign(good, passkey)):
        with pytest.raises(PasskeyRefused, match=reason):
            attempt()


def test_a_registration_is_no_assertion() -> None:
    device = device_of()
    passkey = register(device)
    made, signed = device.create(options_for()), device.get(request_for())
    swapped: tuple[tuple[Callable[[str], object], str], ...] = (
        (PasskeyRegistration.read, signed),
        (PasskeyAssertion.read, made),
    )
    for read, text in swapped:
        with pytest.raises(PasskeyRefused, match="form of WebAuthn"):
            read(text)
    device.client = {"type": "webauthn.create"}
    with pytest.raises(PasskeyRefused, match="type"):
        sign(device, passkey)


def test_an_answer_to_another_challenge_is_refused() -> None:
    device = device_of()
    passkey = register(device)
    made = PasskeyRegistration.read(device.create(options_for(challenge=OTHER)))
    with pytest.raises(PasskeyRefused, match="challenge"):
        registered(PARTY, CHALLENGE, made, "", NOW)
    signed = PasskeyAssertion.read(device.get(request_for(OTHER)))
    with pytest.raises(PasskeyRefused, match="challenge"):
        asserted(PARTY, CHALLENGE, signed, ANA, passkey, is_stranger=True)


def test_another_key_does_not_sign_for_a_passkey() -> None:
    device = device_of()
    passkey = register(device)
    thief = device_of(credential_id=device.credential_id, handle=device.handle, counter=9)
    with pytest.raises(PasskeyRefused, match="signature"):
        sign(thief, passkey)
    with pytest.raises(PasskeyRefused, match="credential"):
        sign(device_of(handle=device.handle), passkey)


@pytest.mark.parametrize(
    ("before", "after", "is_good"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
    ids=str,
)
def test_a_counter_that_goes_back_shows_a_copy(before: int, after: int, is_good: bool) -> None:
    device = device_of(counter=before)
    passkey = register(device)
    device.counter = after
    if is_good:
        assert sign(device, passkey) == after
    else:
        with pytest.raises(PasskeyRefused, match="copy"):
            sign(device, passkey)


def test_a_passkey_names_its_user() -> None:
    device = device_of(counter=0)
    passkey = register(device)
    assert device.handle == ANA.handle
    for handle in (b"", replace(ANA, created_at=6.0).handle):
        device.handle = handle
        with pytest.raises(PasskeyRefused, match="another user"):
            sign(device, passkey)
    device.handle = b""  # an old key does not keep it; here the session says who it is
    assert sign(device, passkey, is_stranger=False) == 0


def test_a_synchronized_passkey_is_accepted() -> None:
    device = device_of(flags=PRESENT | VERIFIED | BACKUP_POSSIBLE | BACKED_UP, counter=0)
    assert sign(device, register(device)) == 0


def key_of(**fields: Any) -> CoseKey:
    names = {"alg": 3, "x": -2}
    good = dict(ES256({1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\2" * 32}))
    return CoseKey({**good, **{names[name]: value for name, value in fields.items()}})


@pytest.mark.parametrize("algorithm", [-65535, -37, 1])
def test_a_key_that_was_not_offered_is_refused(algorithm: int) -> None:
    with pytest.raises(PasskeyRefused, match="algorithm"):
        register(device_of(public_key=key_of(alg=algorithm)))


def test_a_key_that_is_none_signs_nothing() -> None:
    device = device_of(public_key=key_of(), counter=0)
    with pytest.raises(PasskeyRefused):
        sign(device, register(device))


def test_an_id_has_a_longest_length() -> None:
    register(device_of(credential_id=bytes(1023)))
    for length in (0, 1024):
        with pytest.raises(PasskeyRefused):
            register(device_of(credential_id=bytes(length)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 9000,
        '{"rawId":"AA","response":{}}',
        "x" * (LONGEST_ANSWER + 1),
    ],
    ids=range(7),
)
def test_another_text_is_no_answer(text: str) -> None:
    for read in (PasskeyRegistration.read, PasskeyAssertion.read):
        with pytest.raises(PasskeyRefused):
            read(text)


@given(st.integers(0, 600), st.binary(min_size=1, max_size=4))
def test_an_answer_that_was_changed_is_refused_or_still_signed(place: int, octets: bytes) -> None:
    device = device_of()
    passkey = register(device)
    for text, check in (
        (device.create(options_for()), PasskeyRegistration.read),
        (device.get(request_for()), PasskeyAssertion.read),
    ):
        changed = text[:place] + octets.decode("latin-1") + text[place + len(octets) :]
        try:
            answer = check(changed)
            if isinstance(answer, PasskeyAssertion):
                asserted(PARTY, CHALLENGE, answer, ANA, passkey, is_stranger=True)
            else:
                registered(PARTY, CHALLENGE, answer, "", NOW)
        except PasskeyRefused:
            pass


@pytest.mark.parametrize(
    ("url", "party", "web_origin"),
    [
        ("https://portal.example.net", "portal.example.net", "https://portal.example.net"),
        ("https://Portal.Example.net:443", "portal.example.net", "https://portal.example.net"),
        ("https://mx.example:8443", "mx.example", "https://mx.example:8443"),
        ("http://localhost:8025", "localhost", "http://localhost:8025"),
    ],
)
def test_the_relying_party_is_the_host_of_the_portal(url: str, party: str, web_origin: str) -> None:
    found = RelyingParty.of_url(url, "x")
    assert (found.id, found.web_origin) == (party, web_origin)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("", "no address"),
        ("http://127.0.0.1:8025", "address"),
        ("https://[2001:db8::1]", "address"),
        ("http://portal.example.net", "without HTTPS"),
    ],
)
def test_an_address_without_passkeys_tells_the_setting(url: str, cause: str) -> None:
    with pytest.raises(NoRelyingParty, match=cause) as refused:
        RelyingParty.of_url(url, "x")
    assert "set `url` in `[web]`" in str(refused.value)
