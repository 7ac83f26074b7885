"""`python -m geoflow` is `geoflow`."""

from geoflow.cli import main

if __name__ == "__main__":
    main()
