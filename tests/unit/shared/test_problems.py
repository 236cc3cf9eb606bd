"""Errors leave as problem documents that tell what to do, and nothing about the inside or about people."""

from datetime import date
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.exceptions import HTTPException
from pydantic import BaseModel, EmailStr

from shared.web.problems import Problem, answer_problems, not_found

SECRET = "Zebedee Quill"


class Asked(BaseModel):
    email: EmailStr
    person: UUID
    born: date
    count: int


def application() -> FastAPI:
    app = FastAPI()
    answer_problems(app)

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError(f"no row for {SECRET}")

    @app.get("/refused")
    async def refused() -> None:
        raise Problem(
            409, "four-eyes", "Ask somebody else to decide this.", [{"field": "by", "message": "You again."}]
        )

    @app.get("/wait")
    async def wait() -> None:
        raise Problem(429, "too-many", "Wait a minute.", headers={"retry-after": "60"})

    @app.get("/missing")
    async def missing() -> None:
        raise not_found()

    @app.get("/http")
    async def http() -> None:
        raise HTTPException(418, "No coffee here.", {"x-pot": "tea"})

    @app.post("/asked")
    async def asked(asked: Asked) -> str:
        return "understood"

    return app


@pytest.fixture
def http() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service.example")


async def test_a_refusal_says_what_to_do_next(http: httpx.AsyncClient) -> None:
    answer = await http.get("/refused")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:check-data:problem:four-eyes",
        "title": "Conflict",
        "status": 409,
        "detail": "Ask somebody else to decide this.",
        "errors": [{"field": "by", "message": "You again."}],
    }


async def test_a_bug_is_told_without_a_stack_trace(http: httpx.AsyncClient) -> None:
    answer = await http.get("/bug")
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:check-data:problem:internal-error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong here. Try again later.",
    }
    for word in (SECRET, "Traceback", "RuntimeError", ".py"):
        assert word not in answer.text


BAD = [
    {"email": f"{SECRET}@", "person": SECRET, "born": SECRET, "count": SECRET},
    {"email": f"quill@{SECRET}.example", "person": [SECRET], "born": {SECRET: 1}, "count": f"1{SECRET}"},
    {"email": {"address": SECRET}, "person": SECRET * 100, "born": f"2000-01-{SECRET}"},
    [SECRET],
    SECRET,
]


@pytest.mark.parametrize("body", BAD)
async def test_what_is_not_understood_is_named_by_field_and_not_repeated(
    http: httpx.AsyncClient, body: object
) -> None:
    answer = await http.post("/asked", json=body)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:check-data:problem:not-understood"
    assert answer.json()["errors"]
    for word in SECRET.split():
        assert word not in answer.text


async def test_the_field_is_named_as_the_caller_knows_it(http: httpx.AsyncClient) -> None:
    good = {
        "email": "quill@example.org",
        "person": "2f1c7b0e-5b0e-4b8e-9d3e-0d3c1f8f3b11",
        "born": "2000-01-01",
        "count": 1,
    }
    assert (await http.post("/asked", json=good)).json() == "understood"
    errors = (await http.post("/asked", json={**good, "count": "many"})).json()["errors"]
    assert [error["field"] for error in errors] == ["count"]


async def test_what_is_no_json_is_not_repeated_either(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/asked", content=f'{{"email": "{SECRET}', headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/missing", 404, "not-found"),
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/bug", 405, "method-not-allowed"),
        ("GET", "/http", 418, "i'm-a-teapot"),
    ],
)
async def test_every_refusal_of_the_framework_is_a_problem_document_too(
    http: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:check-data:problem:{code}"


async def test_headers_of_a_refusal_are_kept(http: httpx.AsyncClient) -> None:
    assert (await http.get("/wait")).headers["retry-after"] == "60"
    assert (await http.get("/http")).headers["x-pot"] == "tea"
    assert (await http.delete("/bug")).headers["allow"] == "GET"
