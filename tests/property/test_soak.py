"""The program against strict fakes, in any order of what can happen; `make soak` runs the same for longer."""

from hypothesis import HealthCheck, settings

from tests.property.machine.machine import Machine

TestResync = Machine.TestCase
TestResync.settings = settings(
    max_examples=100, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)
