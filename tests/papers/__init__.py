"""Known answers: the papers' cases, and the nets that the papers' own code was timed on."""
