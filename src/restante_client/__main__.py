"""`python -m restante_client`, and the start of the zipapp."""

import sys

from restante_client.client_main import main

if __name__ == "__main__":
    sys.exit(main())
