"""Who wished it is told that a file is ready: once, and with nothing about anybody."""

from uuid import UUID, uuid4

from services.access.ready_emails import ReadyFiles
from shared.contracts import export
from shared.contracts.roles import Role
from tests.integration.access.office import Cast, Office, Session


def written(by: Session, *, wished: bool = True, export_id: UUID | None = None) -> export.ExportWritten:
    assert by.organisation_id
    return export.ExportWritten(
        export_id=export_id or uuid4(),
        person_id=by.person_id,
        role=by.role,
        organisation_id=by.organisation_id,
        rows=3,
        bytes=300,
        sha256="ab" * 32,
        email_wished=wished,
    )


async def hear(office: Office, *events: export.ExportWritten) -> None:
    async with office.engine.begin() as connection:
        await ReadyFiles().apply(connection, [office.envelope(event, "/export") for event in events])


async def test_who_wished_it_is_told_once_where_the_file_is(office: Office, cast: Cast) -> None:
    told = written(cast.user)
    await hear(office, told, told)
    await hear(office, told)  # again, as after a rebuild
    marker = written(cast.other_user)
    await hear(office, marker)
    await office.emails("marcus.bell@example.org", "Your file is ready")
    (email,) = await office.emails("dana.whitfield@example.org", "Your file is ready")
    assert f"https://check.example.org/exports/{told.export_id}\n" in email["body"]
    assert "Dana" not in email["body"]


async def test_nobody_is_told_who_did_not_wish_it_or_has_no_access(office: Office, cast: Cast) -> None:
    unwished = written(cast.user, wished=False)
    gone = written(Session(cast.user.person_id, Role.DELIVERY_PARTNER, UUID(int=2)))
    await hear(office, unwished, gone, written(cast.other_user))
    await office.emails("marcus.bell@example.org", "Your file is ready")
    assert not office.arrived("dana.whitfield@example.org", "Your file is ready")
