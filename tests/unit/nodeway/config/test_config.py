"""The configuration: every problem at once, each with what was given and what is allowed."""

import json
from typing import Any

import pytest

from nodeway.config.loader import OVERRIDES, load, parse_pins
from nodeway.config.model import FARGATE_MEMORY_MIB
from nodeway.errors import ConfigError
from nodeway_runtime.model.settings import Mode
from tests.support.fakes import ONE, TWO, ZONE, context, environment_block, named


def refusal(given: dict[str, Any]) -> str:
    """What the refusal of this context says."""
    with pytest.raises(ConfigError) as caught:
        load(given)
    return str(caught.value)


def test_load_gives_the_chosen_environment_with_defaults() -> None:
    """A short block is enough."""
    found = load(context())

    assert (found.name, found.haproxies_per_node, found.ttl, found.cpu, found.memory) == (
        "dev",
        1,
        5,
        256,
        512,
    )
    assert (found.resync, found.pins, [str(vpc.cidr) for vpc in found.client_vpcs]) == (Mode.ON, {}, ["10.40.0.0/16"])
    assert found.clusters[0].port == 6379


def test_load_names_every_problem_at_once() -> None:
    """Whoever corrects a block corrects it once."""
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

    text = refusal(context(block, memory="big", pin="nothing"))

    for part in (
        "environment dev has 10 problems:",
        "account: ",
        "got '1234'",
        "region: ",
        "client_vpcs: ",
        "clusters: is missing",
        "ttl: input should be greater than or equal to 1; got 0",
        "cpu: input should be 256, 512, 1024, 2048 or 4096; got 300",
        "haproxies_per_node: input should be less than or equal to 8; got 9",
        "cluster: extra inputs are not permitted; got 'x'",
        "-c memory: got 'big'; allowed: a whole number",
        "-c pin: got 'nothing'; allowed: HOST=IP[,IP]",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("given", "told"),
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
    ],
    ids=["none chosen", "misspelt", "no block", "empty block", "a list"],
)
def test_load_refuses_an_environment_that_is_not_there(given: dict[str, Any], told: str) -> None:
    """The answer lists what there is."""
    assert told in refusal(given)


def test_load_refuses_an_unknown_variable_with_the_nearest_known_one() -> None:
    """A misspelt override must not be ignored silently."""
    text = refusal(context(haproxy_per_node="2", zzz="1"))

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
def test_load_leaves_the_cdks_own_context_alone(key: str) -> None:
    """Feature flags and look-ups are nobody's spelling mistake."""
    assert load({**context(), key: True}).name == "dev"


def test_load_takes_overrides() -> None:
    """`-c` wins over the block; values come as text from the command line."""
    found = load(
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
        )
    )

    assert (found.haproxies_per_node, found.ttl, found.cpu, found.memory) == (2, 30, 512, 1024)
    assert (found.resync, found.pins) == (Mode.OBSERVE, {named(ONE): ("10.9.0.1",)})
    assert (found.approve, found.take_over, found.max_stand_ins) == ("0123456789ab", True, 0)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"approve": "all"}, "approve: string should match pattern"),
        ({"approve": "0123456789AB"}, "approve: string should match pattern"),
        ({"take_over": "perhaps"}, "take_over: input should be a valid boolean"),
        ({"max_stand_ins": "many"}, "-c max_stand_ins: got 'many'; allowed: a whole number"),
        ({"max_stand_ins": "501"}, "max_stand_ins: input should be less than or equal to 500"),
    ],
    ids=str,
)
def test_load_refuses_overrides_of_the_guard_that_say_nothing_clear(
    variables: dict[str, Any], told: str
) -> None:
    """What lets records go must be said exactly."""
    assert told in refusal(context(**variables))


def test_load_keeps_the_guard_unless_told_otherwise() -> None:
    """Nothing is approved, nothing is taken over, ten stand-ins."""
    found = load(context())

    assert (found.approve, found.take_over, found.max_stand_ins) == ("", False, 10)


def test_load_adds_pins_of_the_command_line_to_those_of_the_block() -> None:
    """A pin for an incident does not drop the ones that were there; the same name is replaced."""
    block = environment_block(pins={named(ONE): ["10.9.0.1"], named(TWO): ["10.9.0.2"]})

    found = load(context(block, pin=f"{named(TWO)}=10.9.0.3"))

    assert found.pins == {named(ONE): ("10.9.0.1",), named(TWO): ("10.9.0.3",)}


def test_load_normalises_and_checks_pins_of_the_block() -> None:
    """A pin in cdk.json is held to the same rules as one of `-c pin`."""
    found = load(context(environment_block(pins={f"{ONE.upper()}.{ZONE}.": [" 10.9.0.1"]})))
    text = refusal(
        context(environment_block(pins={"a b": ["10.9.0.1"], "c.d": ["ten"], "e.f": []}))
    )

    assert found.pins == {named(ONE): ("10.9.0.1",)}
    assert "not a host name: got 'a b'" in text
    assert "not an IPv4 address: got 'ten'" in text
    assert "pins.e.f: " in text


@pytest.mark.parametrize(
    "text", ["x", "a.b", "a.b=", "=10.0.0.1", "a.b=ten", "a b=10.0.0.1", "a.b=10.0.0.1,"]
)
def test_pins_refuse_what_is_not_host_and_addresses(text: str) -> None:
    """What cannot be a record is refused at once."""
    with pytest.raises(ValueError, match="got "):
        parse_pins(text)


