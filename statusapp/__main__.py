"""`python -m statusapp` runs everything in the foreground."""

import sys

from statusapp.supervisor.main import main

sys.exit(main())
