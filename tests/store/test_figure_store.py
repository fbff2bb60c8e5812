"""The figures of mail that is not simply held, from two statements."""

from restante.store.figure_store import SetApart, with_deferred


def test_deferred_mail_joins_the_figures_of_its_domain() -> None:
    apart = {1: SetApart(uncertain=2, unheld=1), 2: SetApart(damaged=1)}
    assert with_deferred(apart, [(2, 5), (3, 6)]) == {
        1: SetApart(uncertain=2, unheld=1),
        2: SetApart(damaged=1, deferred_by_policy=5),
        3: SetApart(deferred_by_policy=6),
    }
    assert apart[2].deferred_by_policy == 0
