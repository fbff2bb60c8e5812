"""The one thread that hashes passwords for administration.

A hash takes a tenth of a second and 64 MiB on purpose. Five hundred new logins at once must not
take the processor from the checks of AUTH, which have threads of their own
(`reception/credential_lanes`).
"""

from typing import Final

from restante.admin.long_work import WorkThreads

hashed_in_turn: Final = WorkThreads(1, "admin-password").run
