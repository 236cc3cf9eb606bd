"""The reader's tables. Made by shared/database/backbone."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import JSON

metadata = MetaData()

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("partition", SmallInteger, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("updated_at", DateTime(timezone=True), server_default=func.clock_timestamp()),
)

parked_events = Table(
    "parked_events",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("projection", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("event", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("parked_at", DateTime(timezone=True), server_default=func.clock_timestamp()),
    Column("tries", Integer, nullable=False, server_default="1"),
    Column("settled_at", DateTime(timezone=True)),
    Column("settled_how", Text),
)
