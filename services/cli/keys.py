"""Rotation of keys: what the next setting of a list of keys is. Nothing is changed; nothing is kept."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import typer

from services.auth.keys import link_key, second_factor_key, signing_key
from services.cli.home import home


class Kind(StrEnum):
    LINK = "link"
    SIGNING = "signing"
    SECOND_FACTOR = "second-factor"
    CSRF = "csrf"


class Step(StrEnum):
    """Of a rotation, in this order, each in force in every process before the next."""

    ANNOUNCE = "announce"
    USE = "use"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class KeyList:
    service: str
    variable: str
    make: Callable[[], str]


LISTS: Final[Mapping[Kind, KeyList]] = {
    Kind.LINK: KeyList("auth", "CHECK_DATA_LINK_KEYS", link_key),
    Kind.SIGNING: KeyList("auth", "CHECK_DATA_SIGNING_KEYS", signing_key),
    Kind.SECOND_FACTOR: KeyList("auth", "CHECK_DATA_SECOND_FACTOR_KEYS", second_factor_key),
    Kind.CSRF: KeyList("gateway", "CHECK_DATA_CSRF_KEYS", link_key),
}


def rotate(kind: Kind, step: Step) -> str:
    """`VARIABLE=[…]`: what to set next. Ends the command when that step cannot be taken from here."""
    keys = LISTS[kind]
    with home().environment_of(keys.service):
        present = json.loads(os.environ.get(keys.variable, "[]"))
    try:
        following = after(step, present, keys.make)
    except ValueError as why:
        typer.echo(f"{keys.variable}: {why}", err=True)
        raise typer.Exit(1) from None
    return f"{keys.variable}={json.dumps(following)}"


def after(step: Step, keys: Sequence[str], make: Callable[[], str]) -> list[str]:
    """The list after the step. The first makes, all prove. Raises ValueError when the step is out of turn."""
    if step is Step.ANNOUNCE:
        return [*keys, make()]
    if len(keys) < 2:
        raise ValueError("holds one key only: announce a new one first")
    if step is Step.USE:
        return [keys[-1], *keys[:-1]]
    return list(keys[:-1])
