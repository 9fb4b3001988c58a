"""`python -m packnet_book`: the command line."""

import sys

from packnet_book.cli import main

sys.exit(main())
