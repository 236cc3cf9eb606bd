"""The stand-in has no secrets: it publishes its events as they are, since they are the contract itself."""

from shared.bus.publication import Publication
from shared.contracts.envelope import PublishedEvent
from shared.contracts.manage_ects import CATALOGUE, SOURCE
from shared.event_store import Codec

CODEC: Codec[PublishedEvent] = Codec({contract.type: contract for contract in CATALOGUE})


def _as_it_is(event: PublishedEvent) -> PublishedEvent:
    return event


PUBLICATION: Publication[PublishedEvent] = Publication("manage_ects", SOURCE, _as_it_is)
