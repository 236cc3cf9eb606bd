"""Half a million participants into the service, and its read model anew: beside COPY and upsert alone."""
