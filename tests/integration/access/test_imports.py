"""Lists taken in as CSV, tried first; and what the register says changed."""

from sqlalchemy import text

from tests.integration.access.office import Cast, Office, ok, problem

AGREEMENTS = """\ufeffdelivery_partner,lead_provider,starts_on,ends_on,reference
northwick teaching  school hub,Beacon Training,2026-09-01,2027-08-31,DSA-31
Northwick Teaching School Hub,Beacon Training,2026-09-01,2027-08-31,DSA-31
Nobody Hub,Beacon Training,2026-09-01,2027-08-31,DSA-32
Harbour Education Group,Ambit Learning,1 September,2027-08-31,DSA-33
Harbour Education Group,Ambit Learning,2027-09-01,2026-08-31,"DSA-34"
"""
USERS = """full_name,email,organisation,role
Ravi Menon,ravi.menon@example.org,Northwick Teaching School Hub,delivery_partner
Ravi Again,RAVI.menon@example.org,Northwick Teaching School Hub,
Dana Whitfield,dana.whitfield@example.org,Northwick Teaching School Hub,delivery_partner
Dana Whitfie1d,dana.whitfie1d@example.org,Northwick Teaching School Hub,delivery_partner
Nobody,not an address,Northwick Teaching School Hub,delivery_partner
Grace Adeyemi,grace@example.org,Northwick Appropriate Body,appropriate_body
Tom Ellery,tom@example.org,Northwick Teaching School Hub,auditor
"""


async def events(office: Office) -> int:
    async with office.engine.connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM events"))).scalar_one())


async def test_agreements_are_tried_first_and_then_recorded(office: Office, cast: Cast) -> None:
    before = await events(office)
    path = "/agreements/import"
    tried = (await office.post(path, cast.policy, csv=AGREEMENTS, dry_run=True)).json()
    assert [(line["number"], line["outcome"]) for line in tried] == [
        (2, "new"),
        (3, "known"),
        (4, "refused"),
        (5, "refused"),
        (6, "refused"),
    ]
    assert await events(office) == before
    done = (await office.post(path, cast.policy, csv=AGREEMENTS, dry_run=False)).json()
    assert done == tried
    references = [a["reference"] for a in (await office.get("/agreements", cast.policy)).json()]
    assert references.count("DSA-31") == 1
    assert not {"DSA-32", "DSA-33", "DSA-34"} & set(references)
    again = (await office.post(path, cast.policy, csv=AGREEMENTS, dry_run=False)).json()
    assert [line["outcome"] for line in again][:2] == ["known", "known"]


async def test_first_users_become_requests_that_others_decide_on(office: Office, cast: Cast) -> None:
    body = {"csv": USERS, "reason": "List of Ambit Learning, 3 November."}
    before = await events(office)
    tried = (await office.post("/requests/import", cast.support, **body, dry_run=True)).json()
    assert [line["outcome"] for line in tried] == [
        "new",
        "known",
        "known",
        "new",
        "refused",
        "new",
        "refused",
    ]
    assert "Look closely" in tried[3]["sentence"]
    assert all(line["sentence"].endswith(".") for line in tried)
    assert await events(office) == before
    done = (await office.post("/requests/import", cast.support, **body, dry_run=False)).json()
    assert [line["outcome"] for line in done] == [line["outcome"] for line in tried]
    queue = ok(await office.get("/requests", cast.support, state="submitted"))
    assert queue["total"] == 3
    assert {r["reason"] for r in queue["requests"]} == {"List of Ambit Learning, 3 November."}
    assert all("triage" not in r["may"] for r in queue["requests"])  # four eyes
    theirs = ok(await office.get("/requests", cast.other_support, state="submitted"))
    assert all("triage" in r["may"] for r in theirs["requests"])


async def test_what_is_no_such_file_is_refused_with_a_sentence(office: Office, cast: Cast) -> None:
    for broken in ("hello", "reference\nDSA-1", AGREEMENTS.splitlines()[0], 'a,"b\nc'):
        answer = await office.post("/agreements/import", cast.policy, csv=broken, dry_run=True)
        assert problem(answer) == (422, "not-understood")
    many = USERS + "A,a@example.org,X,\n" * 500
    answer = await office.post("/requests/import", cast.support, csv=many, reason="x", dry_run=True)
    assert problem(answer) == (422, "not-understood")


async def test_a_broken_file_is_refused_with_the_line_that_breaks_it(office: Office, cast: Cast) -> None:
    first = AGREEMENTS.splitlines()[0]
    broken = (
        (f'{first}\na,b,c,d,e\n"a"b,c\n', "Line 3 is not CSV"),
        (f"{first}\n\na,b,c,d,e,f\n", "Line 3 has more values"),
    )
    for lines, sentence in broken:
        answer = await office.post("/agreements/import", cast.policy, csv=lines, dry_run=True)
        assert problem(answer) == (422, "not-understood")
        assert answer.json()["errors"][0]["message"].startswith(sentence)


async def test_the_register_says_what_each_change_made_different(office: Office, cast: Cast) -> None:
    ended = {"ended_early_on": str(office.today), "reason": "Given up."}
    ok(await office.post(f"/agreements/{cast.agreement_id}/end", cast.policy, **ended))
    changes = (await office.get(f"/agreements/{cast.agreement_id}/changes", cast.auditor)).json()
    assert [(c["what"], c["by_name"], c["reason"]) for c in changes] == [
        ("Recorded", "Priya Raman", None),
        ("Ended early", "Priya Raman", "Given up."),
        ("Its last day is past", None, None),
    ]
    assert {d["field"]: d["after"] for d in changes[0]["differences"]}["Lead provider"] == "Ambit Learning"
    (difference,) = changes[1]["differences"]
    assert difference["field"] == "Last day in force"
    assert difference["before"] != difference["after"]
    assert changes[2]["differences"] == [{"field": "Has ended", "before": None, "after": "Yes"}]
    assert "Has ended" not in {d["field"] for d in changes[0]["differences"]}
