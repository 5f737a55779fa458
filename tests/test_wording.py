"""Words that reports put together of others."""

import pytest

from reports.wording import listed, set_apart
from scenarios.text import translator

JAPANESE = translator("ja")


@pytest.mark.parametrize("count", [1, 2, 3, 10, 5_000])
def test_a_list_says_all_in_order_however_many_they_are(count: int) -> None:
    words = [f"w{number}" for number in range(count)]
    assert listed(words) == ", ".join(words)
    assert set_apart(words) == "; ".join(words)
    assert JAPANESE(listed(words)).split("、") == JAPANESE(set_apart(words)).split("；") == words
