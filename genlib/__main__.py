"""``python -m genlib``: see ``genlib.cli``."""

import sys

from genlib.cli import main

if __name__ == "__main__":
    sys.exit(main())
