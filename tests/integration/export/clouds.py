"""Servers that speak the clouds' protocols, started here, and the environment that names them."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

from shared.embedded.ports import free_ports

AZURITE = shutil.which("azurite-blob")
"""Microsoft's emulator of Azure's blobs, where it is installed (npm's package azurite)."""
ACCOUNT, KEY = "ouraccount", base64.b64encode(b"nobody's key").decode()
READY_SECONDS = 30
SIGNED = "AWS4-HMAC-SHA256 Credential=nobody/20260101/us-east-1/s3/aws4_request, SignedHeaders=, Signature="
"""As moto wants it, which verifies nothing."""


class S3:
    def __init__(self, url: str) -> None:
        self._url = url
        self.environment: Mapping[str, str] = {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }

    def new_bucket(self, name: str) -> str:
        httpx.put(f"{self._url}/{name}").raise_for_status()
        return f"s3://{name}/files"


class Google(S3):
    """Of Google's two protocols obstore speaks the one of XML, whose requests for files are those of S3."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        account = {"gcs_base_url": url, "disable_oauth": True, "client_email": "", "private_key": ""}
        told = json.dumps({**account, "private_key_id": ""})
        self.environment = {"GOOGLE_SERVICE_ACCOUNT_KEY": told}

    def new_bucket(self, name: str) -> str:
        return super().new_bucket(name).replace("s3://", "gs://")


class Azure:
    def __init__(self, url: str) -> None:
        self._url = url
        self.environment: Mapping[str, str] = {
            "AZURE_STORAGE_ENDPOINT": f"{url}/{ACCOUNT}",
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        }

    def new_bucket(self, name: str) -> str:
        """Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key"""
        told = {
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
            "x-ms-version": "2021-08-06",
        }
        lines = ["PUT", *[""] * 11, *(f"{header}:{value}" for header, value in told.items())]
        lines += [f"/{ACCOUNT}/{ACCOUNT}/{name}", "restype:container"]
        digest = hmac.digest(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256)
        signature = base64.b64encode(digest).decode()
        answer = httpx.put(
            f"{self._url}/{ACCOUNT}/{name}?restype=container",
            headers={**told, "authorization": f"SharedKey {ACCOUNT}:{signature}"},
        )
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return f"az://{name}/files"


@contextmanager
def speaking_s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_ports(1)[0], verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@contextmanager
def speaking_xml() -> Iterator[str]:
    """The same server for Google's client, which writes `%2D` for `-` and has a kind of token of its own."""
    moto = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        environ["HTTP_AUTHORIZATION"] = SIGNED
        for name in ("RAW_URI", "REQUEST_URI"):
            path, mark, query = environ.get(name, "").partition("?")
            environ[name] = unquote(path) + mark + query
        return moto(environ, start_response)

    (port,) = free_ports(1)
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    assert AZURITE
    (port,) = free_ports(1)
    where = "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)
    process = subprocess.Popen(
        [AZURITE, *where, "--silent", "--skipApiVersionCheck"],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
        stdout=subprocess.DEVNULL,
    )
    try:
        _until_it_answers(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            httpx.get(url)
            return
        except httpx.HTTPError:
            assert process.poll() is None, "it did not start"
            assert time.monotonic() < until
            time.sleep(0.1)
