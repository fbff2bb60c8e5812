"""Releasing messages by name: held ones leave alone, refused ones are held again."""

from dataclasses import replace

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.hold_again import MessagesToHoldAgain
from restante.admin.operator_release import NothingReleased
from restante.admin.queue_release import MOST_NAMED, release_messages
from restante.mail.message import message_name
from restante.tenancy.grants import Scope
from restante.tenancy.release_result import ReleaseResult
from tests.admin.admin_world import UNPAID, AdminWorld, run
from tests.admin.test_hold_again import filled


def wanted(*numbers: int, **more: object) -> MessagesToHoldAgain:
    names = tuple(map(message_name, numbers))
    return MessagesToHoldAgain.model_validate({"names": names, **more})


def released(admin: AdminWorld) -> list[tuple[str, str, str]]:
    assert admin.server is not None
    return admin.server.released


def test_held_messages_are_handed_over_and_refused_ones_are_held_again() -> None:
    async def story() -> None:
        admin = await filled()
        done = await release_messages(admin.context, wanted(1, 2, 3, 9, reason="why"))
        assert (done.changed, done.missing) == (1, ["9"])
        assert [(one.target, one.result) for one in done.handed_over] == [
            ("1", ReleaseResult.GRANTED),
            ("3", ReleaseResult.GRANTED),
        ]
        assert [(what, why) for what, _, why in released(admin)] == [
            ("alpha.example: 1", "why"),
            ("beta.example: 3", "why"),
        ]

    run(story())


def test_a_status_hands_nothing_over() -> None:
    async def story() -> None:
        admin = await filled()
        done = await release_messages(admin.context, wanted(1, 2, status="refused"))
        assert (done.changed, done.handed_over, released(admin)) == (1, [], [])

    run(story())


def test_a_message_of_both_kinds_is_only_held_again() -> None:
    async def story() -> None:
        admin = await filled()
        await admin.refuse(1, 1, "x@alpha.example", "550 no")
        done = await release_messages(admin.context, wanted(1))
        assert (done.changed, done.handed_over) == (1, [])

    run(story())


def test_a_release_that_is_not_possible_is_an_error_with_its_remedy() -> None:
    async def story() -> None:
        admin = AdminWorld()
        unpaid = await admin.host("unpaid.example", "alpha")
        await admin.hold(1, unpaid, "x@unpaid.example")
        with pytest.raises(NothingReleased) as failed:
            await release_messages(admin.context, wanted(1))
        assert UNPAID in failed.value.results[0].suspensions

    run(story())


def test_one_request_names_few_held_messages_of_a_domain() -> None:
    async def story() -> None:
        admin = AdminWorld()
        alpha = await admin.host("alpha.example", "alpha")
        numbers = range(1, MOST_NAMED + 2)
        for number in numbers:
            await admin.hold(number, alpha, "x@alpha.example")
        with pytest.raises(AdminError, match="at most 20"):
            await release_messages(admin.context, wanted(*numbers))
        assert released(admin) == []
        await release_messages(admin.context, wanted(*numbers[:-1]))
        assert len(released(admin)) == 1

    run(story())


def test_handing_over_needs_the_right_to_release_and_a_running_server() -> None:
    async def story() -> None:
        admin = await filled()
        may_queue = replace(admin.context.principal, grants=(frozenset({Scope.QUEUE_WRITE}),))
        limited = replace(
            admin.context, request=replace(admin.context.request, principal=may_queue)
        )
        with pytest.raises(AdminError, match="release mail"):
            await release_messages(limited, wanted(1, 2))
        assert (await release_messages(limited, wanted(2))).changed == 1
        with pytest.raises(AdminError, match="queue release"):
            await release_messages(replace(admin.context, server=None), wanted(1))

    run(story())
