"""Closed forms that lint and tests hold a plan against; free of dependencies."""
