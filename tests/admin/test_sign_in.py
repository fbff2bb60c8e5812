"""Signing in: each factor counts once, and no answer tells who exists or which factor was wrong."""

import asyncio
import ipaddress
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from restante.admin.portal_hashing import PortalHashing
from restante.admin.sign_in import (
    BUSY,
    ENTRIES_A_MINUTE,
    REFUSED,
    TOO_MANY,
    WRONG_FACTOR,
    SignInCredentials,
    SignInDenied,
    SignInService,
    step_of,
)
from restante.admin.sign_in_limits import OF_BLOCK, OF_USER_AND_BLOCK
from restante.admin.stranger_passwords import PasswordsUnchecked
from restante.telemetry.events import InternalError
from restante.tenancy.audit import AuditAction
from restante.tenancy.passwords import any_matches
from restante.tenancy.portal_user import PortalPasskey
from restante.tenancy.sealed_secrets import Vault
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.admin_world import run
from tests.admin.portal_people import ANA, ELSEWHERE, HOME, PASSWORD, ROOT, People


def test_a_password_and_a_code_sign_an_operator_in() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        signed_in = await people.sign_in(f" {ROOT.upper()} ", code=people.code())
        assert signed_in.user == people.user()
        assert signed_in.factors == (SignInFactor.PASSWORD, SignInFactor.ONE_TIME_CODE)
        assert signed_in.user.signed_in_at == people.now
        [entry] = await people.entries(AuditAction.SIGNED_IN)
        assert (entry.actor, entry.acted_from) == (f"user {ROOT} (operator)", str(HOME))

    run(story())


def test_a_user_of_an_account_without_an_app_needs_the_password_alone() -> None:
    async def story() -> None:
        people = People()
        await people.set_up(ANA, has_code=False)
        assert (await people.sign_in(ANA)).factors == (SignInFactor.PASSWORD,)
        assert (await people.sign_in(ANA, code="000000")).user.email == ANA

    run(story())


def test_every_refusal_has_one_text_and_its_true_reason_in_the_trail() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        await people.invite(ANA)
        cases = {
            "wrong password": (ROOT, "another password", people.code()),
            "no such user, or never signed in": ("nobody@mx.example", PASSWORD, people.code()),
            "wrong or missing one-time code": (ROOT, PASSWORD, "000000"),
        }
        for given in (*cases.values(), (ANA, PASSWORD, ""), ("", "", ""), ("\udcff", "x", "")):
            assert str(await people.denial(*given)) == REFUSED
        assert str(await people.denial(ROOT, PASSWORD, "")) == REFUSED
        assert set(people.reasons) == set(cases)
        entries = await people.entries(AuditAction.SIGN_IN_REFUSED)
        assert {one.reason for one in entries} == set(cases)
        assert {(one.actor, one.answer) for one in entries} == {("anonymous", REFUSED)}
        assert await people.entries(AuditAction.SIGNED_IN) == []

    run(story())


def test_a_hash_is_computed_for_nobody_too() -> None:
    async def story() -> None:
        checked: list[tuple[int, str]] = []

        def note(hashes: Sequence[str], password: str) -> bool:
            checked.append((len(hashes), password))
            return True

        people = People(hashing=PortalHashing(stranger_matches=note))
        await people.denial("nobody@mx.example", "a" * 300)
        await people.denial("no address", "x")
        assert checked == [(0, ""), (0, "x")]

    run(story())


def test_without_the_process_of_strangers_nobody_is_examined_and_the_log_says_so() -> None:
    async def story() -> None:
        def fail(_hashes: Sequence[str], _password: str) -> bool:
            raise PasswordsUnchecked

        people = People(hashing=PortalHashing(stranger_matches=fail))
        assert str(await people.denial("nobody@mx.example", "x")) == BUSY
        [(kind, fields)] = people.admin.log.lines
        assert (kind, fields["request"]) == (InternalError, "sign-in")

    run(story())


def test_a_code_counts_once() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        code = people.code()
        await people.sign_in(code=code)
        await people.denial(code=code)
        await people.denial(code=people.code(steps=-1))  # an earlier one neither
        await people.sign_in(code=people.code(steps=1))

    run(story())


