"""People who come from a provider: their identity, and the rights of their groups."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from restante.admin.portal_sessions import SignInProof
from restante.admin.portal_users import list_users
from restante.admin.provider_sign_in import BEGUN_A_MINUTE, NO_ROLE, NOT_SIGNED_IN, ReturnedPerson
from restante.admin.sign_in import TOO_MANY, SignInDenied
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import GrantedRole
from restante.tenancy.portal_user_state import PortalUserState
from restante.tenancy.provider_settings import RoleRule
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.loopback_provider import ANA as CLAIMS
from tests.admin.loopback_provider import LoopbackProvider
from tests.admin.portal_people import ANA, HOME, People


class Visitors(People):
    """People whose portal has a provider, on loopback."""

    async def come(self, confirming: str = "", /, **claims: Any) -> ReturnedPerson:
        """Sign in at the provider, as a person with these claims."""
        loopback.claims = {**CLAIMS, **claims}
        loopback.now = self.now
        state, url = await self.provider.begin("/queue", HOME, confirming)
        return await self.provider.finish(loopback.visit(url), state, HOME)

    async def refusal(self, *given: Any, **claims: Any) -> str:
        """Return the text for a person who is refused."""
        with pytest.raises(SignInDenied) as denied:
            await self.come(*given, **claims)
        return str(denied.value)


loopback = LoopbackProvider()


def told(story: Callable[[Visitors], Awaitable[None]]) -> None:
    async def whole() -> None:
        people = Visitors()
        await people.admin.host("alpha.example", "alpha")
        with tempfile.TemporaryDirectory() as directory:
            async with loopback.listening(Path(directory)):
                people.provider_settings = loopback.settings()
                await story(people)

    asyncio.run(whole())


def test_a_person_becomes_a_user_with_the_rights_of_the_group() -> None:
    async def story(people: Visitors) -> None:
        returned = await people.come()
        user = people.user(ANA)
        assert returned.signed_in.user == user
        assert (returned.following, returned.proved_at) == ("/queue", 0.0)
        assert (user.account, user.role) == ("alpha", GrantedRole.ACCOUNT_ADMIN)
        assert (user.oidc_issuer, user.oidc_subject) == (loopback.issuer, "8a1f")
        assert user.password_hash == ""
        assert user.created_by == f"provider {loopback.issuer}"
        [view] = await list_users(people.admin.context, "alpha")
        assert view.state is PortalUserState.ACTIVE
        assert len(await people.entries(AuditAction.USER_ADDED)) == 1
        await people.come()
        assert len(await people.entries(AuditAction.USER_ADDED)) == 1
        assert len(await people.entries(AuditAction.SIGNED_IN)) == 2

    told(story)


def test_an_operator_of_the_provider_needs_no_second_factor_here() -> None:
    async def story(people: Visitors) -> None:
        await people.come(groups=["mail-admins", "alpha-mail"])
        user = people.user(ANA)
        assert (user.account, user.role) == ("", GrantedRole.OPERATOR)
        assert not user.needs_second_factor
        assert user.changed(password_hash="$argon2id$").needs_second_factor

    told(story)


def test_the_address_never_leads_to_a_user_who_is_there() -> None:
    async def story(people: Visitors) -> None:
        await people.set_up(ANA, has_code=False)
        before = people.user(ANA)
        assert await people.refusal() == NO_ROLE
        assert people.user(ANA) == before
        assert "is another user already" in people.reasons[-1]
        await people.come(sub="other", email="ben@alpha.example")
        assert await people.refusal(sub="third", email="ben@alpha.example") == NO_ROLE

    told(story)


def test_another_address_of_the_same_person_changes_nobody() -> None:
    async def story(people: Visitors) -> None:
        await people.come()
        returned = await people.come(email="new@alpha.example")
        assert returned.signed_in.user.email == ANA

    told(story)


def test_without_a_role_a_person_is_refused_and_signed_out() -> None:
    async def story(people: Visitors) -> None:
        assert await people.refusal(groups=["other"]) == NO_ROLE
        assert await people.refusal(groups=7) == NO_ROLE
        assert ANA not in people.context.directory.now.portal_users
        await people.come()
        store = people.admin.store.sessions
        await people.sessions.begin(
            people.user(ANA), SignInProof((SignInFactor.PROVIDER,), str(HOME))
        )
        assert len(await store.sessions_of(ANA)) == 1
        assert await people.refusal(groups=[]) == NO_ROLE
        assert await store.sessions_of(ANA) == []

    told(story)


def test_the_rights_follow_the_groups() -> None:
    async def story(people: Visitors) -> None:
        await people.come(groups=["mail-admins"])
        assert await people.refusal(groups=["alpha-mail"]) == NO_ROLE
        assert "name another account now" in people.reasons[-1]
        await people.come(groups=["mail-admins"])
        assert people.user(ANA).role is GrantedRole.OPERATOR

    told(story)


def test_a_user_needs_an_account_and_an_address() -> None:
    async def story(people: Visitors) -> None:
        for claims in ({"email": "-"}, {"email": "no address"}, {"email_verified": False}):
            assert await people.refusal(**claims) == NO_ROLE
            assert "no email address" in people.reasons[-1]
        rule = RoleRule("alpha-mail", GrantedRole.ACCOUNT_READER, "x")
        people.provider_settings = loopback.settings(rules=(rule,))
        assert await people.refusal() == NO_ROLE
        assert "the account x of [[oidc.roles]] does not exist" in people.reasons[-1]

    told(story)


def test_a_token_that_is_not_good_signs_nobody_in() -> None:
    async def story(people: Visitors) -> None:
        for claims, reason in (
            ({"aud": "other"}, "another audience"),
            ({"nonce": "other"}, "nonce"),
            ({"exp": 1}, "has expired"),
        ):
            assert await people.refusal(**claims) == NOT_SIGNED_IN
            assert reason in people.reasons[-1]
        entries = await people.entries(AuditAction.SIGN_IN_REFUSED)
        assert [one.acted_from for one in entries] == [str(HOME)] * 3

    told(story)


def test_a_factor_is_shown_again_at_the_provider() -> None:
    async def story(people: Visitors) -> None:
        await people.come()
        returned = await people.come(ANA, auth_time=int(people.now) - 5)
        assert (returned.is_step_up, returned.following) == (True, "/queue")
        for claims in ({}, {"auth_time": int(people.now) - 3600}, {"sub": "other"}):
            assert await people.refusal(ANA, **claims) == NO_ROLE
        assert len(await people.entries(AuditAction.FACTOR_SHOWN)) == 1

    told(story)


def test_so_many_sign_ins_begin_in_a_minute_from_one_block() -> None:
    async def story(people: Visitors) -> None:
        for _ in range(BEGUN_A_MINUTE):
            await people.provider.begin("/", HOME)
        with pytest.raises(SignInDenied, match=TOO_MANY):
            await people.provider.begin("/", HOME)

    told(story)


def test_a_local_operator_signs_in_while_the_provider_is_away() -> None:
    async def story(people: Visitors) -> None:
        await people.set_up()
        loopback.answers["/.well-known/openid-configuration"] = b"HTTP/1.1 503 X\r\n\r\n"
        try:
            with pytest.raises(SignInDenied, match="provider did not sign you in"):
                await people.provider.begin("/", HOME)
        finally:
            loopback.answers.clear()
        assert (await people.sign_in(code=people.code())).user.email == people.user().email

    told(story)
