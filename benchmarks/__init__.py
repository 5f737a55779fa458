"""Measurements: how fast, how large, beside what others do on the same load; ``python -m benchmarks`` runs them all."""
