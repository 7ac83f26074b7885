"""Text to tree: reading a file, splitting it into statements, parsing each, printing a tree back."""
