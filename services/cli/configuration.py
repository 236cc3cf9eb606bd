"""Settings that are missing or malformed, told by the names under which people set them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from shared.settings import CommonSettings, EmailSettings

EXIT_CODE = 2


@contextmanager
def settings_told_by_name() -> Iterator[None]:
    """Settings that cannot be read end the command with code 2.

    What was set is not told: it may be secret.
    """
    try:
        yield
    except ValidationError as error:
        for problem in error.errors():
            typer.echo(f"Setting {_variable(error.title, problem['loc'])}: {problem['msg']}", err=True)
        raise typer.Exit(EXIT_CODE) from None
    except SettingsError as error:
        # Its sentence names the field; what it holds is in the error's cause.
        field = re.search(r'field "(\w+)"', str(error))
        name = _variable("", (field[1],)) if field else "(unknown)"
        typer.echo(f"Setting {name}: is not JSON", err=True)
        raise typer.Exit(EXIT_CODE) from None


def _variable(settings: str, place: tuple[int | str, ...]) -> str:
    """The environment variable, and where in it when it holds several things."""
    kind = EmailSettings if settings == EmailSettings.__name__ else CommonSettings
    prefix = kind.model_config["env_prefix"]
    if not place:
        return f"{prefix}…"
    inside = "".join(f" [{part}]" for part in place[1:])
    return f"{prefix}{str(place[0]).upper()}{inside}"
