from tests.integration.auth.conftest import auth, database, settings

__all__ = ["auth", "database", "settings"]
