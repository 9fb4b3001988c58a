"""The sixteen species of birds and the field marks that tell them apart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bird:
    """The field marks of one species, as in a bird guide.

    plumage: the keys of the colours that the species comes in.
    """

    name: str
    plumage: str
    beak: str
    tail: str
    face: str = "plain"
    breast: str = "plain"
    wing: str = "plain"
    crest: bool = False
    legs: float = 0.4  # length
    girth: float = 0.36  # half the height of the body


BIRDS = (
    Bird("crested reedling", "bgo", "cone", "long", crest=True),
    Bird("capped bunting", "bgo", "cone", "short", "cap", "streaks", "bars"),
    Bird(
        "striped bunting", "bgo", "cone", "short", "stripe", "streaks", "bars"
    ),
    Bird("streaked pipit", "bog", "thin", "short", "stripe", "streaks"),
    Bird(
        "marsh wren",
        "bog",
        "curved",
        "cocked",
        "stripe",
        wing="bars",
        legs=0.3,
        girth=0.4,
    ),
    Bird(
        "sickle sandpiper",
        "bgo",
        "sickle",
        "short",
        "plain",
        "streaks",
        legs=0.7,
    ),
    Bird(
        "barred snipe",
        "bgo",
        "long",
        "short",
        "stripe",
        "streaks",
        "bars",
        legs=0.7,
    ),
    Bird("hooked shrike", "gub", "hooked", "long", "mask", wing="patch"),
    Bird(
        "coal tit",
        "gou",
        "thin",
        "short",
        "cap",
        "bib",
        "bars",
        legs=0.3,
        girth=0.42,
    ),
    Bird(
        "tufted tit",
        "gou",
        "thin",
        "short",
        "plain",
        "bib",
        "bars",
        True,
        0.3,
        0.42,
    ),
    Bird(
        "pied flycatcher",
        "gbu",
        "thin",
        "forked",
        "plain",
        "streaks",
        "patch",
        girth=0.3,
    ),
    Bird("capped finch", "ogb", "cone", "short", "cap", "plain", "bars"),
    Bird("bib warbler", "ogb", "thin", "short", "stripe", "bib", girth=0.3),
    Bird(
        "banded bee-eater", "oug", "sickle", "long", "mask", "band", girth=0.3
    ),
    Bird(
        "river kingfisher",
        "uog",
        "long",
        "short",
        "stripe",
        "band",
        crest=True,
        legs=0.2,
    ),
    Bird("hooked drongo", "ugb", "hooked", "forked", "mask", wing="patch"),
)
