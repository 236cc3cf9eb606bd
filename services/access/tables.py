"""The rows of access. Made by migrations/; described here for queries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.access.domain.person_details import ERASED_DOMAIN

metadata = MetaData()

organisations = Table(
    "organisations",
    metadata,
    Column("organisation_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("full_name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
)

is_erased = people.c.email_key.endswith(f"@{ERASED_DOMAIN}")

requests = Table(
    "requests",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("organisation_id", Uuid, nullable=False),
    Column("made_by", Uuid, nullable=False),
    Column("made_as", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", ARRAY(Uuid), nullable=False),
    Column("lead_provider_id", Uuid),
    Column("against_advice", Boolean, nullable=False),
    Column("outcome_reason", Text),
    Column("outcome_kind", Text),
    Column("waiting_since", DateTime(timezone=True), nullable=False),
    Column("reminded_at", DateTime(timezone=True)),
    Column("returned_from", Text),
    Column("informed_by", ARRAY(Uuid), nullable=False),
    Column("name_given", Text),
    Column("email_given", Text),
)
"""name_given, email_given: as those who asked wrote them. What is registered may be another name."""

asked_by_themself = (requests.c.made_by == requests.c.person_id) & (requests.c.made_as == requests.c.role)
"""Somebody without access asked for it for themself: the domain's AccessRequest.by_themself."""

agreements = Table(
    "agreements",
    metadata,
    Column("agreement_id", Uuid, primary_key=True),
    Column("delivery_partner_id", Uuid, nullable=False),
    Column("lead_provider_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("ended_early_on", Date),
    Column("reference", Text, nullable=False),
    Column("lapsed", Boolean, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("grant_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("organisation_id", Uuid),
    Column("request_id", Uuid),
    Column("given_at", DateTime(timezone=True), nullable=False),
    Column("review_on", Date),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_reason", Text),
    Column("ended_words", Text),
    Column("suspended_at", DateTime(timezone=True)),
    Column("suspended_reason", Text),
)
"""One that is suspended is held still, and of no use to anybody until it is restored."""

review_campaigns = Table(
    "review_campaigns",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    Column("due_until", Date, nullable=False),
    Column("answer_by", Date, nullable=False),
    Column("opened_by", Uuid),
    Column("opened_at", DateTime(timezone=True), nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    Column("grant_id", Uuid, primary_key=True),
    Column("answer_by", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("settled_at", DateTime(timezone=True)),
)
"""outcome: `open`, `confirmed`, `ended` or `suspended`."""

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("person_id", Uuid),
    Column("about_id", Uuid),
    Column("role", Text),
    Column("organisation_id", Uuid),
    Column("participant_ids", ARRAY(Uuid), nullable=False),
    Column("data", JSONB, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""person_id: who did it. about_id: the person whom it is about, when that is somebody with access."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("single", Boolean, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
