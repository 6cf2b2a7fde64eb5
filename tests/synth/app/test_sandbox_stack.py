"""The sandbox: its templates as they would be deployed."""

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from lab.layout import ROOT
from nodeway.constructs.sandbox.client_host import PROGRAMS, REQUIREMENTS
from tests.support.synth.checks import findings, without_hashes
from tests.support.synth.policy import concrete, several
from tests.support.synth.shapes import waits_for
from tests.synth.conftest import CONTEXT, Synthesis, synth

ZONE = "trial.a1b2c3.use1.cache.amazonaws.com"
NODES = [f"trial-{shard:04}-{member:03}.{ZONE}" for shard in (1, 2) for member in (1, 2)]
CLIENT, PROXIES, CACHE = "10.71.0.0/24", "10.71.1.0/24", "10.71.2.0/24"
BLOCK = CONTEXT["environments"]["sandbox"]

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The sandbox of cdk.json."""
    return synth(tmp_path_factory.mktemp("cdk.out"), env="sandbox")


def deployed(trial: Synthesis, value: Any) -> Any:  # noqa: ANN401 (any part of a template)
    """A part of a template as the deploy makes it."""
    (group,) = trial.resources("sandbox", "AWS::ElastiCache::ReplicationGroup")
    known = {f"{group}.ConfigurationEndPoint.Address": f"clustercfg.{ZONE}"}
    return concrete(value, trial, known)


def every(trial: Synthesis, kind: str) -> list[Resource]:
    """The properties of all resources of a type, as they are deployed."""
    stacks = (trial.resources(stack, kind).values() for stack in trial.templates)
    return [deployed(trial, one["Properties"]) for one in chain.from_iterable(stacks)]


def test_stacks_are_the_product_s_own_and_one_more(trial: Synthesis) -> None:
    assert set(trial.templates) == {
        *("dns", "haproxy", "monitoring", "network", "nodes-0001", "peering", "resync", "sandbox")
    }


def test_template_is_as_reviewed(trial: Synthesis, snapshot: SnapshotAssertion) -> None:
    """A tripwire, as for the other stacks. The host's id is without its hash."""
    text = json.dumps(without_hashes(trial.templates["sandbox"]))
    text = re.sub(r"(HostInstance[0-9A-F]{8})[0-9a-f]{16}", r"\1", text)

    assert json.loads(text) == snapshot(name="sandbox", extension_class=JSONSnapshotExtension)


def test_no_route_leads_from_the_client_to_the_cache_or_back(trial: Synthesis) -> None:
    """Each route table of a VPC, and where its routes lead."""
    (client,), (cache,) = (
        [
            key
            for key, one in trial.resources("sandbox", "AWS::EC2::VPC").items()
            if one["Properties"]["CidrBlock"] == cidr
        ]
        for cidr in (CLIENT, CACHE)
    )
    tables = {
        f"<{key}>": one["Properties"]["VpcId"]["Ref"]
        for stack in ("sandbox", "network")
        for key, one in trial.resources(stack, "AWS::EC2::RouteTable").items()
    }
    led: dict[str, set[str]] = {}
    for route in every(trial, "AWS::EC2::Route"):
        led.setdefault(tables[route["RouteTableId"]], set()).add(route["DestinationCidrBlock"])

    assert led.pop(client) == {"0.0.0.0/0", PROXIES}
    assert led.pop(cache) == {PROXIES}
    assert list(led.values()) == [{"0.0.0.0/0", CLIENT, CACHE}]


def test_each_private_subnet_has_its_route_to_the_proxies(trial: Synthesis) -> None:
    """Two zones on each side: a route in one table only would work in one zone only."""
    routes = every(trial, "AWS::EC2::Route")
    towards = [one["DestinationCidrBlock"] for one in routes if "VpcPeeringConnectionId" in one]

    assert sorted(towards) == sorted([CLIENT] * 2 + [PROXIES] * 4 + [CACHE] * 2)


def test_peering_is_client_with_proxies_and_proxies_with_cache(trial: Synthesis) -> None:
    pairs = every(trial, "AWS::EC2::VPCPeeringConnection")

    assert len(pairs) == 2
    assert len({one["VpcId"] for one in pairs}) == 1, "the proxies' VPC is in both"
    assert len({one["PeerVpcId"] for one in pairs}) == 2


def test_only_the_proxies_may_connect_to_the_nodes(trial: Synthesis) -> None:
    cache = trial.only("sandbox", "AWS::ElastiCache::ReplicationGroup")
    (group,) = deployed(trial, cache["SecurityGroupIds"])
    rules = every(trial, "AWS::EC2::SecurityGroupIngress")
    own = [
        one
        for key, one in trial.resources("sandbox", "AWS::EC2::SecurityGroup").items()
        if f"<{key}.GroupId>" == group
    ]
    (fleet,) = trial.resources("haproxy", "AWS::EC2::SecurityGroup")

    assert "SecurityGroupIngress" not in own[0]["Properties"]
    assert [one["SourceSecurityGroupId"] for one in rules if one["GroupId"] == group] == [
        f"<{fleet}.GroupId>"
    ]
    assert (rules[0]["FromPort"], rules[0]["ToPort"]) == (6380, 6380)


