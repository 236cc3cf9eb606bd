"""Access from a backup: everything is there, and the audit proves itself."""

from pathlib import Path

from services.access.audit import verify_chain
from shared.database.engine import create_engine
from tests.integration.access.office import PROVIDER, Cast, Office, created, ok
from tests.integration.access.test_audit import everything_is_recorded
from tests.integration.cli.conftest import check_data, told
from tests.restoring import content, restored
from tests.servers import Servers

__all__ = ["told"]


async def test_a_restored_access_holds_all_that_was_there_and_its_audit_is_whole(
    office: Office, cast: Cast, servers: Servers, told: dict[str, str], tmp_path: Path
) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    ok(await office.decide("confirmation", request_id, cast.contact))
    await everything_is_recorded(office)
    again = await restored(servers, "access", office.database, tmp_path)
    engine = create_engine(again.service_url)
    assert await verify_chain(engine) == await verify_chain(office.engine) > 30
    await engine.dispose()
    there, here = await content(again), await content(office.database)
    moving = {"checkpoints", "work", "sent_emails"}
    assert {name for name in here if here[name] != there[name]} <= moving, "the service runs on meanwhile"
    run = check_data({**told, "CHECK_DATA_OWNER_DATABASE_URL": again.owner_url}, again)
    assert (await run("audit", "verify")).exit_code == 0
    assert (await run("migrate", "access")).exit_code == 0
    assert await content(again) == there, "nothing was missing"
