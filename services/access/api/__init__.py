"""HTTP in, handler or query out. The bodies: shared/contracts/access.py."""

from services.access.api import agreements, audit, emails, people, requests, reviews

ROUTERS = [
    requests.router,
    agreements.router,
    people.router,
    reviews.router,
    audit.router,
    emails.router,
]

__all__ = ["ROUTERS"]
