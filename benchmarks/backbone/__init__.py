"""The event store and the bus beside `eventsourcing` and beside the raw limit of Postgres and Redis."""
