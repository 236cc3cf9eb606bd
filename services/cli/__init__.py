"""`check-data`: everything that is done to the system from a shell."""

from services.cli.commands import app


def main() -> None:
    app()
