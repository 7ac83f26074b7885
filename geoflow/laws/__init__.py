"""Conservation laws: where to look for them, how they are proved, and how they are written."""
