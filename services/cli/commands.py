"""The commands of `check-data`."""

import asyncio
import getpass
import importlib
from pathlib import Path
from typing import Annotated

import typer

from services.cli.catalogue import SERVICES, WITH_DATABASE

app = typer.Typer(
    name="check-data",
    help="Check data for delivery partners: run, serve and operate it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Service = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]


def _known(service: str, among: tuple[str, ...] = SERVICES) -> str:
    if service not in among:
        raise typer.BadParameter(f"{service!r} is not one of {', '.join(among)}")
    return service


@app.command()
def run(
    port: Annotated[int, typer.Option(envvar="PORT", help="The gateway's port.")] = 8000,
) -> None:
    """Serve everything on this machine with made-up data, until Ctrl-C."""
    importlib.import_module("services.cli.run").run(port)


@app.command()
def serve(service: Service) -> None:
    """Serve one service. Its settings are environment variables (CHECK_DATA_…)."""
    importlib.import_module("services.cli.serve").serve(_known(service))


@app.command()
def doctor(
    services: Annotated[list[str] | None, typer.Argument(help="Which services; all with a database.")] = None,
) -> None:
    """Say on one screen what is wrong, and what to do about it; 1 when something is."""
    chosen = [_known(service, WITH_DATABASE) for service in services or WITH_DATABASE]
    asyncio.run(importlib.import_module("services.cli.doctor").examine(chosen))


@app.command()
def migrate(service: Service) -> None:
    """Bring one service's database to the present schema, as the owner of its tables.

    CHECK_DATA_OWNER_DATABASE_URL names it.
    """
    importlib.import_module("services.cli.operations").migrate_service(_known(service, WITH_DATABASE))


@app.command()
def provision(
    services: Annotated[list[str] | None, typer.Argument(help="Which services; all with a database.")] = None,
) -> None:
    """Make the databases and roles of a first installation, where they are missing; `migrate` comes next.

    CHECK_DATA_ADMIN_DATABASE_URL: a superuser's. CHECK_DATA_DATABASE_PASSWORD: of all these roles.
    """
    chosen = [_known(service, WITH_DATABASE) for service in services or WITH_DATABASE]
    asyncio.run(importlib.import_module("services.cli.operations").provision_services(chosen))


@app.command("compose-environment")
def compose_environment(
    folder: Annotated[Path, typer.Argument(help="A new folder; deploy/environment for compose.yaml.")],
    url: Annotated[str, typer.Option(help="Where people reach the gateway.")] = "http://127.0.0.1:8000",
) -> None:
    """Write the files of settings, with fresh secrets, that deploy/compose.yaml reads."""
    importlib.import_module("services.cli.compose").write_environments(folder, url)
    typer.echo(f"{folder}: written; keep it to yourself")


@app.command()
def seed(
    part: Annotated[
        str,
        typer.Option(
            help="history (with the settings of manage_ects), people (of access), or all of a home folder."
        ),
    ] = "all",
) -> None:
    """Put the made-up data into the installation that runs in the home folder, or into one service's."""
    demo = importlib.import_module("services.cli.demo")
    match part:
        case "history":
            asyncio.run(demo.make_up_history(typer.echo))
        case "people":
            asyncio.run(demo.let_people_in(demo.usual_seed(), typer.echo))
        case "all":
            asyncio.run(demo.make_up_history(typer.echo))
            asyncio.run(demo.let_demo_people_in(typer.echo))
        case _:
            raise typer.BadParameter("the part is history, people or all")


@app.command("bootstrap-staff")
def bootstrap_staff(
    email: Annotated[str, typer.Option(help="Where the sign-in link goes.")],
    full_name: Annotated[str, typer.Option("--name", help="The person's full name.")],
    role: Annotated[str, typer.Option(help="support, policy, auditor or administrator.")] = "administrator",
) -> None:
    """Let a first member of staff in. Again, it changes nothing."""
    operations = importlib.import_module("services.cli.operations")
    asyncio.run(operations.bootstrap_staff(full_name, email, role))


@app.command()
def history(
    participants: Annotated[int, typer.Option(help="How many participants.")] = 5_000,
    seed: Annotated[int, typer.Option(help="Which made-up world.")] = 20_260_901,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("history.ndjson"),
) -> None:
    """Write a made-up history as a file that `backfill` reads."""
    importlib.import_module("services.cli.operations").write_history_file(participants, seed, out)


@app.command()
def backfill(
    file: Annotated[
        Path,
        typer.Argument(
            help="NDJSON: one CloudEvent of Manage ECTs on each line.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
) -> None:
    """Take a file of events into participants. Bad lines are reported and parked, the others are in."""
    asyncio.run(importlib.import_module("services.cli.operations").backfill_file(file))


@app.command()
def rebuild(
    service: Service,
    projection: Annotated[str | None, typer.Option(help="Only this one of its projections.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how the rows differ from the log; 1 when they do.")
    ] = False,
) -> None:
    """Make a service's read models anew from the log, beside the live ones, and swap them in.

    Works as the owner of the tables: CHECK_DATA_OWNER_DATABASE_URL.
    """
    module = importlib.import_module("services.cli.rebuilding")
    asyncio.run(module.rebuild_service(_known(service, WITH_DATABASE), projection, dry_run=dry_run))


@app.command()
def keys(
    kind: Annotated[str, typer.Argument(help="link, signing, second-factor or csrf.")],
    step: Annotated[str, typer.Argument(help="announce, use or drop, in this order.")],
) -> None:
    """Print what to set next to rotate a key. Restart every process of the service between two steps.

    announce: a new key at the end, which all can prove. use: it comes to the front, and makes. drop: the last
    goes, when all that it made has expired.
    """
    module = importlib.import_module("services.cli.keys")
    try:
        chosen = module.Kind(kind), module.Step(step)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(module.rotate(*chosen))


emails = typer.Typer(help="Emails, and the template that GOV.UK Notify has.", no_args_is_help=True)
app.add_typer(emails, name="emails")


@emails.command("check")
def check_email_template() -> None:
    """Compare Notify's template with the one in the repository; 1 when they differ, and what to change."""
    importlib.import_module("services.cli.emails").check_template()


parked = typer.Typer(help="Events and jobs that were given up on.", no_args_is_help=True)
app.add_typer(parked, name="parked")


def _said(why: str) -> str:
    if not why.strip():
        raise typer.BadParameter("say why")
    return why


What = Annotated[str, typer.Argument(help="event-3 or job-7, as `parked list` names it.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.", callback=_said)]
By = Annotated[
    str,
    typer.Option(
        "--by",
        default_factory=getpass.getuser,
        help="Who you are, for the record.",
        envvar="CHECK_DATA_OPERATOR",
    ),
]


@app.command()
def erase(
    participant_id: Annotated[str, typer.Argument(help="The participant's ID.")],
    why: Why,
    by: By,
) -> None:
    """Take a participant whom Manage ECTs has removed out of the log, on record.

    Works as the owner of the tables: CHECK_DATA_OWNER_DATABASE_URL.
    """
    module = importlib.import_module("services.cli.erasing")
    reason = importlib.import_module("shared.parked_actions").Reason(by, why)
    asyncio.run(module.erase_participant(participant_id, reason))


@parked.command("list")
def parked_list(service: Service) -> None:
    """What waits, oldest first, with the reason."""
    asyncio.run(importlib.import_module("services.cli.parked").show_list(_known(service, WITH_DATABASE)))


@parked.command("show")
def parked_show(
    service: Service,
    what: What,
    by: By,
    personal_data: Annotated[
        bool, typer.Option("--personal-data", help="Show the content too. Needs --why, and is recorded.")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="Why the content has to be seen, for the record.")] = "",
) -> None:
    """One event or job: its shape, with IDs, but without what it holds about people."""
    module = importlib.import_module("services.cli.parked")
    personal = module.Reason(by, _said(why)) if personal_data else None
    asyncio.run(module.show_one(_known(service, WITH_DATABASE), what, personal))


@parked.command("retry")
def parked_retry(service: Service, what: What, why: Why, by: By) -> None:
    """Apply an event, and what waits behind it, once more; or let the workers try a job anew."""
    module = importlib.import_module("services.cli.parked")
    asyncio.run(module.retry(_known(service, WITH_DATABASE), what, module.Reason(by, why)))


@parked.command("discard")
def parked_discard(service: Service, what: What, why: Why, by: By) -> None:
    """Give up for good. An event stays on record, and what waits behind it can be retried."""
    module = importlib.import_module("services.cli.parked")
    asyncio.run(module.discard(_known(service, WITH_DATABASE), what, module.Reason(by, why)))


access = typer.Typer(help="Who may do what, and why.", no_args_is_help=True)
app.add_typer(access, name="access")


@access.command("why")
def access_why(
    email: Annotated[str, typer.Argument(help="The person's email address.")],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, to be kept as evidence.")] = False,
) -> None:
    """Say why a person has access: from the request to the agreement."""
    asyncio.run(importlib.import_module("services.cli.access").why(email, as_json=as_json))


@access.command("erase")
def access_erase(
    person: Annotated[str, typer.Argument(help="The person's ID, or their email address.")],
    why: Why,
    by: By,
) -> None:
    """Take a person who has no access any more out of the log and all rows, on record.

    Who allowed whom stays, by ID. Works as the owner of the tables: CHECK_DATA_OWNER_DATABASE_URL.
    """
    module = importlib.import_module("services.cli.erasing")
    reason = importlib.import_module("shared.parked_actions").Reason(by, why)
    asyncio.run(module.erase_person(person, reason))


audit = typer.Typer(help="The record of who saw, took and allowed what.", no_args_is_help=True)
app.add_typer(audit, name="audit")


@audit.command("verify")
def audit_verify() -> None:
    """Prove that the audit's chain of hashes is whole."""
    asyncio.run(importlib.import_module("services.cli.operations").verify_audit())
