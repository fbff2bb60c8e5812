"""Why a target is not met, in one sentence. The page shows it while the target is not met.

A reason is kept by the row of its target and by the subject or the quantity that is judged.
"""

from typing import Final

from bench.servers.park import SHARED, SHARED_ALONE

LOSS: Final = "loss"
CPU: Final = "CPU s/1,000"
SYNCS: Final = "syncs"

_LARGE_COST: Final = (
    "The rate follows the CPU seconds: the steps alone take 1.4 for 1 MiB. The rest are the"
    " dialogue and changes between threads (decision 0035)"
)
_LARGE_SYNCS: Final = (
    "Each file has a sync of its own, and seven messages would have to wait for one commit"
    " (decision 0035)"
)
_REASONS: Final = {
    **{
        ("accept-4k-20-kept", workers): (
            "Each worker has only a part of the 20 sessions in its batches. All share two"
            " processors with the senders and the database; with 100 sessions the target is met"
        )
        for workers in SHARED
        if workers != SHARED_ALONE
    },
    **{
        (f"accept-{name}", about): reason
        for name in ("1m-20-kept", "1m-20-kept-bdat", "10m-20-kept")
        for about, reason in (
            ("Restante", _LARGE_COST),
            (CPU, _LARGE_COST),
            (SYNCS, _LARGE_SYNCS),
        )
    },
    ("accept-4k-20-tls", "Restante"): (
        "One process makes the handshakes on one of two processors, and the generator of the load"
        " makes its own on the other"
    ),
    ("drain-100ms", "Restante to smtp-sink"): (
        "Without CHUNKING each message waits a round trip for the reply to DATA, so 20 connections"
        " carry 200 messages a second at most"
    ),
    ("refill-3m", "a store that once held 3,000,000"): (
        "The store still gave pages back to the file system during this run, and each of the two"
        " was measured once"
    ),
    ("start-cpu", ""): (
        "Other work shared both processors in this run, and with less of it the same start took"
        " 0.36 to 0.38 s"
    ),
    ("drain-100ms", LOSS): (
        "Connections and small windows take the first second of a drain over 100 ms. The whole"
        " drain of 10,000 messages on this machine takes half a second"
    ),
    ("drain-100ms-long", LOSS): (
        "20 connections carry at most 64 messages in each round trip, 12,800 a second, and a"
        " destination on this machine takes more than that"
    ),
    **{
        (f"held-octets{suffix}", f"{held} held"): (
            "It was measured with pages of 16 KiB, which have room for three messages; a new store"
            " has pages of 4 KiB"
        )
        for suffix, held in (("", "1,000,000"), ("-3m", "3,000,000"))
    },
}


def reason_for(row: str, about: str) -> str:
    """Return why the target of a row is not met; "" if it was met when it was last looked at."""
    return _REASONS.get((row, about), "")
