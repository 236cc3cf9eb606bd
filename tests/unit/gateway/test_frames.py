"""What is rendered once for all who see the same: of a role and its place, never of a person."""

from pathlib import Path

from jinja2 import Environment, nodes

from services import gateway
from services.gateway.catalogues import PSEUDO, available
from services.gateway.content import NAVIGATION
from services.gateway.rendering import FRAMES, navigation
from shared.contracts.roles import Role

TEMPLATES = Path(gateway.__file__).parent / "templates"


def given_to_frames() -> dict[str, set[str]]:
    """By part: the names of the values that templates pass to it."""
    given: dict[str, set[str]] = {}
    for path in TEMPLATES.rglob("*.html"):
        template = Environment(extensions=["jinja2.ext.i18n"]).parse(path.read_text())  # noqa: S701 (not rendered)
        for call in template.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "frame":
                part, *more = call.args
                assert isinstance(part, nodes.Const), path
                assert [*more, call.dyn_args, call.dyn_kwargs] == [None, None], path
                given.setdefault(part.value, set()).update(value.key for value in call.kwargs)
    return given


def test_only_the_navigation_is_told_anything_and_only_of_the_role() -> None:
    assert given_to_frames() == {
        "skip_link": set(),
        "header": set(),
        "navigation": {"home", "items"},
        "footer": set(),
        "file_choices": set(),
    }


def test_a_place_says_no_more_of_the_address_than_in_which_part_it_is() -> None:
    one, other = (navigation(Role.SUPPORT, f"/staff/people/{person}") for person in ("one", "other"))
    assert one == other


def test_all_that_can_differ_is_kept() -> None:
    paths = ["/", *(path for item in NAVIGATION for path in (item.href, f"{item.href}/one"))]
    navigations = {(role, navigation(role, path)) for role in (None, *Role) for path in paths}
    others = len(given_to_frames()) - 1
    assert (len(navigations) + others) * len({*available(), PSEUDO}) <= FRAMES
