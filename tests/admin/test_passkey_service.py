"""Passkeys over a store: challenges are good once, and every change is on record."""

import asyncio
import json
from typing import Any

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.passkey_service import MOST_PASSKEYS, REFUSED_PASSKEY, UNNAMED
from restante.admin.sign_in import SignedIn, SignInDenied
from restante.tenancy.audit import AuditAction
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.portal_people import ANA, HOME, ROOT, People
from tests.tenancy.soft_authenticator import SoftAuthenticator

ORIGIN = "https://r.example"
SESSION = "a-session"


class Story(People):
    """People, and their devices."""

    async def register(
        self, device: SoftAuthenticator, email: str = ROOT, name: str = "phone"
    ) -> None:
        options: Any = self.passkeys.offer(self.user(email), SESSION)
        text = device.create(options)
        await self.passkeys.register(self.user(email), SESSION, text, name, HOME)

    async def sign_in_by(self, device: SoftAuthenticator) -> SignedIn:
        options: Any = self.passkeys.ask_stranger()
        device.counter += 1
        return await self.passkeys.sign_in(device.get(options), HOME)

    async def registered(self, email: str = ROOT) -> SoftAuthenticator:
        await self.set_up(email, has_code=email == ROOT)
        device = SoftAuthenticator(ORIGIN)
        await self.register(device, email)
        return device


def told(story: Any) -> None:
    asyncio.run(story(Story()))


async def refused(work: Any) -> str:
    with pytest.raises(SignInDenied) as denied:
        await work
    assert str(denied.value) == REFUSED_PASSKEY
    return str(denied.value)


def test_a_passkey_alone_signs_its_user_in() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        found = await people.sign_in_by(device)
        assert (found.user.email, found.factors) == (ROOT, (SignInFactor.PASSKEY,))
        [kept] = people.user().passkeys
        assert (kept.name, kept.sign_count, kept.used_at) == ("phone", 2, people.now)
        assert people.user().signed_in_at == people.now
        [entry] = await people.entries(AuditAction.SIGNED_IN)
        assert entry.changes == ()  # the use of a passkey is no change of it
        assert (await people.sign_in_by(device)).user.email == ROOT

    told(story)


def test_an_answer_is_good_once() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        device.counter = 0  # of a device that does not count
        people_options: Any = people.passkeys.ask_stranger()
        device.counter = 5
        text = device.get(people_options)
        await people.passkeys.sign_in(text, HOME)
        await refused(people.passkeys.sign_in(text, HOME))
        assert people.reasons[-1].endswith("its challenge is unknown, was used, or is too old")

    told(story)


def test_an_answer_comes_within_five_minutes() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        options: Any = people.passkeys.ask_stranger()
        people.monotonic += 300.0
        await refused(people.passkeys.sign_in(device.get(options), HOME))

    told(story)


def test_a_challenge_is_for_one_purpose_and_session() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        device.counter = 9
        options: Any = people.passkeys.ask_user(people.user(), SESSION)
        await refused(people.passkeys.sign_in(device.get(options), HOME))
        options = people.passkeys.ask_user(people.user(), SESSION)
        await refused(people.passkeys.confirm(ROOT, "other", device.get(options), HOME))
        options = people.passkeys.offer(people.user(), SESSION)
        text = SoftAuthenticator(ORIGIN).create(options)
        with pytest.raises(AdminError, match="challenge"):
            await people.passkeys.register(people.user(), "other", text, "", HOME)
        options = people.passkeys.ask_user(people.user(), SESSION)
        await people.passkeys.confirm(ROOT, SESSION, device.get(options), HOME)
        assert len(await people.entries(AuditAction.FACTOR_SHOWN)) == 1

    told(story)


def test_nobody_confirms_by_the_passkey_of_another() -> None:
    async def story(people: Story) -> None:
        device = await people.registered(ANA)
        await people.set_up()
        options: Any = people.passkeys.ask_user(people.user(), SESSION)
        await refused(
            people.passkeys.confirm(
                ROOT, SESSION, device.get({**options, "rpId": "r.example"}), HOME
            )
        )
        assert people.reasons[-1] == "wrong passkey: it is another user's"

    told(story)


