"""HTTP in, handler or query out. The bodies: shared/contracts/access.py."""

from services.access.api import agreements, audit, people, requests

ROUTERS = [requests.router, agreements.router, people.router, audit.router]

__all__ = ["ROUTERS"]
