"""The end of a session leaves an entry in the audit trail."""

import asyncio
from collections.abc import Awaitable, Callable

from restante.admin.portal_sessions import SignInProof
from restante.admin.session_ending import end_own_session, sign_out, sign_out_everywhere
from restante.tenancy.audit import AuditAction
from restante.tenancy.portal_user import user_principal
from restante.tenancy.session_record import hash_session_secret
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.portal_people import ANA, People


def told(story: Callable[[People], Awaitable[None]]) -> None:
    async def whole() -> None:
        people = People()
        await people.set_up(ANA, has_code=False)
        await story(people)

    asyncio.run(whole())


async def begun(people: People) -> str:
    """Begin a session; return its name."""
    secret = await people.sessions.begin(
        people.user(ANA), SignInProof((SignInFactor.PASSWORD,), "192.0.2.7")
    )
    key = hash_session_secret(secret)
    assert key is not None
    return key[:8].hex()


def test_each_end_has_an_entry_with_its_user_and_the_reason() -> None:
    async def story(people: People) -> None:
        context = people.context.acting(user_principal(people.user(ANA), "192.0.2.7"))
        own, other, third = [await begun(people) for _ in range(3)]
        await end_own_session(context, people.sessions, ANA, other)
        await sign_out(context, people.sessions, ANA, own)
        assert [one.key for one in await people.sessions.of_user(ANA)] == [third]
        await sign_out_everywhere(context, people.sessions, ANA)
        assert not await people.sessions.of_user(ANA)
        entries = await people.entries(AuditAction.SESSION_ENDED)
        assert {(one.subject, one.account, one.acted_from) for one in entries} == {
            (ANA, "alpha", "192.0.2.7")
        }
        assert {one.reason for one in entries} == {
            f"session {other} was ended in the profile",
            "signed out",
            "signed out everywhere",
        }

    told(story)


def test_a_session_that_is_not_there_leaves_none() -> None:
    async def story(people: People) -> None:
        context = people.context.acting(user_principal(people.user(ANA), "192.0.2.7"))
        await begun(people)
        await end_own_session(context, people.sessions, ANA, "0" * 16)
        assert len(await people.sessions.of_user(ANA)) == 1
        assert not await people.entries(AuditAction.SESSION_ENDED)

    told(story)
