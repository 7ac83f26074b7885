"""What the program of φ shows of its symmetries without expanding an entry: scalings, and changes of basis."""
