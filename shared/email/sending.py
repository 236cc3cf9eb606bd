"""How a service comes by its mailer."""

from typing import Any, Final

from shared.backbone import Backbone
from shared.email.mailer import make_mailer
from shared.email.record import RecordedMailer
from shared.settings import EmailSettings

LOOK_AFTER_SECONDS: Final = 60.0


def open_mailer(backbone: Backbone[Any], settings: EmailSettings, *, development: bool) -> RecordedMailer:
    """A mailer that keeps what became of each email, and looks after that while the service runs.

    Raises ValueError for the inbox outside development.
    """
    by = make_mailer(settings, development=development, clock=backbone.clock)
    mailer = RecordedMailer(backbone.engine, by, backbone.clock)
    backbone.repeat("look after emails", LOOK_AFTER_SECONDS, mailer.look_after)
    return mailer
