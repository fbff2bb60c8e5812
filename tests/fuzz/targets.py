"""The targets by name. Each takes an input and raises whatever breaks its rule.

A target's module is loaded when the target is asked for. The fuzzer instruments all code that is
loaded, and some targets need the whole server.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, cast

TARGETS: Final = (
    "address",
    "client-answers",
    "client-link",
    "client-pipe",
    "client-session",
    "commands",
    "etrn_target",
    "peer-replies",
    "sasl",
    "server-session",
    "turnaround",
    "turned-session",
)
CORPUS: Final = Path(__file__).with_name("corpus")  # seeds: TARGET/what-it-is
FINDINGS: Final = Path(__file__).with_name(
    "findings"
)  # inputs that once broke a rule: TARGET/what-it-showed


def check_of(target: str) -> Callable[[bytes], None]:
    """Return the check of a target."""
    module = import_module(f"tests.fuzz.{target.replace('-', '_')}")
    return cast(Callable[[bytes], None], module.check)
