"""The library for requests to other hosts, with the parts that it would load at the first request.

It has 3 MB. It is loaded by a server that sends requests (`OutgoingHttp`).
"""

import anyio._backends._asyncio
import httpcore
import httpx

__all__ = ["anyio", "httpcore", "httpx"]