def test_only_the_client_s_range_may_connect_to_the_proxies(trial: Synthesis) -> None:
    group = trial.only("haproxy", "AWS::EC2::SecurityGroup")

    assert [one["CidrIp"] for one in group["SecurityGroupIngress"]] == [CLIENT]


def test_nothing_but_nat_gateways_has_a_public_address(trial: Synthesis) -> None:
    assert len(every(trial, "AWS::EC2::EIP")) == len(every(trial, "AWS::EC2::NatGateway")) == 2
    assert not any(one.get("MapPublicIpOnLaunch") for one in every(trial, "AWS::EC2::Subnet"))
    for service in every(trial, "AWS::ECS::Service"):
        vpc = service["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert vpc["AssignPublicIp"] == "DISABLED"


def test_cluster_is_encrypted(trial: Synthesis) -> None:
    """TLS only, and encrypted at rest."""
    cache = trial.only("sandbox", "AWS::ElastiCache::ReplicationGroup")

    assert cache["TransitEncryptionEnabled"] is cache["AtRestEncryptionEnabled"] is True
    assert cache["TransitEncryptionMode"] == "required"


def test_auth_token_is_a_reference_and_nothing_else(trial: Synthesis) -> None:
    """Only the cluster's own property resolves it: a reference in user data would be the secret itself."""
    (secret,) = trial.resources("sandbox", "AWS::SecretsManager::Secret")
    cache = trial.only("sandbox", "AWS::ElastiCache::ReplicationGroup")
    resolved = [json.dumps(one).count("{{resolve:") for one in trial.templates.values()]

    assert deployed(trial, cache["AuthToken"]) == (
        f"{{{{resolve:secretsmanager:<{secret}>:SecretString:::}}}}"
    )
    assert sum(resolved) == 1


def test_client_host_lets_nobody_in(trial: Synthesis) -> None:
    host = trial.only("sandbox", "AWS::EC2::Instance")
    (group,) = deployed(trial, host["SecurityGroupIds"])
    (rules,) = [
        one["Properties"]
        for key, one in trial.resources("sandbox", "AWS::EC2::SecurityGroup").items()
        if f"<{key}.GroupId>" == group
    ]

    assert "SecurityGroupIngress" not in rules
    assert {one["FromPort"] for one in rules["SecurityGroupEgress"]} == {443, 6380}
    assert group not in {one["GroupId"] for one in every(trial, "AWS::EC2::SecurityGroupIngress")}
    assert "KeyName" not in host
    assert "NetworkInterfaces" not in host


def test_client_host_is_imdsv2_only_and_encrypted(trial: Synthesis) -> None:
    host = trial.only("sandbox", "AWS::EC2::Instance")

    assert host["MetadataOptions"] == {"HttpPutResponseHopLimit": 1, "HttpTokens": "required"}
    assert [one["Ebs"]["Encrypted"] for one in host["BlockDeviceMappings"]] == [True]


def test_client_host_may_read_one_secret_and_one_file(trial: Synthesis) -> None:
    """Nothing of the host's may be changed by it, and no other secret read."""
    (secret,) = trial.resources("sandbox", "AWS::SecretsManager::Secret")
    (policy,) = [
        one for one in every(trial, "AWS::IAM::Policy") if one["PolicyName"].startswith("HostRole")
    ]
    may = {
        action: one["Resource"]
        for one in policy["PolicyDocument"]["Statement"]
        for action in several(one["Action"])
        if not action.startswith(("ssm:", "ssmmessages:", "ec2messages:"))
    }

    assert may.pop("secretsmanager:GetSecretValue") == f"<{secret}>"
    assert may.pop("secretsmanager:DescribeSecret") == f"<{secret}>"
    assert re.fullmatch(
        r"arn:aws:s3:::cdk-[a-z0-9-]+/[0-9a-f]{64}\.zip", str(may.pop("s3:GetObject"))
    )
    assert may == {}
    assert not any("ManagedPolicyArns" in one for one in every(trial, "AWS::IAM::Role"))


def test_client_host_installs_what_the_lab_runs(trial: Synthesis) -> None:
    """redis-py with the hashes of the lock, and the lab's own files byte by byte."""
    script = deployed(trial, trial.only("sandbox", "AWS::EC2::Instance")["UserData"])["Fn::Base64"]
    shipped = [
        directory
        for directory in Path(trial.assembly.directory).glob("asset.*")
        if (directory / "check.py").exists()
    ]

    assert REQUIREMENTS.read_text() in script
    assert "--require-hashes" in script
    assert len(shipped) == 1
    files = {one.name: one.read_bytes() for one in shipped[0].iterdir()}
    assert files == {one.name: one.read_bytes() for one in PROGRAMS.glob("*.py")}


def test_programs_are_installed_with_what_the_lock_has() -> None:
    lock = (ROOT / "tools" / "requirements.txt").read_text()

    assert REQUIREMENTS.read_text().startswith("redis==")
    assert f"\n{REQUIREMENTS.read_text()}" in lock


def test_node_names_come_from_the_cluster_s_own_attribute(trial: Synthesis) -> None:
    """The same name in each node's tag and its service's tag."""
    for kind in ("AWS::ECS::TaskDefinition", "AWS::ECS::Service"):
        tags = [
            one["Value"]
            for resource in trial.resources("nodes-0001", kind).values()
            for one in deployed(trial, resource["Properties"]["Tags"])
            if one["Key"] == "nodeway:node"
        ]
        assert sorted(tags) == NODES


def test_zone_and_resync_are_of_the_same_names(trial: Synthesis) -> None:
    zone = deployed(trial, trial.only("dns", "AWS::Route53::HostedZone"))
    function = deployed(trial, trial.only("resync", "AWS::Lambda::Function"))
    told = deployed(trial, trial.templates["sandbox"]["Outputs"])

    assert zone["Name"] == f"{ZONE}."
    assert function["Environment"]["Variables"]["ZONE_NAME"] == ZONE
    assert told["NodeNames"]["Value"].split(",") == NODES
    assert told["Endpoint"]["Value"] == f"clustercfg.{ZONE}"


def test_zone_is_the_client_s_only(trial: Synthesis) -> None:
    """A resolver of the proxies' VPC that saw it would send each HAProxy to itself."""
    (client,) = [
        key
        for key, one in trial.resources("sandbox", "AWS::EC2::VPC").items()
        if one["Properties"]["CidrBlock"] == CLIENT
    ]
    (seen,) = deployed(trial, trial.only("dns", "AWS::Route53::HostedZone"))["VPCs"]

    assert seen["VPCId"] == f"<{client}>"


def test_records_are_made_when_the_services_run(trial: Synthesis) -> None:
    """By stack: the run that ends the deploy is in `resync`, after `dns`, after the nodes, after the cluster."""
    assert trial.resources("resync", "Custom::NodewayRecords")
    assert "dns" in waits_for(trial, "-resync")
    assert "nodes-0001" in waits_for(trial, "-dns")
    assert {"peering", "network", "sandbox"} <= waits_for(trial, "-haproxy")
    assert {"network", "sandbox"} <= waits_for(trial, "-peering")
    assert waits_for(trial, "-sandbox-sandbox").isdisjoint(trial.templates)


def test_no_stand_in_value_is_left(trial: Synthesis) -> None:
    """Values that stood for what the deploy makes."""
    text = json.dumps(trial.templates)

    assert not re.search(r"made\.by\.the\.deploy|(vpc|rtb|sg)-0{8}|Token\[", text)


def test_teardown_leaves_nothing(trial: Synthesis) -> None:
    """No resource stays, no snapshot is taken, and no function can make its log group again."""
    resources = [one for t in trial.templates.values() for one in t["Resources"].values()]
    kept = [one for one in resources if one.get("DeletionPolicy", "Delete") != "Delete"]
    cache = trial.only("sandbox", "AWS::ElastiCache::ReplicationGroup")

    assert kept == []
    assert cache["SnapshotRetentionLimit"] == 0
    assert "FinalSnapshotIdentifier" not in cache
    assert "logs:CreateLogGroup" not in json.dumps(trial.templates)
    assert "AWSLambdaBasicExecutionRole" not in json.dumps(trial.templates)
    for one in every(trial, "AWS::Logs::LogGroup"):
        assert one["RetentionInDays"] == 30


def test_cfn_lint_finds_nothing(trial: Synthesis) -> None:
    assert [line for one in trial.templates.values() for line in findings(one)] == []


def test_another_shape_is_followed(tmp_path: Path) -> None:
    """Shards, replicas, range, zones and the usual keys."""
    block = {
        **BLOCK,
        "region": "eu-west-1",
        "sandbox": {
            "replication_group_id": "try",
            "shards": 3,
            "replicas": 2,
            "cidr": "10.90.0.0/20",
            "availability_zones": ["eu-west-1b", "eu-west-1c"],
        },
    }
    made = synth(tmp_path, environments={"mine": block}, env="mine", haproxies_per_node="2")
    services = made.resources("nodes-0001", "AWS::ECS::Service").values()
    zones = {
        one["Properties"]["AvailabilityZone"]
        for one in made.resources("sandbox", "AWS::EC2::Subnet").values()
    }

    assert len(services) == 9
    assert {one["Properties"]["DesiredCount"] for one in services} == {2}
    assert zones == {"eu-west-1b", "eu-west-1c"}
    assert made.only("network", "AWS::EC2::VPC")["CidrBlock"] == "10.90.4.0/22"
