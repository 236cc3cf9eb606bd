"""The store's tables. Made by shared/database/backbone; described here for queries."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("schema_version", SmallInteger, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)
"""Append-only. `id` grows in the order of insertion, with holes, and may commit out of order."""

positions = Table(
    "event_positions",
    metadata,
    Column("position", BigInteger, primary_key=True),
    Column("event", BigInteger, nullable=False, unique=True),
)
"""The order in which readers see events: gapless, given after commit."""

awaiting_position = Table("events_awaiting_position", metadata, Column("event", BigInteger, primary_key=True))
"""Events that are committed (or about to be) and have no position yet."""
