"""``python -m genlib``: see ``genlib.cli.main``."""

import sys

from genlib.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
