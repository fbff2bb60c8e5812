"""The customer's side of Restante: ask for held mail, or fetch it over one connection.

It uses the standard library only, and runs on Python 3.8 and later. It imports nothing of the
server. `restante_client.client_main` has the commands.

This file and `__main__` can be read by Python 3.4 and later, so that the version can be told.
"""

__version__ = "0.1.0"
