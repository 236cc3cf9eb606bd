from tests.integration.auth.conftest import auth

__all__ = ["auth"]
