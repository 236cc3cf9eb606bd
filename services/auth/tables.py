"""Auth's rows: sessions and links as its own events tell, people and grants as access tells."""

from sqlalchemy import BigInteger, Column, Date, DateTime, LargeBinary, MetaData, Table, Text, Uuid

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("full_name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
)
"""Whom access has registered. email_key: how an address is compared."""

organisations = Table(
    "organisations",
    metadata,
    Column("organisation_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("grant_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("organisation_id", Uuid),
    Column("review_on", Date),
)
"""Grants in force. One that ended is not here."""

links = Table(
    "links",
    metadata,
    Column("link_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("spent_at", DateTime(timezone=True)),
)

asking_links = Table(
    "asking_links",
    metadata,
    Column("link_id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
)
"""Links to the form on which somebody without access asks for it. Forgotten when they expire."""

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("person_id", Uuid, nullable=False),
    Column("grant_id", Uuid),
    Column("return_to", Text),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("idle_until", DateTime(timezone=True), nullable=False),
    Column("absolute_until", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("started_at", DateTime(timezone=True)),
    Column("browser", Text),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("offered_secret", LargeBinary),
)
"""secret_hash: SHA-256 of what the browser holds. browser: its kind, such as "Firefox on Windows".
confirmed_at: when the second factor was passed. offered_secret: to be set up with, encrypted."""

second_factors = Table(
    "second_factors",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("enrolled_at", DateTime(timezone=True), nullable=False),
)
"""secret: encrypted (services.auth.vault). last_step: of the last code that was used."""

wrong_codes = Table(
    "wrong_codes",
    metadata,
    Column("person_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""Wrong codes of the last hour."""

devices = Table(
    "devices",
    metadata,
    Column("device_hash", LargeBinary, primary_key=True),
    Column("person_id", Uuid, primary_key=True),
    Column("first_seen", DateTime(timezone=True), nullable=False),
    Column("last_seen", DateTime(timezone=True), nullable=False),
)
"""Browsers that somebody signed in from. device_hash: SHA-256 of what the browser holds."""