def test_pins_take_several_names_and_addresses() -> None:
    """`;` between names, `,` between addresses, blanks do not matter."""
    assert parse_pins("A.b.=10.0.0.1,10.0.0.2; c.d=10.0.0.3;") == {
        "a.b": ("10.0.0.1", "10.0.0.2"),
        "c.d": ("10.0.0.3",),
    }


def test_load_takes_nodes_by_hand_for_the_only_cluster() -> None:
    """`-c nodes` replaces the block's list."""
    found = load(context(nodes=f" {named(TWO)} ,"))

    assert found.clusters[0].nodes == (named(TWO),)


def test_load_refuses_nodes_by_hand_when_there_are_several_clusters() -> None:
    """It could not know which."""
    clusters = [{"replication_group_id": "demo"}, {"replication_group_id": "other"}]

    assert "-c nodes: this environment has 2 clusters" in refusal(
        context(environment_block(clusters=clusters), nodes=named(ONE))
    )


def test_load_refuses_haproxies_in_a_client_vpc() -> None:
    """The zone would answer the HAProxies with their own addresses."""
    text = refusal(
        context(environment_block(client_vpcs=[{"vpc_id": "vpc-0000000a", "cidr": "10.40.0.0/16"}]))
    )

    assert "proxy_vpc vpc-0000000a is also a client VPC" in text
    assert "a loop" in text


@pytest.mark.parametrize(("cpu", "sizes"), FARGATE_MEMORY_MIB.items())
def test_load_takes_only_memory_that_fargate_has_for_the_cpu(
    cpu: int, sizes: tuple[int, ...]
) -> None:
    """Every pair that Fargate has is taken, the ones around it are not."""
    for size in sizes:
        assert load(context(cpu=str(cpu), memory=str(size))).memory == size
    for size in (sizes[0] - 1, sizes[-1] + 1):
        told = refusal(context(cpu=str(cpu), memory=str(size)))
        assert f"memory: got {size} MiB with cpu {cpu}; allowed: {sizes[0]}" in told
        assert str(sizes[-1]) in told


@pytest.mark.parametrize(
    ("clusters", "told"),
    [
        ([{"replication_group_id": "demo"}] * 2, "clusters: demo is listed twice"),
        (
            [
                {
                    "replication_group_id": "demo",
                    "nodes": [named(ONE), "demo-0001-002.demo.zzz.use1.cache.amazonaws.com"],
                }
            ],
            "nodes of demo are of different zones",
        ),
        (
            [{"replication_group_id": "demo", "nodes": [named(ONE), named(ONE).upper()]}],
            f"nodes of demo: {ONE}.{ZONE} is listed twice",
        ),
        (
            [{"replication_group_id": "demo", "nodes": ["not a name"]}],
            "not a host name: got 'not a name'",
        ),
        ([{"replication_group_id": "Demo"}], "clusters.0.replication_group_id: "),
        ([{"replication_group_id": "demo", "port": 0}], "clusters.0.port: "),
    ],
    ids=["same cluster", "other zone", "same node", "no name", "upper case", "port"],
)
def test_load_refuses_clusters_that_contradict_themselves(
    clusters: list[dict[str, Any]], told: str
) -> None:
    """Found before a template is made."""
    assert told in refusal(context(environment_block(clusters=clusters)))


def test_load_refuses_a_word_where_resync_has_three() -> None:
    """on, observe or off."""
    assert "resync: input should be 'on', 'observe' or 'off'; got 'maybe'" in refusal(
        context(resync="maybe")
    )


def test_load_takes_a_client_vpc_with_two_ranges() -> None:
    """A VPC can have a secondary range: the same id twice is no mistake."""
    clients = [
        {"vpc_id": "vpc-0000000c", "cidr": cidr} for cidr in ("10.40.0.0/16", "10.41.0.0/16")
    ]

    config = load(context(environment_block(client_vpcs=clients)))

    assert [str(vpc.cidr) for vpc in config.client_vpcs] == ["10.40.0.0/16", "10.41.0.0/16"]


def test_load_gives_what_can_be_written_as_json() -> None:
    """The custom resource's fingerprint is made of it."""
    assert json.dumps(load(context(pin="a.b=10.0.0.1")).model_dump(mode="json"))


@pytest.mark.parametrize("written", ["text", ["a", "list"], 7, None])
def test_load_refuses_a_block_that_is_no_object(written: object) -> None:
    """A block of another kind is one clear line, not a crash."""
    with pytest.raises(ConfigError, match="environment dev: got"):
        load({"environments": {"dev": written}, "env": "dev"})


@pytest.mark.parametrize("clusters", [["text"], {"a": 1}, None, "text"])
def test_load_leaves_malformed_clusters_to_the_model_when_nodes_are_given(clusters: object) -> None:
    """`-c nodes` on a malformed block is told like any other problem of it."""
    block = environment_block() | {"clusters": clusters}
    with pytest.raises(ConfigError, match="clusters"):
        load({"environments": {"dev": block}, "env": "dev", "nodes": "a.b.c"})


def test_load_leaves_malformed_pins_to_the_model_when_a_pin_is_given() -> None:
    """`-c pin` on a malformed block is told like any other problem of it."""
    block = environment_block() | {"pins": ["text"]}
    with pytest.raises(ConfigError, match="pins"):
        load({"environments": {"dev": block}, "env": "dev", "pin": "a.b=10.0.0.1"})


def test_load_refuses_a_name_that_no_stack_can_have() -> None:
    """An environment's name becomes part of stack names."""
    with pytest.raises(ConfigError, match="name: "):
        load({"environments": {"my env!": environment_block()}, "env": "my env!"})
