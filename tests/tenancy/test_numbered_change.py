"""A picture of the records, and the changes that came after it."""

from dataclasses import replace

from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.notice import Channel, ChannelTransport, NoticeKind
from restante.tenancy.numbered_change import NumberedChange, RecordKind, after_changes
from tests.contract.making import account, domain, login

ALPHA = replace(domain(), id=1)
HOOK = Channel(
    7,
    "alpha",
    "hook",
    ChannelTransport.WEBHOOK,
    "https://a.example/",
    b"\1",
    frozenset(NoticeKind),
    2.0,
)
BEFORE = Directory(4, {"alpha": account()}, {"alice": login()}, {"alpha.example": ALPHA}, {7: HOOK})


def changed(
    *changes: tuple[RecordKind, str, Account | Login | HostedDomain | Channel | None],
) -> Directory:
    """Apply these to BEFORE, with the numbers after its own."""
    return after_changes(BEFORE, [NumberedChange(5 + nth, *one) for nth, one in enumerate(changes)])


def test_without_changes_the_picture_is_the_same() -> None:
    assert changed() == BEFORE


def test_each_kind_of_record_is_replaced_in_its_table() -> None:
    noted, again = replace(account(), note="moved"), replace(login(), password_hash="$new$")
    moved, renamed = replace(ALPHA, account="beta"), replace(HOOK, name="other")
    after = changed(
        (RecordKind.ACCOUNT, "alpha", noted),
        (RecordKind.LOGIN, "alice", again),
        (RecordKind.DOMAIN, "1", moved),
        (RecordKind.CHANNEL, "7", renamed),
    )
    assert after == Directory(
        8, {"alpha": noted}, {"alice": again}, {"alpha.example": moved}, {7: renamed}
    )
    assert [one.name for one in after.domains_of("beta")] == ["alpha.example"]
    assert not list(after.domains_of("alpha"))
    assert BEFORE.domains["alpha.example"] is ALPHA  # a reader may still have it


def test_each_kind_of_record_is_removed_also_if_it_never_was_there() -> None:
    for keys in (("alpha", "alice", "1", "7"), ("beta", "bob", "2", "8")):
        kinds = (RecordKind.ACCOUNT, RecordKind.LOGIN, RecordKind.DOMAIN, RecordKind.CHANNEL)
        after = changed(*((kind, key, None) for kind, key in zip(kinds, keys, strict=True)))
        tables = (after.accounts, after.logins, after.domains, after.channels)
        assert [len(table) for table in tables] == [0 if "alpha" in keys else 1] * 4


def test_a_domain_that_was_removed_does_not_take_the_one_with_its_name_along() -> None:
    again = replace(ALPHA, id=2)
    for changes in (
        [(RecordKind.DOMAIN, "1", None), (RecordKind.DOMAIN, "2", again)],
        [(RecordKind.DOMAIN, "2", again), (RecordKind.DOMAIN, "1", None)],
    ):
        assert changed(*changes).domains == {"alpha.example": again}


def test_a_list_of_recipients_moves_the_number_alone() -> None:
    assert changed((RecordKind.RECIPIENTS, "1", None)) == replace(BEFORE, change_number=5)
