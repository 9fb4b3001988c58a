"""Everything that can go wrong, by name; each message says what to do."""


class PackNetError(Exception):
    """Base of all errors that this library raises on purpose."""


class NoTask(PackNetError):
    """The network has no task yet."""


class UnknownTask(PackNetError, LookupError):
    """No task of this name is in the network."""


class BadTask(PackNetError, ValueError):
    """A task's name is taken or empty, or it has too few classes."""


class NoFreeWeights(PackNetError):
    """Every weight is owned: there is nothing to give to a new task."""


class BadFraction(PackNetError, ValueError):
    """A prune fraction outside [0, 1)."""


class InsideView(PackNetError):
    """The network may not change while it is seen as an earlier task."""


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
    """The loss is no longer a finite number."""


class BadRun(PackNetError):
    """An experiment cannot be started or taken up again as asked."""
