"""A process that hashes the passwords of strangers, started by `stranger_passwords.py`.

Each line of standard input is a JSON object: `hashes` and `password`. The answer is a line of
standard output: whether the password matches one of the hashes. The process ends with its input,
or when nothing was asked for IDLE_SECONDS. Its argument is its place behind others.
"""

import json
import os
import select
import sys
from contextlib import suppress
from typing import BinaryIO, Final

from restante.tenancy.passwords import any_matches

IDLE_SECONDS: Final = 60.0
YES: Final = b"yes\n"
NO: Final = b"no\n"
BEHIND_ALL: Final = "behind-all"  # it works only while nobody else needs the processor
BEHIND_MAIL: Final = "behind-mail"
_NICENESS: Final = 10  # behind mail


def answer_all(questions: BinaryIO, answers: BinaryIO, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer each question, until there are no more. `questions` must be unbuffered."""
    while select.select([questions], [], [], idle_seconds)[0] and (line := questions.readline()):
        asked = json.loads(line)
        answers.write(YES if any_matches(asked["hashes"], asked["password"]) else NO)
        answers.flush()


def step_back(place: str) -> None:
    """Leave the processors to others. The lanes of a hash (Argon2) inherit that.

    SCHED_BATCH never takes a processor from a thread that runs. The niceness is not the last one:
    beside programs that keep all processors busy, a hash would take half a minute. Behind all, the
    hashes have one processor alone, so that another is free when mail comes. Where a sandbox
    forbids it, the number of hashes at once is the limit.
    """
    policy = os.SCHED_IDLE if place == BEHIND_ALL else os.SCHED_BATCH
    with suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(0))
    if place == BEHIND_ALL:
        with suppress(OSError):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if place == BEHIND_MAIL:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)


if __name__ == "__main__":
    step_back(sys.argv[1])
    answer_all(open(0, "rb", buffering=0, closefd=False), sys.stdout.buffer)  # noqa: SIM115
