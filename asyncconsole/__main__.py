"""``python -m asyncconsole``."""

import sys

from asyncconsole.client.main import main

if __name__ == "__main__":
    sys.exit(main())
