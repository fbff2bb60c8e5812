"""Commits survive the primary only with standbys that they wait for; everything else is told."""

from dataclasses import replace

import pytest

from restante.store.postgres.commit_safety import (
    CommitFacts,
    CommitSafety,
    StandbyMethod,
    SynchronousStandbys,
    judge_commits,
    parse_standby_names,
)

ANY, FIRST = StandbyMethod.ANY, StandbyMethod.FIRST
SAFE, UNSAFE, WAITING, UNKNOWN = CommitSafety
GOOD = CommitFacts("on", "ANY 1 (s1, s2)", True, True, 10, ("quorum", "quorum"))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("s1", (FIRST, 1, "s1")),
        ("s1, s2", (FIRST, 1, "s1", "s2")),
        ("*", (FIRST, 1, "*")),
        ("2", (FIRST, 1, "2")),  # a name
        ('"first", fir', (FIRST, 1, "first", "fir")),
        ("2 (s1, s2)", (FIRST, 2, "s1", "s2")),
        ("FIRST 2 (s1, *)", (FIRST, 2, "s1", "*")),
        ("first 1 (S1)", (FIRST, 1, "s1")),
        ("ANY 2 (s1,s2,s3)", (ANY, 2, "s1", "s2", "s3")),
        ("any\n1\t( 7 )", (ANY, 1, "7")),
        ('ANY 1 ("a ""b"", (c)", "ANY")', (ANY, 1, 'a "b", (c)', "ANY")),
        ("ANY 1 (häfen$1, _x)", (ANY, 1, "häfen$1", "_x")),
        (" s1 ", (FIRST, 1, "s1")),
    ],
)
def test_names_of_standbys_are_read_as_the_database_does(
    text: str, meaning: tuple[StandbyMethod, int, str]
) -> None:
    method, number, *names = meaning
    assert parse_standby_names(text) == SynchronousStandbys(method, number, tuple(names))


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", "s1,", "s1 s2", "()", "(s1)", "ANY (s1)", "ANY 0 (s1)", "0 (s1)", "2 ()"),
        *("ANY 1 s1", "ANY 1 (s1", "ALL 1 (s1)", "ANY x (s1)", "a-b", '"a', "ANY 1 (s1,, s2)"),
        *("ANY 1 ((s1))", "s1)", ")", '"2" (s1)'),
        *("first, any", "ANY 1 (any)", "First"),
    ],
)
def test_what_the_database_would_not_read_is_no_value(text: str) -> None:
    assert parse_standby_names(text) is None


@pytest.mark.parametrize(
    ("facts", "safety", "words"),
    [
        (GOOD, SAFE, ""),
        (replace(GOOD, sync_states=("async", "quorum")), SAFE, ""),
        (replace(GOOD, sync_states=("", "quorum")), SAFE, ""),
        (replace(GOOD, synchronous_commit="remote_apply"), SAFE, ""),
        (replace(GOOD, synchronous_commit="remote_write"), SAFE, ""),
        (replace(GOOD, synchronous_commit="local"), UNSAFE, "synchronous_commit = local"),
        (replace(GOOD, synchronous_commit="off"), UNSAFE, "set synchronous_commit = on"),
        (replace(GOOD, fsync=False), UNSAFE, "fsync = off; set fsync = on"),
        (replace(GOOD, full_page_writes=False), UNSAFE, "full_page_writes = off"),
        (replace(GOOD, max_wal_senders=0), UNSAFE, "max_wal_senders = 0"),
        (replace(GOOD, synchronous_standby_names=""), UNSAFE, 'or set rpo = "accept-loss"'),
        (replace(GOOD, synchronous_standby_names="a b"), UNKNOWN, "'a b' cannot be read"),
        (replace(GOOD, sync_states=()), WAITING, "waits for 1 synchronous standby(s), and 0"),
        (replace(GOOD, sync_states=("async", "potential")), WAITING, "and 0 of them"),
        (replace(GOOD, sync_states=("sync",)), WAITING, "and 0 of them"),
        (replace(GOOD, sync_states=("", "")), UNKNOWN, "GRANT pg_read_all_stats"),
        (
            replace(GOOD, synchronous_standby_names="2 (a, b)", sync_states=("sync", "potential")),
            WAITING,
            "waits for 2 synchronous standby(s), and 1",
        ),
        (
            replace(GOOD, synchronous_standby_names="2 (a, b)", sync_states=("sync", "sync")),
            SAFE,
            "",
        ),
    ],
)
def test_a_commit_is_judged(facts: CommitFacts, safety: CommitSafety, words: str) -> None:
    verdict = judge_commits(facts)
    assert verdict.safety is safety
    assert words in verdict.text
    assert bool(verdict.cause) == bool(verdict.remedy) == (safety is not SAFE)
