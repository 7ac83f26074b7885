"""Wall times of the engine on the nets of the papers, beside those of the papers' own code."""
