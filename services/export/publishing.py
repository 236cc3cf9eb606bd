"""Private events → what audit may know: who took what away, under which filters, never the search words."""

from typing import TypedDict
from uuid import UUID

from services.export.domain.events import (
    EVENTS,
    Downloaded,
    Event,
    ExportCancelled,
    ExportExpired,
    ExportFailed,
    ExportId,
    ExportRequested,
    ExportWritten,
    Owner,
    WritingStarted,
)
from shared.bus.publication import Publication
from shared.contracts import export as contracts
from shared.contracts.envelope import PublishedEvent
from shared.contracts.roles import Role
from shared.event_store import Codec, by_class_name

CODEC: Codec[Event] = Codec(by_class_name(*EVENTS))


def publish(event: Event) -> PublishedEvent | None:
    match event:
        case ExportRequested(export_id, owner, query, searched=searched):
            return contracts.ExportRequested(
                **_whose(export_id, owner), searched=searched or query.searched, filters=query.filters
            )
        case ExportWritten(export_id, owner, rows, bytes_, sha256, email_wished=wished):
            return contracts.ExportWritten(
                **_whose(export_id, owner), rows=rows, bytes=bytes_, sha256=sha256, email_wished=wished
            )
        case ExportFailed(export_id, owner, reason):
            return contracts.ExportFailed(**_whose(export_id, owner), reason=reason)
        case Downloaded(export_id, owner, rows, searched=searched, filters=filters, format=format_):
            return contracts.ExportDownloaded(
                **_whose(export_id, owner),
                rows=rows,
                searched=searched,
                filters=filters,
                format=contracts.ExportFormat(format_),
            )
        case ExportExpired(export_id, owner):
            return contracts.ExportExpired(**_whose(export_id, owner))
        case ExportCancelled(export_id, owner):
            return contracts.ExportCancelled(**_whose(export_id, owner))
        case WritingStarted():
            return None


class Whose(TypedDict):
    export_id: UUID
    person_id: UUID
    role: Role
    organisation_id: UUID


def _whose(export_id: ExportId, owner: Owner) -> Whose:
    return {
        "export_id": export_id,
        "person_id": owner.person_id,
        "role": Role(owner.role),
        "organisation_id": owner.organisation_id,
    }


PUBLICATION: Publication[Event] = Publication("export", "/export", publish)
