"""Training loops: laws watched along a run, asserted in tests, and measured at finite steps."""
