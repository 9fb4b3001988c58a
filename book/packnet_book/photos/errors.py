"""What can go wrong on the way from a published set to pictures."""

from packnet_core.errors import PackNetError


class BadDownload(PackNetError):
    """A file cannot be downloaded, or is not the one that was published."""


class BadArchive(PackNetError):
    """An archive is damaged or hostile."""


class NoRoom(PackNetError):
    """The disk has too little free space for what is to come."""


class ByHand(PackNetError):
    """Files that a person must fetch are not there.

    steps: what to fetch, from where, and where to put it, line by line.
    """

    def __init__(self, message: str, steps: str):
        super().__init__(message)
        self.steps = steps
