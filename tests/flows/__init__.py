"""Every flow, metric and loss class: counts, formulas, false claims, trajectories."""
