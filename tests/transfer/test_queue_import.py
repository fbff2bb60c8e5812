"""Content imported: whole or not at all, recorded, and never the same twice."""

from datetime import UTC, datetime

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.held_mail import QueueSelection, list_queue
from restante.mail.message import message_number
from restante.store.store_errors import StoreError
from restante.tenancy.audit import AuditAction, AuditFilter
from tests.admin.admin_world import HEAD, NOW, all_of, run
from tests.transfer.streams import LARGE, bring_in, content_of, hosting, packed_message


@pytest.mark.parametrize(
    "content", [HEAD, LARGE, b"", b"x"], ids=["small", "large", "empty", "no line end"]
)
def test_imported_mail_is_held_octet_for_octet_and_counted(content: bytes) -> None:
    async def story() -> None:
        admin = await hosting()
        [result] = await bring_in(
            admin, packed_message(content, received_at="2025-10-01T00:00:00Z", is_8bit=True)
        )
        [name] = result.held
        assert await content_of(admin, name) == content
        [view] = await all_of(list_queue(admin.context, QueueSelection()))
        assert (view.name, view.reverse_path, view.size) == (name, "a@sender.example", len(content))
        assert view.received_at == datetime(2025, 10, 1, tzinfo=UTC)
        domain_id = admin.context.directory.now.domains["alpha.example"].id
        assert admin.store.figures.usage(domain_id).octets == len(content)
        message = await admin.store.queue.message(message_number(name))
        assert message
        assert message.envelope.is_8bit

    run(story())


def test_nothing_is_received_in_the_future() -> None:
    async def story() -> None:
        admin = await hosting()
        await bring_in(admin, packed_message(received_at="2199-10-01T00:00:00Z"))
        [view] = await all_of(list_queue(admin.context, QueueSelection()))
        assert view.received_at.timestamp() == NOW

    run(story())


def test_imported_content_is_cleaned_as_at_smtp() -> None:
    async def story() -> None:
        admin = await hosting()
        [result] = await bring_in(admin, packed_message(b"a\nb\rc\r\n.\n\0d\r\n", step=3))
        assert await content_of(admin, result.held[0]) == b"a\r\nb\r\nc\r\n.\r\nd\r\n"

    run(story())


@pytest.mark.parametrize("content", [HEAD, LARGE], ids=["small", "large"])
def test_a_message_for_two_accounts_is_two_each_in_its_own_trail(content: bytes) -> None:
    async def story() -> None:
        admin = await hosting()
        paths = (
            "x@alpha.example",
            "z@Beta.Example",
            "y@alpha.example",
            "q@gamma.example",
            "no path",
            "",
        )
        [result] = await bring_in(admin, packed_message(content, *paths), reason="moving in")
        assert len(result.held) == 2
        assert result.passed_over == ["q@gamma.example", "no path", ""]
        views = {
            view.domain: view for view in await all_of(list_queue(admin.context, QueueSelection()))
        }
        assert [one.forward_path for one in views["alpha.example"].recipients] == [
            "x@alpha.example",
            "y@alpha.example",
        ]
        for account in ("alpha", "beta"):
            [entry] = await admin.store.audit.audit(AuditFilter(account=account), limit=1)
            view = views[f"{account}.example"]
            assert (entry.action, entry.subject, entry.reason) == (
                AuditAction.MAIL_IMPORTED,
                view.name,
                "moving in",
            )
            assert await content_of(admin, view.name) == content

    run(story())


def test_recipients_of_other_domains_than_the_one_asked_for_are_passed_over() -> None:
    async def story() -> None:
        admin = await hosting()
        both = packed_message(HEAD, "x@alpha.example", "z@beta.example", only_domain="Beta.example")
        [result] = await bring_in(admin, both)
        assert (len(result.held), result.passed_over) == (1, ["x@alpha.example"])
        with pytest.raises(AdminError):
            await bring_in(admin, packed_message(only_domain="gamma.example"))

    run(story())


