"""The parts of the comparison, each with the settings it is run with."""

from benchmarks.peers import accepts, cost, exact, learns, rule

PARTS = {
    "exact": (exact, exact.Settings()),
    "rule": (rule, rule.Settings()),
    "cost": (cost, cost.SETTINGS),
    "accepts": (accepts, accepts.Settings()),
    "learns": (learns, learns.Settings()),
}
