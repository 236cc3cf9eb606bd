"""How long a connection from service to service is kept while nobody uses it.

Who calls lets go of it first: over a connection that the other side is just closing a POST would fail, and
may not be sent again.
"""

from typing import Final

CLOSED_AFTER_SECONDS: Final = 5
"""By the service that was called."""
KEPT_SECONDS: Final = 4.0
"""By the one who calls."""
