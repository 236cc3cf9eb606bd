"""Auth from a backup: who was signed in still is, and who may sign in still may."""

from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from services.auth.app import create
from shared.database.provision import ServiceDatabase
from tests.integration.auth.running import EMAIL, SECRET, Running, work_is_done
from tests.restoring import content, restored
from tests.servers import Servers


async def test_a_restored_auth_holds_all_and_lets_the_same_people_in(
    auth: Running, servers: Servers, redis_url: str, tmp_path: Path
) -> None:
    opened = await auth.session()
    await work_is_done(auth)
    source = ServiceDatabase(make_url(auth.owner_url).database or "", auth.owner_url, "", {})
    again = await restored(servers, "auth", source, tmp_path)
    there, here = await content(again), await content(source)
    moving = {"checkpoints", "events_awaiting_position", "event_positions"}
    assert {name for name in here if here[name] != there[name]} <= moving, "the service runs on meanwhile"

    settings = auth.app.state.auth.settings.model_copy(
        update={"database_url": SecretStr(again.service_url), "redis_url": SecretStr(redis_url)}
    )
    app = create(settings, clock=auth.clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://auth") as http,
    ):
        token = await http.post("/tokens", json={"audience": "auth"}, auth=("gateway", SECRET + "gateway"))
        http.headers["authorization"] = f"Bearer {token.json()['token']}"
        known = await http.post("/sessions/choices", json={"session": opened.session})
        assert known.status_code == 200, known.text
        assert known.json()["chosen"]["organisation_name"] == "Fernhill"
        assert (await http.post("/links", json={"email": EMAIL})).status_code == 202
        restarted = Running(app, http, auth.clock, auth.inbox, again.owner_url)
        await restarted.emails(2, "link-*.json")
        await work_is_done(restarted)
