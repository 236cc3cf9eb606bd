"""`python -m services` is `check-data`."""

from services.cli import main

main()
