"""docs/library.md describes what `nodeway` exports, and shows lines of the example as they are there."""

import dataclasses
import inspect
import re
import textwrap

import pytest

import nodeway
from lab.layout import ROOT
from nodeway.config.model import Envoy
from tests.support.pages.documents import DOCS

TEXT = (DOCS / "library.md").read_text()
EXAMPLE = (ROOT / "examples" / "existing_app" / "app.py").read_text()
VALUES = ("ClientNetwork", "ProxyNetwork", "ProxySettings", "RecordSettings", "ProbeLogin")


@pytest.mark.parametrize("shown", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_code_is_the_example_s(shown: str) -> None:
    """Indented as it is there, or less."""
    assert any(textwrap.indent(shown, " " * width) in EXAMPLE for width in (0, 4, 8))


def test_page_names_what_the_library_exports() -> None:
    assert set(nodeway.__all__) - set(re.findall(r"\w+", TEXT)) == set()


def defaults(name: str) -> dict[str, str]:
    """The arguments of a class of the library, each with its default as a caller writes it."""

    def text(default: object) -> str:
        if default is inspect.Parameter.empty:
            return "required"
        written = {"": '""', "<factory>": "{}"}
        return f"`{written.get(str(default), str(default))}`"

    arguments = inspect.signature(getattr(nodeway, name).__init__).parameters.values()
    return {one.name: text(one.default) for one in arguments if one.name != "self"}


@pytest.mark.parametrize("name", VALUES)
def test_page_has_every_field_of_a_value_with_its_default(name: str) -> None:
    rows = re.findall(rf"^\| `{name}` \| `(\w+)` \| (required|`[^`]+`) \|", TEXT, re.MULTILINE)

    assert dict(rows) == defaults(name)


def test_page_has_every_prop_with_its_default() -> None:
    """But scope and id, which every construct has."""
    section = TEXT.partition("## Props of `Nodeway`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (required|`[^`]+`) \|", section, re.MULTILINE)
    scope_and_id = {"scope": "required", "construct_id": "required"}

    assert {**scope_and_id, **dict(rows)} == defaults("Nodeway")


def test_logins_of_envoy_have_the_keys_of_the_configuration() -> None:
    fields = {one.name for one in dataclasses.fields(nodeway.EnvoyLogins)}

    assert fields == set(Envoy.model_fields) - {"zone_name"}
