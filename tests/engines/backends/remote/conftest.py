"""A server in this process, and an engine that asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.backends import create_engine
from engines.backends.remote.engine import RemoteEngine
from engines.networks.toon import ToonNetwork
from tests.engines.backends.remote.server import Service, serving

MODEL = "tiny"


@pytest.fixture
def service(tiny: ToonNetwork) -> Service:
    return Service(tiny, MODEL)


@pytest.fixture
def server(service: Service) -> Iterator[str]:
    with serving(service) as server:
        yield server


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def remote(tiny: ToonNetwork, server: str, said: list[str]) -> Iterator[RemoteEngine]:
    engine = connect(tiny, f"{server}/{MODEL}", said)
    yield engine
    engine.close()


def connect(network: ToonNetwork, place: str, said: list[str], max_batch: int = 4) -> RemoteEngine:
    engine = create_engine(network, f"remote:{place}", max_batch=max_batch, say=said.append)
    assert isinstance(engine, RemoteEngine)
    return engine
