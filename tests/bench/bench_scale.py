"""How long a run of the bench is."""

import dataclasses


@dataclasses.dataclass
class Scale:
    runs: int = 5             # that count, of each of the two sides
    seconds: float = 2        # of one of them
    rooms: int = 20000
    messages: int = 10000000  # stored in the largest database
    samples: int = 40         # posts through Pushpin, in one run
    requests: int = 600000    # the later look at a child's memory
    crowd: float = 1          # of the readers of a row about streams
    alone: int = 10           # messages after each other to a crowd, in one run
    burst: int = 250          # messages to a crowd at once


FULL = Scale()
QUICK = Scale(runs=3, seconds=1, rooms=2000, messages=100000, samples=10, requests=300000,
              alone=5, burst=100)
# Says only whether the bench works.
SMOKE = Scale(runs=1, seconds=1, rooms=50, messages=1000, samples=2, requests=11000,
              crowd=0.01, alone=2, burst=20)
