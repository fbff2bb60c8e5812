"""The targets by name. Each takes an input and raises whatever breaks its rule."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.fuzz import (
    address,
    client_answers,
    client_link,
    client_pipe,
    client_session,
    commands,
    etrn_target,
    peer_replies,
    sasl,
    server_session,
    turnaround,
    turned_session,
)

TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "address": address.check,
    "client-answers": client_answers.check,
    "client-link": client_link.check,
    "client-pipe": client_pipe.check,
    "client-session": client_session.check,
    "commands": commands.check,
    "etrn_target": etrn_target.check,
    "peer-replies": peer_replies.check,
    "sasl": sasl.check,
    "server-session": server_session.check,
    "turnaround": turnaround.check,
    "turned-session": turned_session.check,
}
CORPUS: Final = Path(__file__).with_name("corpus")  # seeds: TARGET/what-it-is
FINDINGS: Final = Path(__file__).with_name(
    "findings"
)  # inputs that once broke a rule: TARGET/what-it-showed
