"""The cookies: the session, before sign-in the visit (it binds the forms), the device, and the language."""

from dataclasses import dataclass

from fastapi import Request, Response

LONGEST_DEVICE = 100
DEVICE_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep a cookie. Source: RFC 6265bis, 5.5."""
LANGUAGE_SECONDS = 365 * 24 * 3600
LONGEST = 500
"""Of a session, as auth takes it."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """secure: over TLS. Then the names start with `__Host-`, so that no other host can set them."""

    secure: bool

    @property
    def session(self) -> str:
        return self._name("session")

    @property
    def visit(self) -> str:
        return self._name("visit")

    @property
    def device(self) -> str:
        return self._name("device")

    @property
    def language(self) -> str:
        return self._name("language")

    def session_of(self, request: Request) -> str | None:
        return self._read(request, self.session)

    def visit_of(self, request: Request) -> str | None:
        return self._read(request, self.visit)

    def device_of(self, request: Request) -> str | None:
        value = self._read(request, self.device)
        return value if value and len(value) <= LONGEST_DEVICE else None

    def keep_device(self, response: Response, device: str) -> None:
        """Longer than a session: by it the browser is known again at the next sign-in."""
        self._keep(response, self.device, device, DEVICE_SECONDS)

    def language_of(self, request: Request) -> str | None:
        return self._read(request, self.language)

    def keep_language(self, response: Response, tag: str) -> None:
        self._keep(response, self.language, tag, LANGUAGE_SECONDS)

    def keep_session(self, response: Response, session: str) -> None:
        self._keep(response, self.session, session)

    def keep_visit(self, response: Response, visit: str) -> None:
        self._keep(response, self.visit, visit)

    def forget_session(self, response: Response) -> None:
        """Also what the browser keeps of pages that were seen: the next person may use the same one."""
        response.headers["clear-site-data"] = '"cache", "storage"'
        response.delete_cookie(self.session, path="/", secure=self.secure, httponly=True, samesite="lax")

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name

    def _read(self, request: Request, name: str) -> str | None:
        value = request.cookies.get(name, "")
        return value if 0 < len(value) <= LONGEST else None

    def _keep(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        response.set_cookie(name, value, seconds, path="/", secure=self.secure, httponly=True, samesite="lax")


def cookies_of(request: Request) -> Cookies:
    cookies: Cookies = request.app.state.cookies
    return cookies
