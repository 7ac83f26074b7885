"""Reports as text, JSON and pages: the only code that knows of colours and columns."""
