"""A user changes the own record, under the own name, if nobody did so meanwhile."""

from restante.admin.own_record import put_own
from restante.tenancy.audit import AuditAction
from tests.admin.admin_world import run
from tests.admin.portal_people import ANA, People


def test_of_two_changes_from_one_record_the_first_is_kept() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up(ANA)
        context, action = people.context, AuditAction.SIGNED_IN
        assert await put_own(context, user, user.changed(totp_step=9), action, "192.0.2.7")
        assert not await put_own(context, user, user.changed(totp_step=8), action, "192.0.2.7")
        assert people.user(ANA).totp_step == 9
        [entry] = await people.entries(action)
        assert (entry.actor, entry.acted_from) == (f"user {ANA} (alpha)", "192.0.2.7")
        assert (entry.subject, entry.account) == (ANA, "alpha")

    run(story())


def test_a_removed_user_is_not_made_again() -> None:
    async def story() -> None:
        people = People()
        user = await people.set_up(ANA)
        entry = (await people.entries(AuditAction.USER_CHANGED))[0]
        await people.admin.store.records.remove_portal_user(ANA, entry)
        changed = user.changed(totp_step=9)
        assert not await put_own(people.context, user, changed, AuditAction.SIGNED_IN, "x")
        assert ANA not in people.context.directory.now.portal_users

    run(story())
