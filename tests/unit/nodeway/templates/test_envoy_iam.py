"""Envoy's IAM login to a node, on loopback with TLS. The node is a fake, as no Valkey can verify such a token."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import redis

from lab.host import programs
from lab.wait import wait_until
from nodeway.envoy.render import EnvoySpec, Iam, render
from tests.support.programs.envoys import ENVOY
from tests.support.programs.haproxies import free_ports
from tests.support.programs.resp_node import authority, node

LISTENER = "127.0.0.3"
OK = dict.fromkeys(("auth", "AUTH", "get", "GET"), b"+OK\r\n")


def test_envoy_logs_in_with_a_token_of_its_role(tmp_path: Path) -> None:
    """AUTH has the user and a signed request for the group, which is valid for 15 minutes."""
    signer = authority(tmp_path)
    variables = {
        "DOWNSTREAM_PASSWORD_1": "of-the-clients",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
    }

    with node(signer.signed("localhost"), lambda it: it.answering(OK)) as started:
        spec = EnvoySpec(
            "localhost",
            started.port,
            256,
            ("DOWNSTREAM_PASSWORD_1",),
            upstream_username="iam-user-01",
            iam=Iam("demo", "us-east-1"),
            ca_file=str(signer.file),
        )
        (admin,) = free_ports(1)
        text = render(spec).replace("0.0.0.0", LISTENER).replace("9901", str(admin))
        client = redis.Redis(LISTENER, started.port, password="of-the-clients", protocol=2)

        def is_answered() -> bool:
            try:
                client.get("k")
            except redis.RedisError:
                return False
            return True

        argv = [ENVOY, "--config-yaml", text, "--disable-hot-restart", "--concurrency", "1"]
        with (
            (tmp_path / "envoy.log").open("wb") as log,
            programs.running(argv, grace_seconds=0, env=variables, stdout=log, stderr=log),
        ):
            wait_until(is_answered, timeout_seconds=30, what="an answer through Envoy")

    (login, *rest) = started.got
    command, user, token = login
    query = {key: values[0] for key, values in parse_qs(urlsplit(f"//{token}").query).items()}
    assert (command.lower(), user) == ("auth", "iam-user-01")
    assert urlsplit(f"//{token}").hostname == "demo"
    assert (query["Action"], query["User"]) == ("connect", "iam-user-01")
    assert query["X-Amz-Expires"] == "900"
    assert query["X-Amz-Credential"].split("/")[2:] == ["us-east-1", "elasticache", "aws4_request"]
    assert "not-a-real-key" not in token
    assert ["get", "k"] in [[word.lower() for word in words] for words in rest]
