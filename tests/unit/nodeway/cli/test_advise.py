"""`nodeway advise`: its table, its JSON and its errors."""

import json
from pathlib import Path
from typing import Any

import pytest

from nodeway.advice.rules import RULES
from tests.support.terminal import Terminal

KNOWN = {
    "name": "demo",
    "cluster_mode": True,
    "tls": "required",
    "endpoint_type": "tls-dynamic",
    "nodes": 12,
    "cache_cidrs": ["10.50.0.0/16"],
    "routes_allowed": False,
    "scripted": False,
}


@pytest.mark.usefixtures("elasticache")
def test_live_group_is_read_over_http(nodeway: Terminal) -> None:
    """ElastiCache names no subnet group, so the ranges are unknown."""
    said = nodeway(None, "advise", "--replication-group", "demo", "--region", "us-east-1")

    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "demo, 2 nodes"
    assert lines[1].startswith("  advice     VPC peering, if full routes between the networks may")
    assert "  otherwise  Nodeway" in lines
    assert any(
        line.startswith("  not read   the cache's ranges: AWS does not say;") for line in lines
    )


def write(directory: Path, **changes: Any) -> str:  # noqa: ANN401 (any JSON)
    """Writes a description."""
    file = directory / "demo.json"
    file.write_text(json.dumps(KNOWN | changes))
    return str(file)


def test_table_is_plain_text_of_the_terminal_s_width(
    nodeway: Terminal, empty_directory: Path
) -> None:
    file = write(empty_directory)

    said = nodeway(None, "advise", "--from", file, "--client-cidr", "10.40.0.0/16", "--routes")

    assert (said.code, said.err) == (0, "")
    assert "  advice     VPC peering\n" in said.out
    assert "  because    full routes between the networks may be given; the address" in said.out
    assert "otherwise" not in said.out
    assert "unknown" not in said.out
    assert "\x1b" not in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_options_override_the_description(nodeway: Terminal, empty_directory: Path) -> None:
    file = write(
        empty_directory, routes_allowed=True, client="plain", client_cidrs=["10.50.0.0/24"]
    )
    ranges = ("--client-cidr", "10.40.0.0/16", "--client-cidr", "10.41.0.0/16")
    words = ("--client", "rueidis", *ranges, "--json")

    document = nodeway(None, "advise", "--from", file, *words).json

    assert document["recommended"]["option"] == "VPC peering"
    (settings,) = document["client_settings"]
    assert settings.startswith("rueidis, VPC peering: ")


def test_json_has_every_key(nodeway: Terminal, empty_directory: Path) -> None:
    document = nodeway(None, "advise", "--from", write(empty_directory, tls=None), "--json").json

    assert set(document) == {
        *("name", "recommended", "otherwise", "excluded", "facts", "unknown"),
        *("not_read", "notes", "client_settings"),
    }
    (rule,) = (rule for rule in RULES if rule.name == "addresses")
    assert document["recommended"] == {
        "option": "Envoy's Redis proxy",
        "rule": "addresses",
        "holds_if": ["MOVED carries addresses (no TLS, or endpoint type `ip`)"],
        "why": rule.why,
        "caveat": rule.caveat,
    }
    assert [branch["option"] for branch in document["otherwise"]] == ["Nodeway"]
    assert document["facts"]["answers"] is None
    assert [unknown["fact"] for unknown in document["unknown"]] == ["answers"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("advise",), "give one of --replication-group NAME and --from FILE"),
        (("advise", "--from", "x.json", "--replication-group", "demo"), "give one of"),
        (("advise", "--from", "none.json"), "none.json cannot be read: No such file or directory"),
        (("advise", "--from", "broken.json"), "broken.json: invalid JSON: "),
        (
            ("advise", "--from", "wrong.json"),
            "wrong.json: nodes: input should be greater than or equal to 1; got 0; ",
        ),
        (
            ("advise", "--from", "wrong.json", "--client-cidr", "10.40.0.1/16"),
            "--client-cidr: 10.40.0.1/16 has host bits set",
        ),
        (("advise", "--from", "wrong.json", "--cache-cidr", "here"), "--cache-cidr: "),
        (("advise", "--replication-group", "demo"), "no AWS credentials: sign in"),
    ],
)
def test_every_error_is_one_line(
    nodeway: Terminal,
    empty_directory: Path,
    fake_aws: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        fake_aws.delenv(name)
    (empty_directory / "broken.json").write_text("{")
    (empty_directory / "wrong.json").write_text('{"nodes": 0, "tsl": "off"}')

    said = nodeway(None, *words)

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"nodeway: {message}")
    assert said.err.count("\n") == 1


def test_no_region_is_one_line(nodeway: Terminal, fake_aws: pytest.MonkeyPatch) -> None:
    fake_aws.delenv("AWS_DEFAULT_REGION")

    said = nodeway(None, "advise", "--replication-group", "demo")

    assert said.err == "nodeway: no Region: give --region, or set AWS_REGION\n"


def test_unknown_client_is_an_error_with_the_known_ones(nodeway: Terminal) -> None:
    said = nodeway(None, "advise", "--from", "x.json", "--client", "go-redis")

    assert said.code == 2
    assert "'cluster', 'plain', 'rueidis'" in " ".join(said.err.replace("│", "").split())