def test_a_reverse_path_that_is_none_keeps_its_message_out_and_no_other() -> None:
    async def story() -> None:
        admin = await hosting()
        bad, good = await bring_in(
            admin, packed_message(reverse_path="a\r\nDATA"), packed_message(reverse_path="")
        )
        assert (bad.held, len(good.held)) == ([], 1)
        assert "does not conform" in bad.error

    run(story())


@pytest.mark.parametrize("content", [HEAD, LARGE], ids=["small", "large"])
def test_mail_that_is_held_already_is_not_held_again(content: bytes) -> None:
    async def story() -> None:
        admin = await hosting()
        [first] = await bring_in(admin, packed_message(content))
        names = first.held
        [again] = await bring_in(admin, packed_message(content, perhaps=names))
        assert (again.held, again.already) == ([], names)
        other, path, more = await bring_in(
            admin,
            packed_message(content + b"x", perhaps=names),
            packed_message(content, reverse_path="", perhaps=names),
            packed_message(content, "y@alpha.example", perhaps=names),
        )
        assert [len(one.held) for one in (other, path, more)] == [1, 1, 1]

    run(story())


def test_one_that_is_held_stands_for_one_that_comes_and_no_more() -> None:
    """Two copies of a message that were sent are two messages."""

    async def story() -> None:
        admin = await hosting()
        [first] = await bring_in(admin, packed_message())
        one, two = await bring_in(
            admin, packed_message(perhaps=first.held), packed_message(perhaps=first.held)
        )
        assert (one.already, two.already) == (first.held, [])
        assert len(two.held) == 1

    run(story())


def test_one_that_was_handed_over_to_some_is_still_the_same() -> None:
    async def story() -> None:
        admin = await hosting()
        [first] = await bring_in(admin, packed_message(HEAD, "y@alpha.example"))
        [again] = await bring_in(
            admin, packed_message(HEAD, "x@alpha.example", "y@alpha.example", perhaps=first.held)
        )
        assert again.already == first.held

    run(story())


def test_a_store_that_fails_leaves_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        admin = await hosting()

        async def fail(*_: object) -> None:
            raise StoreError("the disk is full")

        monkeypatch.setattr(admin.store.reception, "hold", fail)
        with pytest.raises(StoreError, match="full"):
            await bring_in(admin, packed_message(LARGE), packed_message())
        assert admin.store.state.files == {}

    run(story())


@pytest.mark.parametrize("content", [HEAD, LARGE], ids=["small", "large"])
def test_mail_beyond_a_quota_is_left_out_and_said_to_be(content: bytes) -> None:
    async def story() -> None:
        admin = await hosting()
        await change_domain(
            admin.context,
            "alpha.example",
            DomainChange.model_validate({"quota": 2 * len(content) + 1}),
        )
        both = packed_message(content, "x@alpha.example", "z@beta.example")
        first, second, third = await bring_in(admin, both, packed_message(content), both)
        assert [len(one.held) for one in (first, second, third)] == [2, 1, 1]
        assert (first.error, second.error) == ("", "")
        assert third.error.startswith(
            "the quota of alpha.example is reached; `restante domain set`"
        )
        assert (
            len(await all_of(list_queue(admin.context, QueueSelection(domain="beta.example")))) == 2
        )
        alpha = admin.context.directory.now.domains["alpha.example"]
        held = admin.store.figures.usage(alpha.id)
        assert admin.context.parts.reservations.beside(alpha, held, held) == (held, held)

    run(story())


def test_content_that_became_no_message_leaves_no_file() -> None:
    async def story() -> None:
        admin = await hosting()
        [first] = await bring_in(admin, packed_message(LARGE))
        files = len(admin.store.state.files)
        await bring_in(
            admin,
            packed_message(LARGE, perhaps=first.held),
            packed_message(LARGE, "q@gamma.example"),
        )
        assert len(admin.store.state.files) == files

    run(story())
