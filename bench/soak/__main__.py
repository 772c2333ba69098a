"""``python -m bench.soak``: the whole service over a clock that leaps, for as many days as asked for.

Ends with 1, and the seed that brings it again, where a promise was not kept.
"""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from bench.soak.clock import SoakClock
from bench.soak.ledger import SETTLED
from bench.soak.report import Plan, alone
from bench.soak.run import soak, somewhere
from bench.soak.world import DAY


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    asked.add_argument("--days", type=int, default=90)
    asked.add_argument("--channels", type=int, default=100)
    asked.add_argument("--keep", type=int, default=30, help="days, as [storage] keep")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--folder", type=Path, default=None, help="a new one, in which the database and the log stay")
    asked.add_argument("--alone", action="store_true", help="what the bench itself takes of memory, day by day")
    given = asked.parse_args()
    if given.keep <= SETTLED // DAY:
        asked.error(f"keep has to be more than {SETTLED // DAY} days: posts are checked then")
    plan = Plan(days=given.days, channels=given.channels, keep=timedelta(days=given.keep), seed=given.seed)
    say = partial(print, flush=True)
    if given.alone:
        clock = SoakClock(timedelta(minutes=1))
        print(*clock.run(alone(plan, clock)))
        return 0
    if given.folder is not None:
        given.folder.mkdir(parents=True)
        return 0 if soak(plan, given.folder.absolute(), say) else 1
    with somewhere() as folder:
        return 0 if soak(plan, folder, say) else 1


if __name__ == "__main__":
    sys.exit(main())
