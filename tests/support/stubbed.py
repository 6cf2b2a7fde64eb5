"""A session of boto3 in a test, whose clients return prepared answers."""

from typing import Any, Self

import boto3
from botocore.stub import Stubber


class StubbedSession:
    """Its clients return the answers of a test in order, each checked against botocore's model."""

    def __init__(self, *services: str) -> None:
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        self.clients: dict[str, Any] = {name: session.client(name) for name in services}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, service: str, **_: object) -> Any:  # noqa: ANN401 (any client)
        """The client of a service."""
        return self.clients[service]

    def answers(
        self,
        service: str,
        call: str,
        answer: dict[str, Any],
        **expected: Any,  # noqa: ANN401 (any parameter)
    ) -> Self:
        """Adds an answer, for a call with these parameters."""
        self.stubs[service].add_response(call, answer, expected or None)
        return self

    def refuses(self, service: str, call: str, code: str, text: str = "not allowed") -> Self:
        """Adds an error."""
        self.stubs[service].add_client_error(call, code, text)
        return self

    def all_asked(self) -> None:
        """Checks that every answer was used."""
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