def test_of_two_sign_ins_at_once_with_one_code_one_succeeds() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        for code in (people.code(), people.recovery[ROOT][0]):
            results = await asyncio.gather(
                *(people.sign_in(code=code) for _ in range(4)), return_exceptions=True
            )
            assert sum(isinstance(one, SignInDenied) for one in results) == 3

    run(story())


def test_a_recovery_code_takes_the_place_of_a_code_once() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        code = people.recovery[ROOT][3]
        signed_in = await people.sign_in(code=code.upper().replace("-", " "))
        assert signed_in.factors == (SignInFactor.PASSWORD, SignInFactor.RECOVERY_CODE)
        assert len(people.user().recovery_hashes) == 9
        await people.denial(code=code)
        await people.sign_in(code=people.recovery[ROOT][4])

    run(story())


def test_the_other_sign_in_of_a_race_costs_no_valid_code() -> None:
    """Two people of one role account, with different codes, at the same moment."""

    async def story() -> None:
        people = People()
        await people.set_up()
        codes = people.recovery[ROOT][:3]
        signed_in = await asyncio.gather(*(people.sign_in(code=one) for one in codes))
        assert len(signed_in) == 3
        assert len(people.user().recovery_hashes) == 7

    run(story())


def test_an_operator_never_signs_in_by_a_password_alone() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up()
        bare = user.changed(sealed_totp=None)
        entry = (await people.entries(AuditAction.USER_CHANGED))[0]
        await people.admin.store.records.put_portal_user(bare, entry)
        await people.context.directory.refresh()
        assert str(await people.denial()) == REFUSED
        with_key = bare.changed(passkeys=(PortalPasskey(b"\1", "key", 0, 1.0),))
        await people.admin.store.records.put_portal_user(with_key, entry)
        await people.context.directory.refresh()
        assert str(await people.denial()) == REFUSED
        assert people.reasons == ["no second factor is set up", "the passkey is missing"]

    run(story())


def test_a_password_that_is_changed_during_its_check_is_wrong() -> None:
    async def story() -> None:
        go = threading.Event()

        def check(hashes: Sequence[str], password: str) -> bool:
            return go.wait(30) and any_matches(hashes, password)

        people = People(hashing=PortalHashing(stranger_matches=check))
        user = await people.set_up(ANA, has_code=False)
        trying = asyncio.create_task(people.denial(ANA))
        await asyncio.sleep(0)
        await people.credentials.change_password(user, "stiefel mond korb", HOME)
        go.set()
        await trying

    run(story())


def test_a_key_file_that_was_lost_leaves_the_recovery_codes() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up()
        other = Vault(bytes([1]) * 32)
        assert step_of(other, user, people.code(), people.now) is None
        context = replace(people.context, vault=other)
        admin = SignInService(context, people.hashing, lambda: 0.0)
        with pytest.raises(SignInDenied):
            await admin.sign_in(SignInCredentials(ROOT, PASSWORD, people.code()), HOME)
        given = SignInCredentials(ROOT, PASSWORD, people.recovery[ROOT][0])
        assert (await admin.sign_in(given, HOME)).user.email == ROOT

    run(story())


def test_guessing_ends_and_the_owner_signs_in_from_elsewhere() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        for _ in range(OF_USER_AND_BLOCK):
            assert str(await people.denial(ROOT, "wrong")) == REFUSED
        flood = await people.denial(ROOT, PASSWORD, people.code())
        assert (str(flood), flood.is_flood) == (TOO_MANY, True)
        assert len(people.reasons) == OF_USER_AND_BLOCK
        await people.sign_in(code=people.code(), address=ELSEWHERE)
        people.monotonic += 1000
        people.now += 60
        await people.sign_in(code=people.code())

    run(story())


def test_spraying_one_password_over_users_ends_for_the_block() -> None:
    async def story() -> None:
        people, block = People(), 0
        for number in range(30):
            address = ipaddress.ip_address(f"2001:db8::{number + 1:x}")
            denied = await people.denial(f"user{number}@mx.example", "Summer2026!", address=address)
            block += denied.is_flood
        assert block == 10

    run(story())


