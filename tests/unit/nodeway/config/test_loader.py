"""The loader: defaults, overrides of `-c`, and every problem at once."""

from typing import Any

import pytest

from nodeway.config.loader import OVERRIDES, load, parse_pins
from nodeway.config.model import FARGATE_MEMORY_MIB
from nodeway.errors import ConfigError
from nodeway_runtime.model.settings import Mode
from tests.support.fakes import ONE, TWO, ZONE, context, environment_block, named
from tests.support.refusals import problems


def test_short_block_has_defaults() -> None:
    config = load(context())

    assert (config.name, config.clusters[0].port) == ("dev", 6379)
    assert (config.haproxies_per_node, config.ttl, config.cpu, config.memory) == (1, 5, 256, 512)
    assert (config.resync, config.pins) == (Mode.ON, {})
    assert (config.approve, config.take_over, config.max_stand_ins) == ("", False, 10)
    assert [str(vpc.cidr) for vpc in config.client_vpcs] == ["10.40.0.0/16"]


def test_every_problem_is_reported_at_once() -> None:
    block = environment_block(
        account="1234",
        region="useast",
        client_vpcs=[],
        ttl=0,
        cpu=300,
        haproxies_per_node=9,
        cluster="x",
    )
    del block["clusters"]

    lines = problems(context(block, memory="big", pin="nothing"))

    assert sorted(line.partition(":")[0] for line in lines) == [
        *("-c memory", "-c pin", "account", "client_vpcs", "cluster", "clusters"),
        *("cpu", "haproxies_per_node", "region", "ttl"),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"environments": {"dev": {}, "prod": {}}},
            "none was chosen; allowed: dev, prod; choose one with -c env=NAME",
        ),
        (
            {"env": "prd", "environments": {"dev": {}, "prod": {}}},
            "got 'prd', did you mean 'prod'?; allowed: dev, prod",
        ),
        ({"env": "dev"}, 'no "environments" under "context"'),
        ({"env": "dev", "environments": {}}, 'no "environments" under "context"'),
        ({"env": "dev", "environments": ["dev"]}, 'no "environments" under "context"'),
        *(
            ({"env": "dev", "environments": {"dev": block}}, "environment dev: got")
            for block in ("text", ["a", "list"], 7, None)
        ),
        *(
            (context(environment_block(clusters=clusters), nodes="a.b.c"), "clusters")
            for clusters in (["text"], {"a": 1}, None, "text")
        ),
        (context(environment_block(pins=["text"]), pin="a.b=10.0.0.1"), "pins"),
        ({"env": "my env!", "environments": {"my env!": environment_block()}}, "name: "),
        (
            context(
                environment_block(
                    clusters=[{"replication_group_id": "demo"}, {"replication_group_id": "other"}]
                ),
                nodes=named(ONE),
            ),
            "-c nodes: this environment has 2 clusters",
        ),
    ],
)
def test_malformed_context_is_an_error_with_a_message(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(given)

    assert message in str(caught.value)


def test_unknown_variable_is_refused_with_the_closest_known_one() -> None:
    (text,) = problems(context(haproxy_per_node="2", zzz="1"))

    assert "'haproxy_per_node', did you mean 'haproxies_per_node'?" in text
    assert f"'zzz'; allowed with -c: {', '.join(OVERRIDES)}" in text


@pytest.mark.parametrize(
    "key",
    [
        "@aws-cdk/core:checkSecretUsage",
        "aws:cdk:bundling-stacks",
        "nodeway:topology:account=1",
        "cli:x",
        "path-metadata",
    ],
)
def test_context_of_the_cdk_is_no_unknown_variable(key: str) -> None:
    assert load({**context(), key: True}).name == "dev"


def test_variables_override_the_block() -> None:
    """Their values are texts, as they come from the command line."""
    config = load(
        context(
            haproxies_per_node="2",
            ttl="30",
            cpu="512",
            memory="1024",
            resync="observe",
            pin=f"{ONE}.{ZONE}=10.9.0.1",
            approve="0123456789ab",
            take_over="true",
            max_stand_ins="0",
            nodes=f" {named(TWO)} ,",
        )
    )

    assert (config.haproxies_per_node, config.ttl, config.cpu, config.memory) == (2, 30, 512, 1024)
    assert (config.resync, config.pins) == (Mode.OBSERVE, {named(ONE): ("10.9.0.1",)})
    assert (config.approve, config.take_over, config.max_stand_ins) == ("0123456789ab", True, 0)
    assert config.clusters[0].nodes == (named(TWO),)


def test_pins_of_the_command_line_are_added_to_those_of_the_block() -> None:
    """A pin of the same name is replaced."""
    block = environment_block(pins={named(ONE): ["10.9.0.1"], named(TWO): ["10.9.0.2"]})

    config = load(context(block, pin=f"{named(TWO)}=10.9.0.3"))

    assert config.pins == {named(ONE): ("10.9.0.1",), named(TWO): ("10.9.0.3",)}


def test_pins_of_the_block_are_normalised() -> None:
    config = load(context(environment_block(pins={f"{ONE.upper()}.{ZONE}.": [" 10.9.0.1"]})))

    assert config.pins == {named(ONE): ("10.9.0.1",)}


@pytest.mark.parametrize(
    "text", ["x", "a.b", "a.b=", "=10.0.0.1", "a.b=ten", "a b=10.0.0.1", "a.b=10.0.0.1,"]
)
def test_parse_pins_refuses_another_form(text: str) -> None:
    with pytest.raises(ValueError, match="got "):
        parse_pins(text)


def test_parse_pins_takes_several_names_and_addresses() -> None:
    """`;` separates names, `,` separates addresses, spaces are ignored."""
    assert parse_pins("A.b.=10.0.0.1,10.0.0.2; c.d=10.0.0.3;") == {
        "a.b": ("10.0.0.1", "10.0.0.2"),
        "c.d": ("10.0.0.3",),
    }


@pytest.mark.parametrize(("cpu", "sizes"), FARGATE_MEMORY_MIB.items())
def test_memory_is_one_that_fargate_has_for_the_cpu(cpu: int, sizes: tuple[int, ...]) -> None:
    for size in sizes:
        assert load(context(cpu=str(cpu), memory=str(size))).memory == size
    for size in (sizes[0] - 1, sizes[-1] + 1):
        (line,) = problems(context(cpu=str(cpu), memory=str(size)))
        assert f"memory: got {size} MiB with cpu {cpu}; allowed: {sizes[0]}" in line
        assert str(sizes[-1]) in line


def test_account_and_region_of_a_probed_vpc_may_be_the_deployment_s_own() -> None:
    vpc = {**environment_block()["client_vpcs"][0], "probe_subnet_ids": ["subnet-0000000a"]}
    own = {"account": "111122223333", "region": "us-east-1"}

    config = load(context(environment_block(client_vpcs=[vpc | own])))

    assert config.client_vpcs[0].probe_subnet_ids == ("subnet-0000000a",)
