"""The next look tells once which domains hold more or less, for every cause."""

from restante.admin.held_changes import HeldChanges
from restante.admin.held_mail import NamedMessages, delete_messages
from restante.mail.message import message_name
from tests.admin.admin_world import AdminWorld, run


def test_a_look_tells_each_domain_that_holds_more_or_less_than_before() -> None:
    async def story() -> None:
        admin = AdminWorld()
        first = await admin.host("alpha.example", "alpha")
        second = await admin.host("beta.example", "beta")
        await admin.hold(1, first, "a@alpha.example")
        changes = HeldChanges(admin.store.figures)
        changes.begin()
        assert await changes.look() == []
        await admin.hold(2, second, "b@beta.example")
        assert await changes.look() == [second]
        assert await changes.look() == []
        gone = NamedMessages(names=(message_name(1), message_name(2)), reason="tests")
        await delete_messages(admin.context, gone)
        assert sorted(await changes.look()) == [first, second]
        assert changes.usage(second).messages == 0

    run(story())
