"""Measurements: how fast, and how close to theory; ``python -m benchmarks`` runs them all."""
