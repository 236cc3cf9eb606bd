"""One service called over HTTP: time limits, a second try where it is safe, a circuit, and clear failures."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode

import aiohttp
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError
from yarl import URL

from services.gateway.circuit import Circuit, NotCalled
from services.gateway.client import BROKEN
from shared.contracts.body import Body
from shared.tracing import outgoing_headers

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")
Parameters = Sequence[tuple[str, str]]

OwnToken = Callable[[], Awaitable[str]]

SUCCESS: Final = 2
CLIENT_ERROR: Final = 4
"""Hundreds of the status."""
NOT_SENT_AGAIN: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectionResetError,
    aiohttp.ClientPayloadError,
)
"""Of what is worth another try: after which aiohttp did not send a GET again by itself."""
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


@dataclass(frozen=True, slots=True)
class _Call:
    """authorized: it carries a person's token. repeatable: twice does no more than once."""

    method: str
    url: URL
    headers: Mapping[str, str]
    content: bytes | None
    authorized: bool
    repeatable: bool


class Backend:
    def __init__(
        self,
        name: str,
        url: str,
        http: aiohttp.ClientSession,
        circuit: Circuit,
        *,
        answer_seconds: float,
        own_token: OwnToken | None = None,
    ) -> None:
        """answer_seconds: for a whole answer; of a file, for its beginning. own_token: the gateway's for this
        service, for calls that carry no person's; None where there are no such calls.
        """
        self.name = name
        self._url = url.rstrip("/")
        self._http = http
        self._circuit = circuit
        self._answer_seconds = answer_seconds
        self._own_token = own_token

    async def get(
        self, path: str, answer: TypeAdapter[Answer], token: str | None = None, parameters: Parameters = ()
    ) -> Answer:
        """token: of a person; None when the gateway asks for itself. Raises BackendDown and Refusal."""
        where = f"{path}?{urlencode(parameters)}" if parameters else path
        response = await self._send(self._call("GET", where, token, repeatable=True))
        return self._read(await response.read(), answer)

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
        response = await self._send(self._call("POST", path, token, body, repeatable=repeatable))
        return self._read(await response.read(), answer)

    async def tell(self, path: str, body: Body | None, token: str | None = None) -> None:
        """A POST that is answered without content. Raises BackendDown and Refusal."""
        await self._send(self._call("POST", path, token, body))

    async def file(self, path: str, token: str, headers: Mapping[str, str]) -> FileAnswer:
        """A file, not held in memory. Raises BackendDown and Refusal."""
        call = self._call("GET", path, token, headers=headers, repeatable=True)
        response = await self._send(call, stream=True)
        passed_on = {name: response.headers[name] for name in PASSED_ON if name in response.headers}
        return FileAnswer(response.status, passed_on, _chunks(response))

    def _call(
        self,
        method: str,
        path: str,
        token: str | None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = False,
    ) -> _Call:
        sent = {**(headers or {}), **outgoing_headers(), "accept-encoding": "identity"}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if body is not None:
            sent["content-type"] = "application/json"
        content = None if body is None else body.model_dump_json().encode()
        url = URL(self._url + path, encoded=True)
        return _Call(method, url, sent, content, token is not None, repeatable)

    async def _send(self, call: _Call, *, stream: bool = False) -> aiohttp.ClientResponse:
        """A success, whose content is read already but for a stream."""
        try:
            response = await self._answer(call, stream=stream)
        except NotCalled as reason:
            raise BackendDown(self.name) from reason
        if response.status // 100 == SUCCESS:
            return response
        if response.status // 100 == CLIENT_ERROR:
            raise _refusal(response, await response.read())
        log.warning("backend_down", backend=self.name, status=response.status)
        raise BackendDown(self.name)

    async def _answer(self, call: _Call, *, stream: bool) -> aiohttp.ClientResponse:
        """Whatever the service says; only the content of a success may still have to be read.

        Raises NotCalled, and BackendDown for what the circuit counts as a failure.
        """
        async with self._circuit.call():
            try:
                async with asyncio.timeout(self._answer_seconds):
                    response = await self._try(call, stream=stream)
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("backend_down", backend=self.name, error=type(error).__name__)
                raise BackendDown(self.name) from error
            if response.status in NOT_THERE:
                log.warning("backend_down", backend=self.name, status=response.status)
                raise BackendDown(self.name)
        return response

    async def _try(self, call: _Call, *, stream: bool) -> aiohttp.ClientResponse:
        headers = dict(call.headers)
        if not call.authorized and self._own_token is not None:
            headers["authorization"] = f"Bearer {await self._own_token()}"
        try:
            return await self._once(call, headers, stream=stream)
        except BROKEN as error:
            sent_again = call.method == "GET" and not isinstance(error, NOT_SENT_AGAIN)
            if sent_again or not call.repeatable:
                raise
        return await self._once(call, headers, stream=stream)

    async def _once(self, call: _Call, headers: Mapping[str, str], *, stream: bool) -> aiohttp.ClientResponse:
        response = await self._http.request(
            call.method, call.url, data=call.content, headers=headers, allow_redirects=False
        )
        if not stream or response.status // 100 != SUCCESS:
            await response.read()  # then the connection is free again
        return response

    def _read(self, content: bytes, answer: TypeAdapter[Answer]) -> Answer:
        try:
            return answer.validate_json(content)
        except ValidationError as error:
            # Not the error's text: it repeats what was sent, which may be personal data.
            log.error("answer_not_understood", backend=self.name, problems=error.error_count())
            raise BackendDown(self.name) from None


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    finally:
        response.close()


def _refusal(response: aiohttp.ClientResponse, content: bytes) -> Refusal:
    try:
        problem = _ProblemDocument.model_validate_json(content)
    except ValidationError:
        problem = _ProblemDocument()
    code = problem.type.rpartition(":")[2]
    retry_after = response.headers.get("retry-after")
    return Refusal(response.status, code, problem.detail, problem.errors, retry_after)
