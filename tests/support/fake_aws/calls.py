"""What every fake of an AWS client shares: each call is counted, checked against the API's shapes, and may fail.

A fake offers the few methods of a boto3 client that an adapter calls, so that the adapter itself is what runs.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import botocore.session
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.model import OperationModel
from botocore.validate import ParamValidator

T = TypeVar("T")
Shape = dict[str, Any]

ANSWERS_PER_CHECK = 10
"""Parameters are always checked: they are the program's. Answers are the fakes' own, and one in so many is enough."""

READS = ("Describe", "List", "Get")


class Crash(Exception):
    """The process ended here."""


class Fault(StrEnum):
    """What may become of one call."""

    CRASH = "crash before the call"
    CRASH_AFTER = "crash after the call"
    THROTTLED = "throttled"
    LOST = "took effect, and the answer was lost"


@dataclass(slots=True)
class Clock:
    """The time of a world: it moves only when told to."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def advance(self, seconds: float) -> None:
        """Lets time go by."""
        self.now += timedelta(seconds=seconds)

    def timestamp(self) -> float:
        """Seconds since the epoch."""
        return self.now.timestamp()


@dataclass(slots=True)
class Calls:
    """The line between a run and AWS: what goes over it, and what happens at a chosen call."""

    made: list[tuple[str, str, Shape]] = field(default_factory=list)
    """Service, operation and parameters of each call that reached AWS."""
    failed: list[tuple[str, str, Shape]] = field(default_factory=list)
    armed: dict[int, Fault | Callable[[], None]] = field(default_factory=dict)
    """What happens at the n-th call from now; a function is somebody else's turn just before it."""
    fired: list[Fault] = field(default_factory=list)
    began: float = 0
    """When the run began that makes these calls."""

    def __call__(
        self, service: str, operation: str, asked: Shape, answer: Callable[[], Shape]
    ) -> Shape:
        """One call; raises what botocore or the process' end would."""
        check_shape(service, operation, asked, "input")
        due = self._due()
        if due is Fault.CRASH:
            raise Crash(operation)
        try:
            if due is Fault.THROTTLED:
                raise client_error(operation, "Throttling", "Rate exceeded")
            told = deepcopy(answer())
        except ClientError:
            self.failed.append((service, operation, asked))
            raise
        self.made.append((service, operation, asked))
        if due is Fault.CRASH_AFTER:
            raise Crash(operation)
        if due is Fault.LOST:
            self.failed.append((service, operation, asked))
            raise ReadTimeoutError(endpoint_url=f"https://{service}")
        if len(self.made) % ANSWERS_PER_CHECK == 0:
            check_shape(service, operation, told, "output")
        return told

    def _due(self) -> Fault | None:
        """What becomes of this call; somebody else's turn is over before it."""
        due = self.armed.pop(1, None)
        self.armed = {at - 1: what for at, what in self.armed.items()}
        if isinstance(due, Fault):
            self.fired.append(due)
            return due
        if due is not None:
            due()
        return None

    @property
    def writes(self) -> list[str]:
        """The operations that changed something."""
        return [operation for _, operation, _ in self.made if not operation.startswith(READS)]


@dataclass(frozen=True, slots=True)
class Pager:
    """A paginator: asks page after page, each a call of its own."""

    page: Callable[[Shape, str], tuple[Shape, str]]
    """From the parameters and a token to the answer and the next token, empty at the end."""

    def paginate(self, **asked: Any) -> Iterator[Shape]:  # noqa: ANN401 (any parameter)
        """The pages."""
        asked.pop("PaginationConfig", None)
        token = ""
        while True:
            answer, token = self.page(asked, token)
            yield answer
            if not token:
                return


def client_error(operation: str, code: str, message: str) -> ClientError:
    """The error of a call that AWS refused."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@cache
def model(service: str, operation: str) -> OperationModel:
    """The API's own description of an operation."""
    return botocore.session.get_session().get_service_model(service).operation_model(operation)


def check_shape(service: str, operation: str, told: Shape, side: str) -> None:
    """Raises AssertionError where parameters or an answer are not of the API's own shape."""
    described = model(service, operation)
    shape = described.input_shape if side == "input" else described.output_shape
    if shape is None:
        return
    unknown = told.keys() - shape.members.keys()
    report = ParamValidator().validate(told, shape)
    assert not unknown, f"{operation} {side}: unknown {sorted(unknown)}"
    assert not report.has_errors(), f"{operation} {side}: {report.generate_report()}"
