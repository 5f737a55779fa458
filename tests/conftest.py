import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = ["pytester", "tests.lab"]

# Machines are shared and noisy: how long one example takes says nothing about the code.
settings.register_profile("kirikae", deadline=None)
settings.load_profile("kirikae")

# In the background Ctrl-C is ignored, and below nohup the end of a terminal, and programs that tests start inherit it.
for number, heard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, heard)


@pytest.fixture(autouse=True)
def collector_left_on() -> Iterator[None]:
    """Let no test leave the garbage collector off for those that follow in its process."""
    yield
    assert gc.isenabled()
