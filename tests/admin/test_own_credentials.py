"""Setting up and replacing the means to sign in: whole or not at all, and each link once."""

import asyncio

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.own_credentials import LINK_OVER, NewCredentials
from restante.admin.portal_hashing import PortalHashing
from restante.admin.portal_sessions import SignInProof
from restante.admin.sign_in import BUSY, SignInDenied
from restante.tenancy.audit import AuditAction
from restante.tenancy.one_time_codes import RECOVERY_CODES, code_at, step_at
from restante.tenancy.portal_user import INVITATION_SECONDS
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.admin_world import run
from tests.admin.portal_people import ANA, HOME, PASSWORD, ROOT, People


def test_an_invitation_sets_password_and_app_once() -> None:
    async def story() -> None:
        people = People()
        secret = await people.invite()
        assert people.credentials.invited(secret) == people.user()
        done = await people.accept(secret)
        assert len(done.recovery_codes) == RECOVERY_CODES
        user = people.user()
        assert done.signed_in.user == user
        assert user.invitation is None
        assert user.sealed_totp is not None
        assert people.apps[ROOT].encode() not in user.sealed_totp
        assert people.credentials.invited(secret) is None
        with pytest.raises(SignInDenied, match=LINK_OVER):
            await people.accept(secret)
        entry = (await people.entries(AuditAction.USER_CHANGED))[0]
        assert {one.field for one in entry.changes} >= {"password", "secret of the one-time codes"}
        assert PASSWORD not in repr(entry)

    run(story())


def test_of_two_browsers_with_one_link_one_is_set_up() -> None:
    async def story() -> None:
        people = People()
        secret = await people.invite()
        results = await asyncio.gather(
            *(people.accept(secret) for _ in range(3)), return_exceptions=True
        )
        assert sum(isinstance(one, SignInDenied) for one in results) == 2

    run(story())


@pytest.mark.parametrize(
    ("later", "is_good"),
    [
        (0.0, True),
        (INVITATION_SECONDS - 1, True),
        (INVITATION_SECONDS, False),
        (-60.0, True),
        (-61.0, False),  # the clock was set back: nobody can tell how old the link is
    ],
    ids=range(5),
)
def test_a_link_is_good_for_half_an_hour(later: float, is_good: bool) -> None:
    async def story() -> None:
        people = People()
        secret = await people.invite()
        people.now += later
        assert (people.credentials.invited(secret) is not None) is is_good

    run(story())


def test_another_text_is_no_link() -> None:
    people = People()
    for text in ("", "x", "\udcff", "a" * 10_000):
        assert people.credentials.invited(text) is None


def test_another_invitation_ends_the_one_before() -> None:
    async def story() -> None:
        people = People()
        first = await people.invite()
        second = await people.invite()
        assert people.credentials.invited(first) is None
        assert people.credentials.invited(second) is not None

    run(story())


def test_a_user_who_is_invited_again_gets_everything_new_and_sessions_end() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up()
        secret = await people.sessions.begin(user, SignInProof((SignInFactor.PASSWORD,), str(HOME)))
        again = await people.invite(again=True)
        assert await people.sessions.find(secret) is not None
        before = people.apps[ROOT]
        await people.accept(again, "stiefel mond korb")
        assert people.apps[ROOT] != before
        assert await people.sessions.find(secret) is None
        await people.denial(code=people.code(steps=1))

    run(story())


@pytest.mark.parametrize(
    ("password", "objection"),
    [
        ("short", "too short"),
        ("Password2026!", "is a common password"),
        (ROOT, "made of your address"),
    ],
    ids=range(3),
)
def test_a_bad_password_leaves_the_link_good(password: str, objection: str) -> None:
    async def story() -> None:
        people = People()
        secret = await people.invite()
        with pytest.raises(AdminError, match=objection):
            await people.accept(secret, password)
        await people.accept(secret)

    run(story())


