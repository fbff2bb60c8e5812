"""Each right has one line in one group."""

from restante.tenancy.grants import ALL_GRANTS, Scope
from restante.web.portal.grant_words import grouped_grants


def test_each_right_has_one_line() -> None:
    lines = [line for group in grouped_grants(list(ALL_GRANTS)) for line in group.lines]
    assert sorted(one for one, _ in lines) == sorted(ALL_GRANTS)
    assert len({text for _, text in lines}) == len(lines)


def test_only_rights_that_can_be_given_are_offered() -> None:
    [group] = grouped_grants([Scope.RELEASE, Scope.QUEUE_READ])
    assert (group.title, [one for one, _ in group.lines]) == (
        "Mail",
        [Scope.RELEASE, Scope.QUEUE_READ],
    )
