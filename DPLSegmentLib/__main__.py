"""`python -m DPLSegmentLib` is `dpl-segment`."""

import sys

from DPLSegmentLib.cli import main

sys.exit(main())
