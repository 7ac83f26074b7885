"""Throughput of sweeps, and wall times of the engine on the papers' nets, beside those of their own code."""