def test_a_copy_of_a_passkey_is_refused_and_logged() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        device.counter = 7
        await people.sign_in_by(device)
        device.counter = 3
        await refused(people.sign_in_by(device))
        assert "there may be a copy" in people.reasons[-1]
        [entry, *_] = await people.entries(AuditAction.SIGN_IN_REFUSED)
        assert (entry.subject, entry.answer) == (ROOT, REFUSED_PASSKEY)
        assert "there may be a copy" in entry.reason

    told(story)


def test_an_unknown_passkey_is_refused_alike() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        await people.passkeys.remove(people.user(), people.user().passkeys[0].key, HOME)
        await refused(people.sign_in_by(device))
        await refused(people.passkeys.sign_in("{}", HOME))
        assert people.reasons[-2] == "wrong passkey: nobody has it"

    told(story)


def test_no_two_users_have_one_passkey() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        await people.set_up(ANA, has_code=False)
        with pytest.raises(AdminError, match="Somebody has it already"):
            await people.register(device, ANA)
        assert people.user(ANA).passkeys == ()

    told(story)


def test_a_passkey_is_renamed_and_removed() -> None:
    async def story(people: Story) -> None:
        await people.registered()
        await people.register(SoftAuthenticator(ORIGIN), name="  ")
        first, second = people.user().passkeys
        assert second.name == UNNAMED
        await people.passkeys.rename(people.user(), second.key, " blue \n key ", HOME)
        assert [one.name for one in people.user().passkeys] == ["phone", "blue key"]
        await people.passkeys.remove(people.user(), first.key, HOME)
        assert [one.name for one in people.user().passkeys] == ["blue key"]
        for key in (first.key, ""):
            with pytest.raises(AdminError, match="does not exist"):
                await people.passkeys.remove(people.user(), key, HOME)
        with pytest.raises(AdminError, match="too long"):
            await people.passkeys.rename(people.user(), second.key, "x" * 61, HOME)

    told(story)


def test_an_operator_keeps_a_second_factor() -> None:
    async def story(people: Story) -> None:
        await people.registered()
        user = people.user().changed(sealed_totp=None)
        with pytest.raises(AdminError, match="this is the last one"):
            await people.passkeys.remove(user, user.passkeys[0].key, HOME)

    told(story)


def test_a_user_has_so_many_passkeys() -> None:
    async def story(people: Story) -> None:
        await people.registered()
        [one] = people.user().passkeys
        full = people.user().changed(passkeys=(one,) * MOST_PASSKEYS)
        with pytest.raises(AdminError, match="20 passkeys already"):
            people.passkeys.offer(full, SESSION)

    told(story)


def test_of_two_changes_of_one_record_the_first_is_kept() -> None:
    async def story(people: Story) -> None:
        await people.registered()
        old = people.user()
        await people.passkeys.rename(old, old.passkeys[0].key, "first", HOME)
        with pytest.raises(AdminError, match="changed meanwhile"):
            await people.passkeys.rename(old, old.passkeys[0].key, "second", HOME)
        assert people.user().passkeys[0].name == "first"

    told(story)


def test_strangers_learn_nothing_of_users_from_a_challenge() -> None:
    async def story(people: Story) -> None:
        await people.registered()
        text = json.dumps(people.passkeys.ask_stranger())
        assert ROOT not in text
        assert "allowCredentials" not in json.loads(text)

    told(story)


def test_a_challenge_outlives_a_restart_and_is_good_once_for_all_processes() -> None:
    async def story(people: Story) -> None:
        device = await people.registered()
        options: Any = people.passkeys.ask_stranger()
        other = Story(admin=people.admin, now=people.now)  # the same store and key file
        device.counter += 1
        text = device.get(options)
        assert (await other.passkeys.sign_in(text, HOME)).user.email == ROOT
        await refused(people.passkeys.sign_in(text, HOME))

    told(story)


def test_no_stranger_makes_the_store_write_by_asking() -> None:
    async def story(people: Story) -> None:
        for _ in range(50):
            people.passkeys.ask_stranger()
        assert not people.admin.store.state.used
        await refused(people.passkeys.sign_in("{}", HOME))
        assert not people.admin.store.state.used

    told(story)
