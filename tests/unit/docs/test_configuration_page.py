"""docs/configuration.md lists every key of nodeway/config/model.py with its default, and its examples are valid."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, cast, get_args, get_origin

import pytest
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from nodeway.config.loader import load
from nodeway.config.model import Block, EnvironmentConfig
from tests.support.pages.documents import DOCS

SECTIONS = dict(
    re.findall(
        r"^## ([^\n]+)\n(.*?)(?=^## |\Z)",
        (DOCS / "configuration.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
)
NAME_OF_THE_BLOCK = "name"


def blocks(model: type[Block], path: str = "") -> Iterator[tuple[str, type[Block], FieldInfo]]:
    """Each block within a block: its path, its class, and the field that holds it."""
    for key, field in model.model_fields.items():
        for one in (field.annotation, *get_args(field.annotation)):
            if isinstance(one, type) and issubclass(one, Block):
                yield f"{path}{key}", one, field
                yield from blocks(one, f"{path}{key}.")


BLOCKS = {f"`{path}`": (model, field) for path, model, field in blocks(EnvironmentConfig)}
MODELS: dict[str, type[Block]] = {
    "Environment": EnvironmentConfig,
    **{name: model for name, (model, _) in BLOCKS.items()},
}


def rows(section: str) -> dict[str, tuple[str, str]]:
    """The type and the default of each key in the section's table."""
    found = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    return {key: (kind, default) for key, kind, default in found}


def default_of(field: FieldInfo) -> str:
    """The default as the table has it."""
    if field.is_required():
        return "required"
    if field.default is None or field.default in ((), {}, ""):
        return "none"
    text = str(field.default)
    return f"`{text.lower() if isinstance(field.default, bool) else text}`"


def words_of(field: FieldInfo) -> list[str]:
    """What the type has to say: the choices, or the limits of a number."""
    if get_origin(field.annotation) is Literal:
        return [f"`{one}`" for one in get_args(field.annotation)]
    low, high = (
        next((getattr(one, name) for one in field.metadata if hasattr(one, name)), None)
        for name in ("ge", "le")
    )
    return [] if low is None else [f"{low} to {high}"]


@pytest.mark.parametrize("section", MODELS)
def test_section_has_the_keys_of_its_block(section: str) -> None:
    fields = MODELS[section].model_fields
    table = rows(SECTIONS[section])

    assert set(table) == set(fields) - {NAME_OF_THE_BLOCK}
    for key, (kind, default) in table.items():
        assert default == default_of(fields[key]), key
        assert [word for word in words_of(fields[key]) if word not in kind] == [], key


def test_page_has_no_section_of_another_block() -> None:
    assert {name for name, text in SECTIONS.items() if rows(text)} == set(MODELS)


def example(section: str) -> dict[str, Any]:
    """The section's example."""
    (text,) = re.findall(r"```json\n(.*?)```", SECTIONS[section], re.DOTALL)
    shown: dict[str, Any] = json.loads(f"{{{text}}}")
    return shown


@pytest.mark.parametrize("section", BLOCKS)
def test_example_of_a_block_is_valid(section: str) -> None:
    _, field = BLOCKS[section]
    ((key, value),) = example(section).items()

    assert key == section.strip("`").rpartition(".")[2]
    # by way of JSON, as cdk.json is read
    TypeAdapter(cast("Any", field.annotation)).validate_json(json.dumps(value))


def test_example_of_an_environment_loads() -> None:
    shown = example("Environment")

    assert [load({"environments": shown, "env": name}).name for name in shown] == list(shown)
