"""What the documentation's build adds to its pages: pictures, verdicts, the error index, the gallery."""
