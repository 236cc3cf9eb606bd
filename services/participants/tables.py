"""The tables of participants. Made by migrations/; described here for queries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

received_events = Table(
    "received_events",
    metadata,
    Column("position", BigInteger, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("data", JSONB, nullable=False),
)
"""The service's own log of what Manage ECTs told it, each event once. Append-only; all else comes from it.

position: the order of arrival, with holes."""

subject_references = Table(
    "subject_references",
    metadata,
    Column("referred_id", Uuid, primary_key=True),
    Column("referrer_id", Uuid, primary_key=True),
    Column("by_participant", Boolean, nullable=False),
)
"""Whom an event of `referred_id` concerns: see domain/references.py."""

mentor_namings = Table(
    "mentor_namings",
    metadata,
    Column("participant_id", Uuid, primary_key=True),
    Column("mentor_participant_id", Uuid, primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("induction_record_id", Uuid, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("ended_received_at", DateTime(timezone=True)),
)
"""What each participant's own events say of its mentors, kept for the derivation of the mentors."""

derivations_due = Table(
    "derivations_due",
    metadata,
    Column("participant_id", Uuid, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("failure", Text),
)
"""Participants whose rows are behind the log. generation grows each time that one is marked again.

failure: why the last try did not work; it is tried again when something new arrives about it."""

present_day = Table(
    "present_day",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("day", Date, nullable=False),
)
"""The day for which rows are derived: that of the last DayBegan. One row, none before the first."""

participant_views = Table(
    "participant_views",
    metadata,
    Column("participant_id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, primary_key=True),
    Column("organisation_kind", Text, primary_key=True),
    Column("full_name", Text, nullable=False),
    Column("sort_name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("trn", Text),
    Column("role", Text, nullable=False),
    Column("lead_provider", Text),
    Column("school", Text),
    Column("urn", Text),
    Column("academic_year", Integer, nullable=False),
    Column("training_status", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("status_since", DateTime(timezone=True), nullable=False),
    Column("induction_completed_on", Date),
    Column("school_left_on", Date),
    Column("search_text", Text, nullable=False),
    Column("next_due", Date),
)
"""What one organisation is shown of one participant. Row-level security: one organisation for the reader."""

participant_counts = Table(
    "participant_counts",
    metadata,
    Column("organisation_id", Uuid, primary_key=True),
    Column("organisation_kind", Text, primary_key=True),
    Column("academic_year", Integer, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("participants", BigInteger, nullable=False),
)
"""How many rows of participant_views there are of each kind; triggers keep it. Under the same security."""

visits = Table(
    "visits",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("organisation_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("before", DateTime(timezone=True)),
)
"""When a person last saw a list, in which session, and (before) when in the session before that one."""

status_history = Table(
    "status_history",
    metadata,
    Column("participant_id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, primary_key=True),
    Column("organisation_kind", Text, primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("status", Text),
    Column("state", Text),
    Column("received_at", DateTime(timezone=True)),
)
"""The changes behind a row of participant_views, oldest first. Under the same row-level security."""