def test_an_operator_needs_a_code_and_a_user_of_an_account_may_go_without() -> None:
    async def story() -> None:
        people = People()
        secret = await people.invite()
        with pytest.raises(AdminError, match="operator needs"):
            await people.accept(secret, has_code=False)
        done = await people.accept(await people.invite(ANA), has_code=False)
        assert done.recovery_codes == ()
        assert done.signed_in.factors == (SignInFactor.PASSWORD,)
        assert not people.user(ANA).has_second_factor

    run(story())


def test_a_code_must_be_of_the_offered_secret_and_of_this_user() -> None:
    async def story() -> None:
        people = People()
        secret, other = await people.invite(), await people.invite(ANA)
        user, ana = people.user(), people.user(ANA)
        offer, foreign = people.credentials.offer_code(user), people.credentials.offer_code(ana)
        step = step_at(people.now)
        for given in (
            NewCredentials(PASSWORD, offer.sealed, "000000"),
            NewCredentials(PASSWORD, foreign.sealed, code_at(foreign.secret, step)),
            NewCredentials(PASSWORD, "", code_at(offer.secret, step)),
            NewCredentials(PASSWORD, "no hex", code_at(offer.secret, step)),
            NewCredentials(PASSWORD, "00" * 40, code_at(offer.secret, step)),
        ):
            with pytest.raises(AdminError, match="not the one that the app shows"):
                await people.credentials.accept(secret, given, HOME)
        good = NewCredentials(PASSWORD, offer.sealed, code_at(offer.secret, step))
        await people.credentials.accept(secret, good, HOME)
        people.apps[ROOT] = offer.secret
        await people.denial(code=people.code())  # used up by the set-up
        assert people.credentials.invited(other) == ana

    run(story())


def test_a_form_that_comes_back_shows_the_same_secret() -> None:
    async def story() -> None:
        people = People()
        await people.invite()
        user = people.user()
        offer = people.credentials.offer_code(user)
        assert people.credentials.offer_code(user, offer.sealed) == offer
        assert people.credentials.offer_code(user, "nonsense").secret != offer.secret
        assert people.credentials.offer_code(user).secret != offer.secret
        assert offer.uri.startswith("otpauth://totp/mx2.example.net:root%40mx.example?")

    run(story())


def test_another_password_ends_every_session() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up(ANA, has_code=False)
        secret = await people.sessions.begin(user, SignInProof((SignInFactor.PASSWORD,), str(HOME)))
        with pytest.raises(AdminError, match="too short"):
            await people.credentials.change_password(user, "short", HOME)
        assert await people.sessions.find(secret) is not None
        changed = await people.credentials.change_password(user, "stiefel mond korb", HOME)
        assert await people.sessions.find(secret) is None
        await people.denial(ANA, PASSWORD)
        await people.sign_in(ANA, "stiefel mond korb")
        with pytest.raises(AdminError, match="meanwhile"):
            await people.credentials.change_password(user, "mond korb stiefel", HOME)
        assert changed.revision < people.user(ANA).revision

    run(story())


def test_new_recovery_codes_end_the_old_ones() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up()
        codes = await people.credentials.new_recovery_codes(user, HOME)
        assert len(codes) == RECOVERY_CODES
        await people.denial(code=people.recovery[ROOT][0])
        await people.sign_in(code=codes[0])

    run(story())


def test_another_app_takes_the_place_of_the_first() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up()
        offer = people.credentials.offer_code(user)
        given = NewCredentials("", offer.sealed, code_at(offer.secret, step_at(people.now)))
        changed, codes = await people.credentials.set_up_code(user, given, HOME)
        assert changed == people.user()
        assert len(codes) == RECOVERY_CODES
        people.now += 60
        await people.denial(code=people.code())
        people.apps[ROOT] = offer.secret
        await people.sign_in(code=people.code())

    run(story())


def test_when_the_threads_are_busy_the_link_stays_good() -> None:
    async def story() -> None:
        people = People(hashing=PortalHashing(limit=0))
        secret = await people.invite()
        with pytest.raises(SignInDenied, match=BUSY):
            await people.accept(secret)
        assert people.credentials.invited(secret) is not None

    run(story())
