"""What the services tell each other: events on the bus and bodies over HTTP.

One module per publisher. A published event never changes its meaning: a new meaning is a new version.
"""
