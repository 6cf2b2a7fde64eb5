"""Clients whose answers a test sets, and checks against the API's own shapes."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

Stubbed = Callable[[str], tuple[Any, Stubber]]

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def stubbed(fake_aws: pytest.MonkeyPatch) -> Iterator[Stubbed]:
    """Makes a client that answers only what is queued; all of it must be asked for."""
    _ = fake_aws
    stubbers: list[Stubber] = []

    def make(service: str) -> tuple[Any, Stubber]:
        client: Any = boto3.session.Session().client(service, region_name="us-east-1", config=ONCE)  # type: ignore[call-overload]
        stubber = Stubber(client)
        stubber.activate()
        stubbers.append(stubber)
        return client, stubber

    yield make
    for stubber in stubbers:
        stubber.assert_no_pending_responses()


@pytest.fixture
def unplugged(fake_aws: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes a client of a service that nobody answers for: a port on which nothing listens."""
    _ = fake_aws

    def make(service: str) -> Any:  # noqa: ANN401 (boto3's client)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        return boto3.session.Session().client(service, region_name="us-east-1", config=ONCE, endpoint_url=url)  # type: ignore[call-overload]

    return make
