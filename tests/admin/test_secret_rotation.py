"""After a rotation, no secret of the records needs a former key."""

from dataclasses import replace

import pytest

from restante.admin import secret_rotation
from restante.admin.admin_context import AdminContext
from restante.admin.secret_rotation import seal_secrets_again
from restante.tenancy.audit import EVERY_ENTRY, AuditAction
from restante.tenancy.grants import GrantedRole
from restante.tenancy.model import (
    Destination,
    DestinationLogin,
    Directory,
    HostedDomain,
    Login,
    PriorPassword,
)
from restante.tenancy.notice import Channel
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange
from restante.tenancy.sealed_secrets import (
    Vault,
    channel_owner,
    code_secret_owner,
    destination_owner,
    login_owner,
    verifier_owner,
)
from restante.tenancy.shared_key import has_shared_key
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.contract.making import NOTED

OLD, NEW = bytes(32), b"\1" * 32
NAME = "alpha.example"


def old(secret: str, owner: str) -> bytes:
    return Vault(OLD).seal(secret, owner)


def opened(sealed: bytes | None, owner: str) -> str:
    """Open with the new key alone."""
    assert sealed is not None
    return Vault(NEW).open(sealed, owner)


def place(password: str) -> Destination:
    return Destination("mail.example", login=DestinationLogin("mx", old(password, PLACE)))


LOGIN, VERIFIER, PLACE = login_owner("ann"), verifier_owner("ann"), destination_owner(NAME)
HOOK, CODES = channel_owner("alpha", "ops"), code_secret_owner("ana@alpha.example")
ANN = Login(
    "ann",
    "alpha",
    "a hash",
    old("secret", LOGIN),
    1.0,
    old("verifier", VERIFIER),
    prior=PriorPassword(
        "an old hash", old("old secret", LOGIN), old("old verifier", VERIFIER), 2 * NOW
    ),
)


async def kept(admin: AdminWorld) -> AdminContext:
    """Keep a secret of each kind under the old key; return what has both."""
    records = admin.store.records
    await records.put_login(ANN, NOTED)
    present = (await records.directory()).domains[NAME]
    domain = replace(present, destination=place("password"))
    await records.put_domain(domain, NOTED)
    await records.put_channel(
        Channel(0, "alpha", "ops", "webhook", "https://x", old("url", HOOK), frozenset(), NOW),
        NOTED,
    )
    user = PortalUser(
        "ana@alpha.example", "alpha", frozenset({GrantedRole.ACCOUNT_ADMIN}), "root", NOW
    )
    await records.put_portal_user(replace(user, sealed_totp=old("codes", CODES)), NOTED)
    await admin.store.schedule.schedule_change(change_of(domain), NOTED)
    return replace(admin.context, vault=Vault(NEW + OLD))


def change_of(domain: HostedDomain) -> ScheduledChange:
    wanted = PartReplacement(domain.destination, place("another password"))
    return ScheduledChange(
        0, domain.id, NAME, "alpha", ChangeMaker("ann", ""), NOW, NOW + 1, wanted
    )


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    run(admin.host(NAME, "alpha"))
    return admin


def check_records(now: Directory) -> None:
    ann = now.logins["ann"]
    assert ann.prior is not None
    assert opened(ann.sealed_secret, LOGIN) == "secret"
    assert opened(ann.sealed_verifier, VERIFIER) == "verifier"
    assert opened(ann.prior.sealed_secret, LOGIN) == "old secret"
    assert opened(ann.prior.sealed_verifier, VERIFIER) == "old verifier"
    login = now.domains[NAME].destination.login
    assert login is not None
    assert opened(login.sealed_password, PLACE) == "password"
    [channel] = now.channels.values()
    assert opened(channel.sealed, HOOK) == "url"
    assert opened(now.portal_users["ana@alpha.example"].sealed_totp, CODES) == "codes"
    assert has_shared_key(Vault(NEW), now)


def test_every_secret_opens_with_the_new_key_alone(
    admin: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_rotation, "_AT_ONCE", 3)

    async def check() -> None:
        context = await kept(admin)
        assert await seal_secrets_again(context) == 5
        now = await admin.store.records.directory()
        check_records(now)
        [change] = await admin.store.schedule.waiting_changes()
        assert change.destination is not None
        assert change.destination.former == now.domains[NAME].destination  # so it still applies
        login = change.destination.wanted.login
        assert login is not None
        assert opened(login.sealed_password, PLACE) == "another password"
        page = await admin.store.audit.audit_page(EVERY_ENTRY, 100, None)
        noted = {one.action for one in page.entries if one.reason == "the key file was rotated"}
        assert AuditAction.LOGIN_CHANGED in noted
        assert await seal_secrets_again(context) == 0

    run(check())


def test_a_secret_that_no_key_opens_stays_and_stops_nothing(admin: AdminWorld) -> None:
    async def check() -> None:
        context = await kept(admin)
        strange = Vault(b"\2" * 32).seal("lost", LOGIN)
        await admin.store.records.put_login(replace(ANN, sealed_secret=strange), NOTED)
        assert await seal_secrets_again(context) == 5
        ann = (await admin.store.records.directory()).logins["ann"]
        assert ann.sealed_secret == strange
        assert opened(ann.sealed_verifier, VERIFIER) == "verifier"

    run(check())


def test_plain_records_are_left_alone(admin: AdminWorld) -> None:
    assert run(seal_secrets_again(admin.context)) == 0
