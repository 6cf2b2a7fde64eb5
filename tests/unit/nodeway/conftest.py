"""Fixtures of the library's unit tests."""

from collections.abc import Iterator

import pytest

from tests.support.elasticache_answers import ElastiCacheServer
from tests.support.programs.loopback import loopback


@pytest.fixture
def elasticache(fake_aws: pytest.MonkeyPatch) -> Iterator[ElastiCacheServer]:
    """ElastiCache on loopback."""
    server = ElastiCacheServer()
    with loopback(server) as here:
        fake_aws.setenv("AWS_ENDPOINT_URL_ELASTICACHE", here.url)
        yield server
