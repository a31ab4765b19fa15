"""What a row of the table found."""

import dataclasses

from bench.bench_load import median


@dataclasses.dataclass
class Result:
    name: str
    what: str
    yardstick: str
    ratios: list           # one a pair of runs
    target: float
    at_least: bool         # else at most
    beside: str = ""       # figures that are no ratio
    beside_holds: bool = True

    @property
    def ratio(self):
        return median(self.ratios)

    @property
    def holds(self):
        met = self.ratio >= self.target if self.at_least else self.ratio <= self.target
        return met and self.beside_holds

    @property
    def target_text(self):
        return f"{'≥' if self.at_least else '≤'} {self.target:g} ×"

    @property
    def ratio_text(self):
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"
        return f"{self.ratio:.2f} × ({spread})"
