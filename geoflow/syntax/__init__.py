"""Text to tree: reading a file, splitting it into statements, parsing and printing each."""
