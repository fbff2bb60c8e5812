"""Every seed, and every input that once broke a rule, through its target: no fuzzer needed."""

from pathlib import Path

import pytest

from tests.fuzz.targets import CORPUS, FINDINGS, TARGETS, check_of

INPUTS = sorted(path for place in (CORPUS, FINDINGS) for path in place.glob("*/*"))


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: "/".join(path.parts[-3:]))
def test_an_input_keeps_the_rule(path: Path) -> None:
    check_of(path.parent.name)(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_has_seeds(target: str) -> None:
    assert any((CORPUS / target).iterdir())


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_takes_the_shortest_inputs(target: str) -> None:
    check = check_of(target)
    for octet in range(256):
        check(bytes([octet]))
    check(b"")
