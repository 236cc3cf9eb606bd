"""One service called over HTTP: time limits, a second try where it is safe, a circuit, and clear failures."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.gateway.circuit import Circuit, NotCalled
from shared.contracts.body import Body
from shared.tracing import outgoing_headers

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")
Parameters = Sequence[tuple[str, str]]

WORTH_ANOTHER_TRY: Final = (httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""A connection that broke, such as one kept while the service restarted. Timeouts were waited for already."""
NOT_THERE: Final = frozenset({502, 503, 504})
"""Answers of a service that cannot work at present. A 500 is a bug of one page and closes no other."""
PASSED_ON: Final = (
    "content-type",
    "content-length",
    "content-disposition",
    "content-range",
    "accept-ranges",
    "etag",
    "repr-digest",
)


class BackendDown(Exception):
    """A service does not answer, not in time, or with an error of its own."""

    def __init__(self, backend: str) -> None:
        super().__init__(f"{backend} is down")
        self.backend = backend


class FieldError(BaseModel):
    field: str = ""
    message: str = ""


class _ProblemDocument(BaseModel):
    """RFC 9457, as far as it is read here."""

    type: str = "about:blank"
    detail: str = ""
    errors: list[FieldError] = []


class Refusal(Exception):
    """A service says no: a 4xx answer with its problem document.

    code: the word for programs, such as `four-eyes`. detail: a sentence for people. retry_after: as the
    service's header says.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        retry_after: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file on its way. It is read piece by piece; read it to its end or close `chunks`."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class Backend:
    def __init__(
        self, name: str, http: httpx.AsyncClient, circuit: Circuit, *, answer_seconds: float
    ) -> None:
        """answer_seconds: for a whole answer; of a file, for its beginning."""
        self.name = name
        self._http = http
        self._circuit = circuit
        self._answer_seconds = answer_seconds

    async def get(
        self, path: str, answer: TypeAdapter[Answer], token: str | None = None, parameters: Parameters = ()
    ) -> Answer:
        """token: of a person; None when the gateway asks for itself. Raises BackendDown and Refusal."""
        request = self._request("GET", path, token, params=parameters)
        return self._read(await self._send(request, repeatable=True), answer)

    async def post(
        self,
        path: str,
        body: Body,
        answer: TypeAdapter[Answer],
        token: str | None = None,
        *,
        repeatable: bool = False,
    ) -> Answer:
        """repeatable: sending it twice does no more than sending it once. Raises BackendDown and Refusal."""
        request = self._request("POST", path, token, json=body.model_dump(mode="json"))
        return self._read(await self._send(request, repeatable=repeatable), answer)

    async def tell(self, path: str, body: Body | None, token: str | None = None) -> None:
        """A POST that is answered without content. Raises BackendDown and Refusal."""
        content = {} if body is None else {"json": body.model_dump(mode="json")}
        await self._send(self._request("POST", path, token, **content))

    async def file(self, path: str, token: str, headers: Mapping[str, str]) -> FileAnswer:
        """A file, not held in memory. Raises BackendDown and Refusal."""
        request = self._request("GET", path, token)
        request.headers.update({**headers, "accept-encoding": "identity"})
        response = await self._send(request, repeatable=True, stream=True)
        passed_on = {name: response.headers[name] for name in PASSED_ON if name in response.headers}
        return FileAnswer(response.status_code, passed_on, _chunks(response))

    def _request(self, method: str, path: str, token: str | None, **content: Any) -> httpx.Request:
        headers = outgoing_headers()
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return self._http.build_request(method, path, headers=headers, **content)

    async def _send(
        self, request: httpx.Request, *, repeatable: bool = False, stream: bool = False
    ) -> httpx.Response:
        try:
            response = await self._answer(request, repeatable=repeatable, stream=stream)
        except NotCalled as reason:
            raise BackendDown(self.name) from reason
        if response.is_success:
            return response
        if response.is_client_error:
            raise _refusal(response)
        log.warning("backend_down", backend=self.name, status=response.status_code)
        raise BackendDown(self.name)

    async def _answer(self, request: httpx.Request, *, repeatable: bool, stream: bool) -> httpx.Response:
        """Whatever the service says; only the content of a success may still have to be read.

        Raises NotCalled, and BackendDown for what the circuit counts as a failure.
        """
        async with self._circuit.call():
            try:
                async with asyncio.timeout(self._answer_seconds):
                    response = await self._try(request, repeatable=repeatable, stream=stream)
                    if not response.is_success:
                        await response.aread()
                        await response.aclose()
            except (httpx.HTTPError, TimeoutError) as error:
                log.warning("backend_down", backend=self.name, error=type(error).__name__)
                raise BackendDown(self.name) from error
            if response.status_code in NOT_THERE:
                log.warning("backend_down", backend=self.name, status=response.status_code)
                raise BackendDown(self.name)
        return response

    async def _try(self, request: httpx.Request, *, repeatable: bool, stream: bool) -> httpx.Response:
        try:
            return await self._http.send(request, stream=stream)
        except WORTH_ANOTHER_TRY:
            if not repeatable:
                raise
        return await self._http.send(request, stream=stream)

    def _read(self, response: httpx.Response, answer: TypeAdapter[Answer]) -> Answer:
        try:
            return answer.validate_json(response.content)
        except ValidationError as error:
            # Not the error's text: it repeats what was sent, which may be personal data.
            log.error("answer_not_understood", backend=self.name, problems=error.error_count())
            raise BackendDown(self.name) from None


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    finally:
        await response.aclose()


def _refusal(response: httpx.Response) -> Refusal:
    try:
        problem = _ProblemDocument.model_validate_json(response.content)
    except ValidationError:
        problem = _ProblemDocument()
    code = problem.type.rpartition(":")[2]
    retry_after = response.headers.get("retry-after")
    return Refusal(response.status_code, code, problem.detail, problem.errors, retry_after)
