"""Each cloud's store is made by settings alone, and a setting that lacks something stops the start.

No cloud is called: a signed address says which store, which bucket and which file would be.
"""

import base64
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store
from pydantic import ValidationError

from services.export.object_store import ObjectFiles, StoreNotUnderstood
from services.export.settings import ExportSettings

KEY = base64.b64encode(b"nobody's key").decode()


def settings(store: str) -> ExportSettings:
    return ExportSettings.model_validate(
        {"database_url": "postgresql://nowhere", "redis_url": "redis://nowhere", "export_store": store}
    )


def made(store: str) -> ObjectFiles:
    return ObjectFiles(settings(store).export_store)


async def address(files: ObjectFiles) -> str:
    store = files._store
    assert isinstance(store, AzureStore | S3Store)
    return await obstore.sign_async(store, "GET", "one.csv", timedelta(minutes=1))


async def test_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "ouraccount")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    signed = await address(made("az://exports/files"))
    assert signed.startswith("https://ouraccount.blob.core.windows.net/exports/files/one.csv?")


async def test_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    signed = await address(made("s3://exports/files"))
    assert signed.startswith("https://s3.eu-west-2.amazonaws.com/exports/files/one.csv?")


def test_google() -> None:
    store = made("gs://exports/files")._store
    assert isinstance(store, GCSStore)
    assert (store.config.get("bucket"), store.prefix) == ("exports", "files")


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    files = made((tmp_path / "files").as_uri())
    assert isinstance(files._store, LocalStore)
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


def test_azure_without_an_account_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreNotUnderstood, match="Account must be specified"):
        made("az://exports/files")


@pytest.mark.parametrize("store", ["s3://", "gs://", "az:///files", "ftp://host/files", "/var/files", ""])
def test_what_names_no_store_is_refused_at_the_start(store: str) -> None:
    with pytest.raises(ValidationError, match="export_store"):
        settings(store)
