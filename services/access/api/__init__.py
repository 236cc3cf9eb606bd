"""HTTP in, handler or query out. The bodies: shared/contracts/access.py."""

from services.access.api import agreements, audit, emails, people, requests

ROUTERS = [requests.router, agreements.router, people.router, audit.router, emails.router]

__all__ = ["ROUTERS"]
