"""The mail of an account is the sum over its domains, whatever moves, comes and goes."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from restante.store.account_sums import AccountSums
from restante.store.figure_store import NO_USAGE, DomainUsage

ACCOUNTS = ["alpha", "beta", ""]  # "": the domain was removed


def take(sums: AccountSums, domains: dict[int, tuple[str, DomainUsage]]) -> None:
    """Work in a commit that touched these domains."""
    sums.take(
        {number: usage for number, (_, usage) in domains.items()},
        {number: account for number, (account, _) in domains.items()},
    )


def test_a_domain_that_moves_takes_its_mail_along_and_a_removed_one_leaves_none() -> None:
    sums = AccountSums()
    take(sums, {1: ("alpha", DomainUsage(2, 20)), 2: ("alpha", DomainUsage(1, 5, 1))})
    assert sums.usage("alpha") == DomainUsage(3, 25, 1)
    take(sums, {1: ("beta", DomainUsage(2, 20))})
    assert (sums.usage("alpha"), sums.usage("beta")) == (DomainUsage(1, 5, 1), DomainUsage(2, 20))
    assert sums.total == DomainUsage(3, 25, 1)
    take(sums, {1: ("", NO_USAGE)})
    assert (sums.usage("beta"), sums.usage("never seen")) == (NO_USAGE, NO_USAGE)
    assert sums.total == DomainUsage(1, 5, 1)


USAGES = st.builds(DomainUsage, st.integers(0, 5), st.integers(0, 50), st.integers(0, 3))
COMMITS = st.lists(
    st.dictionaries(st.integers(1, 4), st.tuples(st.sampled_from(ACCOUNTS), USAGES), max_size=3),
    max_size=10,
)


@given(commits=COMMITS)
def test_after_any_commits_a_sum_is_what_a_recount_says(
    commits: list[dict[int, tuple[str, DomainUsage]]],
) -> None:
    sums, present = AccountSums(), dict[int, tuple[str, DomainUsage]]()
    for commit in commits:
        take(sums, commit)
        present |= commit
    recount: defaultdict[str, DomainUsage] = defaultdict(DomainUsage)
    for account, usage in present.values():
        recount[account] += usage
    for account in ("alpha", "beta"):
        assert sums.usage(account) == recount[account]
    assert sums.total == recount["alpha"] + recount["beta"]
