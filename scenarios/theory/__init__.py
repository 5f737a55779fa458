"""Closed forms that plan checks, tests and `kirikae erlang` calculate with; free of dependencies, but for `vectors`."""
