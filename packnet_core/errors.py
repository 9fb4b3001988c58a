"""Everything that can go wrong, by name; each message says what to do."""


class PackNetError(Exception):
    """Base of all errors that this library raises on purpose."""


class NoTask(PackNetError):
    """The network has no task yet."""


class UnknownTask(PackNetError, LookupError):
    """No task of this name is in the network."""


class BadTask(PackNetError, ValueError):
    """A task, its head or a note on it cannot be taken as it is."""


class NoFreeWeights(PackNetError):
    """Every weight is owned: there is nothing to give to a new task."""


class BadFraction(PackNetError, ValueError):
    """A prune fraction outside [0, 1)."""


class InsideView(PackNetError):
    """A view allows no change, no training, no second entry, no tracing."""


class BadState(PackNetError, RuntimeError):
    """A state belongs to another network, or to other tasks."""


class Changed(PackNetError):
    """Bits that finished tasks rely on were changed past the guard."""


class BadTrunk(PackNetError, ValueError):
    """The trunk is unknown, holds nothing to prune, or does not fit."""


class DamagedFile(PackNetError):
    """A file is damaged, hostile, or not a packed network."""


class BadPictures(PackNetError):
    """A folder of pictures cannot be used as it is."""


class Diverged(PackNetError):
    """The loss, or a weight, is no longer a finite number."""


class BadRun(PackNetError):
    """Training, testing or an experiment cannot go on as asked."""
