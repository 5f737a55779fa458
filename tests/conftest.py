import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = ["pytester", "tests.lab"]

# Machines are shared and noisy: how long one example takes says nothing about the code.
settings.register_profile("kirikae", deadline=None)
settings.load_profile("kirikae")


@pytest.fixture(autouse=True)
def collector_left_on() -> Iterator[None]:
    """Let no test leave the garbage collector off for those that follow in its process."""
    yield
    assert gc.isenabled()
