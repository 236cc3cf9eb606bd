"""The home of a development installation: a folder with data, logs, and secrets made on the spot.

`check-data run` makes it. Other commands find in it what the environment does not say.
"""

import base64
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.cli.catalogue import SERVICES

DEFAULT_FOLDER = Path("var")


@dataclass(frozen=True, slots=True)
class Home:
    folder: Path

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def valkey(self) -> Path:
        return self.folder / "valkey"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def assets(self) -> Path:
        return self.folder / "assets"

    def log(self, service: str) -> Path:
        return self.folder / "log" / f"{service}.log"

    def prepare(self) -> None:
        for folder in (self.folder, self.folder / "log", self.folder / "environment", self.exports):
            folder.mkdir(parents=True, exist_ok=True)

    def secrets(self) -> Mapping[str, str]:
        """Secrets of this installation, made once. The file is for its owner's eyes only."""
        file = self.folder / "secrets.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if missing := new_secrets().keys() - known.keys():  # all, or what a later version needs besides
            known |= {name: value for name, value in new_secrets().items() if name in missing}
            _write_private(file, known)
        return known

    def save_environment(self, service: str, environment: Mapping[str, str]) -> None:
        """Remember how a service runs, for commands from another shell."""
        _write_private(self._environment_file(service), environment)

    @contextmanager
    def environment_of(self, service: str) -> Iterator[None]:
        """Inside, the environment is that of the service in this installation; what was set before wins."""
        file = self._environment_file(service)
        before = dict(os.environ)
        saved = json.loads(file.read_text()) if file.exists() else {}
        os.environ.update({name: value for name, value in saved.items() if name not in before})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _environment_file(self, service: str) -> Path:
        return self.folder / "environment" / f"{service}.json"


def _write_private(file: Path, document: Mapping[str, str]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(dict(document), out, indent=1)


def new_secrets() -> dict[str, str]:
    """What an installation keeps secret, made up."""
    signing = Ed25519PrivateKey.generate()
    return {
        **{f"service:{service}": secrets.token_urlsafe(32) for service in SERVICES},
        "link_key": secrets.token_urlsafe(32),
        "second_factor_key": Fernet.generate_key().decode(),
        "form_key": secrets.token_urlsafe(32),
        "database_password": secrets.token_urlsafe(24),
        "signing_key": base64.b64encode(
            signing.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        ).decode(),
    }


def home() -> Home:
    """The folder that CHECK_DATA_HOME names, `var` otherwise."""
    return Home(Path(os.environ.get("CHECK_DATA_HOME", DEFAULT_FOLDER)).absolute())
