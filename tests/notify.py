"""GOV.UK Notify's side of the wire, as far as we speak with it: its real client must get along with this.

Source: https://docs.notifications.service.gov.uk/rest-api.html
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from shared.settings import EmailSettings

TEMPLATE_ID = "5c0a7a51-3b5f-4c52-9b3c-6a4f7f1f3a10"
NOT_AN_ADDRESS = {
    "status_code": 400,
    "errors": [{"error": "ValidationError", "message": "email_address Not a valid email address"}],
}


@dataclass
class Notify:
    """sent: what was asked for. outcomes: by the ID that was given. refuse: what every sending gets."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    template: dict[str, str] = field(default_factory=lambda: {"subject": "((subject))", "body": "((body))"})
    refuse: tuple[int, dict[str, Any]] | None = None
    url: str = ""

    @property
    def settings(self) -> EmailSettings:
        return EmailSettings(
            via="notify",
            notify_api_key=SecretStr(f"tests-{uuid4()}-{uuid4()}"),
            notify_template_id=TEMPLATE_ID,
            notify_url=self.url,
        )

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method == "POST" and path == "/v2/notifications/email":
            if self.refuse:
                return self.refuse
            self.sent.append(body)
            self.ids.append(str(uuid4()))
            return 201, {"id": self.ids[-1], "reference": body["reference"]}
        if path.startswith("/v2/notifications/"):
            id_ = path.rsplit("/", 1)[-1]
            return 200, {"id": id_, "status": self.outcomes.get(id_, "sending")}
        if path == f"/v2/template/{TEMPLATE_ID}":
            return 200, self.template
        return 404, {"status_code": 404, "errors": [{"error": "NoResultFound", "message": "No result found"}]}


@contextmanager
def running_notify() -> Iterator[Notify]:
    notify = Notify()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else {}
            status, document = notify.answer(self.command, self.path, body)
            written = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        notify.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield notify
        finally:
            server.shutdown()
