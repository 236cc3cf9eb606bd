"""How events get from one service's store into another service's tables.

Publisher: `Relay` (store → Redis stream) and the feed (store → HTTP). Reader: `ProjectionRunner`.
"""
