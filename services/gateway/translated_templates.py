"""Templates of one language: its sentences are put in when a template is compiled.

So a page costs in any language what it costs when its words stand in the template. Only those whose form
depends on a number are looked up for each page, by Jinja's extension for gettext.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any, Final

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer

from services.gateway.language import Language

BODIES: Final = ("body", "else_")


class TranslatedTemplates(Environment):
    def __init__(self, language: Language, **options: Any) -> None:
        super().__init__(extensions=["jinja2.ext.i18n"], autoescape=True, **options)
        said = language.translations
        self._put_in = _PutIn(language)
        i18n: Any = self  # the extension brings the method
        i18n.install_gettext_callables(said.gettext, said.ngettext, newstyle=True)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """One dict for each template: for each macro that a page takes in, Jinja compares all names of two
        templates, which takes a ChainMap longer than the macro. What all need is known before any is made."""
        return {**self.globals, **(d or {})}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        self._put_in.visit(template)
        for node in (template, *template.find_all(nodes.Node)):
            for body in BODIES:
                if found := getattr(node, body, None):
                    setattr(node, body, list(_joined(found)))
        return template


class _PutIn(NodeTransformer):
    """Puts the sentence where it is asked for, as HTML, which all messages of templates are."""

    def __init__(self, language: Language) -> None:
        self._gettext = language.translations.gettext

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        match node:
            case nodes.Call(node=nodes.Name(name="_" | "gettext"), args=[nodes.Const(value=str() as said)]):
                return _said(self._gettext(said), node)
        return node


def _said(sentence: str, asked: nodes.Call) -> nodes.Expr:
    """With its values, which are escaped, as all that is formatted into Markup."""
    line = asked.lineno
    if not asked.kwargs:
        return nodes.MarkSafe(nodes.Const(sentence % (), lineno=line), lineno=line)
    values = [nodes.Pair(nodes.Const(each.key), each.value, lineno=line) for each in asked.kwargs]
    marked = nodes.MarkSafe(nodes.Const(sentence, lineno=line), lineno=line)
    return nodes.Mod(marked, nodes.Dict(values, lineno=line), lineno=line)


def _joined(body: list[nodes.Node]) -> Iterator[nodes.Node]:
    """Neighbours that put something out as one: what is constant in them becomes one piece."""
    last: nodes.Node | None = None
    for node in body:
        if isinstance(last, nodes.Output) and isinstance(node, nodes.Output):
            last.nodes += node.nodes
        else:
            last = node
            yield node