def test_a_flood_leaves_a_number_of_entries_a_minute() -> None:
    async def story() -> None:
        people = People()
        for number in range(ENTRIES_A_MINUTE + 20):
            address = ipaddress.ip_address(f"2001:db8:{number:x}::1")
            await people.sign_in_service.refusal(f"u{number}@mx.example", "wrong password", address)
        assert len(await people.entries(AuditAction.SIGN_IN_REFUSED)) == ENTRIES_A_MINUTE
        assert len(people.reasons) == ENTRIES_A_MINUTE + 20

    run(story())


def test_when_the_threads_are_busy_nothing_counts_as_failed() -> None:
    async def story() -> None:
        people = People(hashing=PortalHashing(limit=0))
        for _ in range(3 * OF_USER_AND_BLOCK):
            denied = await people.denial(ROOT, "wrong")
            assert (str(denied), denied.is_flood) == (BUSY, True)
        assert people.reasons == []

    run(story())


def test_a_user_confirms_by_a_new_code() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        code = people.code()
        await people.sign_in(code=code)
        for given in (code, PASSWORD, "", "000000"):
            with pytest.raises(SignInDenied, match=WRONG_FACTOR):
                await people.sign_in_service.confirm(ROOT, given, HOME)
        await people.sign_in_service.confirm(ROOT, people.code(steps=1), HOME)
        await people.sign_in_service.confirm(ROOT, people.recovery[ROOT][0], HOME)
        assert len(await people.entries(AuditAction.FACTOR_SHOWN)) == 2

    run(story())


def test_wrong_sign_ins_of_others_lock_no_session_out() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        await people.set_up(ANA, has_code=False)
        for number in range(OF_BLOCK + OF_USER_AND_BLOCK):
            email = ROOT if number < OF_USER_AND_BLOCK else f"u{number}@alpha.example"
            with pytest.raises(SignInDenied):
                await people.sign_in_service.check_password(email, "wrong", HOME)
        await people.sign_in_service.confirm(ROOT, people.code(), HOME)
        await people.sign_in_service.confirm(ANA, PASSWORD, HOME)
        await people.sign_in_service.check_password_again(ANA, PASSWORD, HOME)

    run(story())


def test_a_user_without_a_second_factor_confirms_by_the_password() -> None:
    async def story() -> None:
        people = People()
        await people.set_up(ANA, has_code=False)
        with pytest.raises(SignInDenied, match=WRONG_FACTOR):
            await people.sign_in_service.confirm(ANA, "wrong", HOME)
        await people.sign_in_service.confirm(ANA, PASSWORD, HOME)
        with pytest.raises(SignInDenied):
            await people.sign_in_service.confirm("gone@alpha.example", PASSWORD, HOME)

    run(story())


def test_a_stolen_session_cannot_guess_codes() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        for _ in range(OF_USER_AND_BLOCK):
            with pytest.raises(SignInDenied, match=WRONG_FACTOR):
                await people.sign_in_service.confirm(ROOT, "000000", HOME)
        with pytest.raises(SignInDenied, match="too many"):
            await people.sign_in_service.confirm(ROOT, people.code(), HOME)

    run(story())


def test_a_passkey_is_not_confirmed_by_the_password() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up(ANA, has_code=False)
        signed_in = await people.sign_in_service.sign_in_otherwise(
            user, (SignInFactor.PASSKEY,), HOME, passkeys=(PortalPasskey(b"\1", "key", 0, 1.0),)
        )
        assert (signed_in.factors, len(people.user(ANA).passkeys)) == ((SignInFactor.PASSKEY,), 1)
        with pytest.raises(SignInDenied):
            await people.sign_in_service.confirm(ANA, PASSWORD, HOME)
        with pytest.raises(SignInDenied, match="at this moment"):
            await people.sign_in_service.sign_in_otherwise(user, (SignInFactor.PASSKEY,), HOME)

    run(story())


def test_no_text_of_credentials_has_the_password() -> None:
    given = SignInCredentials(ROOT, PASSWORD, "123456")
    assert PASSWORD not in repr(given)
    assert "123456" not in repr(given)
