# meant to try whether text is run: it is not
__import__("os")
