"""Runs `restante` with a sweep that never comes: python unhurried_server.py WORDS…

So a server whose store has failed does not leave within the second, and a test can read its
replies until then.
"""

from restante.reception import listener

listener.SWEEP_SECONDS = 3600.0  # before anything takes it from there

from restante.cli import main  # noqa: E402

main()
