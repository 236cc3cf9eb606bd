"""The start of a term: many delivery partners at once, on the whole system, over HTTP. `make load`."""
