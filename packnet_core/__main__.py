"""`python -m packnet_core`: the command line."""

import sys

from packnet_core.command_line import main

sys.exit(main())
