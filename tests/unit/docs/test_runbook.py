"""docs/runbook.md: a section for each alarm and verdict, and commands that exist."""

import re
import subprocess
from collections.abc import Iterator

import botocore.session
import pytest
from botocore import xform_name

from lab.layout import ROOT
from nodeway.constructs.monitoring.alarm_texts import MEANINGS, RUNBOOK, render_description
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.pages.documents import anchors

PAGE = ROOT / RUNBOOK
TEXT = PAGE.read_text()
WANTED = [*(f"alarm-{name}" for name in MEANINGS), *(f"verdict-{one.value}" for one in Verdict)]
OF_THE_CLI = {"query", "output", "region"}
FILLED_IN = {"TASK", "VPC", "USER", "GROUP", "ERROR"}
"""Words for the reader's own, and one that is searched for."""
TAIL = {"since", "filter-pattern"}
"""Options of `aws logs tail`, which is the CLI's own."""


def sections() -> dict[str, str]:
    """The third level's text, by its heading."""
    parts = re.split(r"^### (.+)$", TEXT, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def blocks() -> list[str]:
    """What is to be typed: code blocks, and commands within a sentence."""
    return re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def commands() -> Iterator[str]:
    """Each command by itself, the inner ones of `$(…)` too."""
    inline = re.findall(r"`((?:aws|nodeway|cdk) [^`]+)`", TEXT)
    for line in [*"\n".join(blocks()).splitlines(), *inline]:
        text = re.sub(r"^\w+\(\) \{ (.*); \}$", r"\1", line.strip())
        while inner := re.search(r"\$\(([^()]*)\)", text):
            yield inner[1]
            text = text.replace(inner[0], "X")
        yield text


def test_everything_that_rings_or_is_found_has_its_section() -> None:
    """And no section is of what is gone."""
    assert list(sections()) == WANTED


@pytest.mark.parametrize("name", WANTED)
def test_section_says_what_it_means_what_to_look_at_and_what_mends_it(name: str) -> None:
    text = sections()[name]

    assert text.startswith("\n\n**Means**")
    assert "**Check**" in text
    assert "**Fix**" in text


@pytest.mark.parametrize("alarm", MEANINGS)
def test_alarm_links_its_section(alarm: str) -> None:
    """In one sentence, which has to fit with the link: CloudWatch takes 1,024 characters."""
    told = render_description("sessions", alarm)
    meaning, _, link = told.partition(". What to do: ")
    page, _, anchor = link.partition("#")

    assert meaning == f"sessions: {MEANINGS[alarm]}"
    assert ". " not in meaning
    assert (ROOT / page).samefile(PAGE)
    assert anchor in anchors(TEXT)
    assert len(told) <= 1024


@pytest.mark.parametrize("text", blocks())
def test_block_is_a_shell_s(text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", sorted({one for one in commands() if one[:4] == "aws "}))
def test_aws_command_is_one_that_there_is(command: str) -> None:
    """By the services' own models: operation, options, and those that are required."""
    _aws, service, verb, *_rest = command.split()
    options = set(re.findall(r"(?<=\s)--([\w-]+)", command))
    if (service, verb) == ("logs", "tail"):
        assert options <= TAIL
        return
    model = botocore.session.get_session().get_service_model(service)
    (name,) = [one for one in model.operation_names if xform_name(one, "-") == verb]
    shape = model.operation_model(name).input_shape
    assert shape is not None
    assert options - OF_THE_CLI <= {xform_name(one, "-") for one in shape.members}
    if "--" in command:
        assert {xform_name(one, "-") for one in shape.required_members} <= options


def test_stacks_and_outputs_are_those_of_the_app() -> None:
    """`output STACK NAME` asks for what a stack tells."""
    asked = set(re.findall(r"output (\S+) (\w+)\)", TEXT))
    source = "\n".join(one.read_text() for one in (ROOT / "nodeway").rglob("*.py"))

    assert asked
    for stack, output in asked:
        assert f'"{output}"' in source, output
        assert stack in {
            "monitoring",
            "$FLEET",
            *(f"$CLUSTER-{k}" for k in ("resync", "dns", "probe")),
        }


def test_words_to_fill_in_are_few() -> None:
    """A command that works as printed has none."""
    text = re.sub(r'"[^"$]*"', "", "\n".join(blocks()))

    assert set(re.findall(r"(?:--[\w-]+|VPCId=)[ ]?([A-Z]{3,})(?![\w/])", text)) <= FILLED_IN
