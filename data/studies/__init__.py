"""The recorded studies: what each runs for one seed, and its table.

A study takes a seed and a directory for its runs, and returns tidy rows.
Runs with the same first task share the network that has learnt it.
"""

from dataclasses import asdict
from functools import partial

from packnet_book.runs.presets import (
    FULL_LENGTH,
    MINIATURE,
    PHOTOS,
    SPLIT_TINY_IMAGENET,
)
from studies.ablations import (
    CHANGED,
    FRACTIONS,
    NORMED,
    capacity,
    many_tasks,
    norms,
    orders,
    pruning,
    steps,
)
from studies.benchmark import split_tiny_imagenet
from studies.common import Study, only, study
from studies.controls import EQUAL, equal, longer
from studies.error_table import (
    HIGHER,
    MOMENTS,
    ROUNDS,
    ewc,
    higher,
    joint,
    lwf,
    main_table,
    matrices,
    switch,
    times,
)
from studies.full_size import FULL, SCALE, full_scale, sizes
from studies.in_chapters import FACTORS, KEPT, chapters, merged, unnamed
from studies.length import (
    FIRST_LENGTHS,
    LENGTHS,
    START,
    first_lengths,
    lengths,
)
from studies.photographs import (
    MAIN,
    PRECISION,
    RANK,
    VGG_PHOTOS,
    VGG_START,
    VGG_WARMED,
    photos,
    photos_adapter,
    photos_inherited,
    photos_joint,
    photos_longer,
    photos_tuning,
    photos_vgg,
    photos_vgg_tuning,
    photos_vgg_warmed,
)
from studies.playground import DRAWS, SETTINGS, playground
from studies.rates import AXES, BEGINNING, CLOSER, as_searched, tuning

# Seeds below 100 belong to the chapters; what is chosen is chosen with
# seeds that no record uses.
CHOOSING, LENGTH = (600,), (500, 501)
TEN = tuple(range(1000, 1010))  # draws of the tables
SIX = tuple(range(1000, 1006))  # of the chapters
# Draws whose networks the controls and What if? share: recorded in turn.
SHARED = TEN[4:]
TWELVE = tuple(range(1000, 1012))
# Twenty gave the mean price to within 1.3 points; so many give it to 1.
ORDERS = tuple(range(1000, 1036))
FOR_EQUAL = (*SHARED, *range(1020, 1026))  # each of the six orders twice
SMALL = asdict(FULL_LENGTH)
PACKING = ("retrain_first", "add", "retrain")
BOTH = (*PACKING, "alone")
TUNED = {
    "individual": ("alone",),
    "packnet": PACKING,
    "classifier-only": ("classifier",),
    "lwf": ("lwf", "lwf_strength"),
    "ewc": ("ewc", "ewc_strength"),
    "joint": ("joint",),
}
STUDIES: tuple[Study, ...] = (
    study(first_lengths, LENGTH, only(START, "retrain_first"), FIRST_LENGTHS),
    study(lengths, LENGTH, only(FULL_LENGTH, *BOTH), LENGTHS),
    *(
        study(
            partial(tuning, method),
            CHOOSING,
            only(as_searched(BEGINNING, method), *fields),
            CLOSER[method],
            name=f"tuning_{method}",
        )
        for method, fields in TUNED.items()
    ),
    study(orders, ORDERS, only(FULL_LENGTH, *BOTH)),
    study(
        main_table,
        TEN,
        only(FULL_LENGTH, *BOTH, "classifier"),
        name="miniature",
    ),
    study(chapters, SIX, only(MINIATURE, *BOTH)),
    study(unnamed, SIX, only(MINIATURE, *BOTH)),
    study(merged, SIX, only(MINIATURE, *BOTH), FACTORS, KEPT),
    study(lwf, TEN, only(FULL_LENGTH, *TUNED["lwf"])),
    study(ewc, TEN, only(FULL_LENGTH, *TUNED["ewc"])),
    study(joint, TEN, only(FULL_LENGTH, "joint")),
    study(
        times,
        TEN[:1],
        only(FULL_LENGTH, *BOTH, "classifier", "lwf", "ewc", "joint"),
        ROUNDS,
    ),
    study(longer, SHARED, only(FULL_LENGTH, *BOTH)),
    study(equal, FOR_EQUAL, only(FULL_LENGTH, *PACKING), EQUAL),
    study(higher, SHARED, only(HIGHER, *PACKING)),
    study(steps, SHARED, only(FULL_LENGTH, *PACKING), CHANGED),
    study(norms, SIX[:4], only(NORMED, *PACKING)),
    study(pruning, SHARED[:3], only(FULL_LENGTH, "retrain_first"), FRACTIONS),
    study(
        matrices,
        SHARED[:5],
        only(FULL_LENGTH, *BOTH, "classifier", *TUNED["lwf"]),
    ),
    study(
        switch, SHARED[:3], only(FULL_LENGTH, *BOTH, *TUNED["lwf"]), MOMENTS
    ),
    study(capacity, SHARED[:3], only(many_tasks(), *BOTH)),
    study(sizes, SHARED[:1], SMALL),
    study(full_scale, (0,), asdict(FULL), asdict(SCALE)),
    study(playground, (0,), SETTINGS, DRAWS),
    *(
        study(
            partial(table, method),
            CHOOSING,
            asdict(as_searched(preset, method)),
            PRECISION,
            AXES[method],
            name=f"{table.__name__}_{method}",
            photographs=True,
        )
        for table, preset, methods in (
            (photos_tuning, PHOTOS, (*MAIN, "joint")),
            (photos_vgg_tuning, VGG_START, MAIN),
        )
        for method in methods
    ),
    *(
        study(
            table,
            seeds,
            asdict(preset),
            PRECISION,
            settings,
            photographs=True,
        )
        for table, seeds, preset, settings in (
            (photos_vgg, TWELVE[:9], VGG_PHOTOS, MAIN),
            (photos_vgg_warmed, TWELVE[:9], VGG_WARMED, MAIN),
            (photos, TWELVE, PHOTOS, MAIN),
            (photos_joint, TWELVE[:3], PHOTOS, ()),
            (photos_longer, TWELVE, PHOTOS, ()),
            (photos_inherited, TWELVE[:3], PHOTOS, ()),
            (photos_adapter, TWELVE[:3], PHOTOS, RANK),
            (split_tiny_imagenet, TWELVE[:1], SPLIT_TINY_IMAGENET, ()),
        )
    ),
)

# To be recorded, in whole or in part. Until a study is, `data/results` has
# the record of the first edition, with its own settings beside it, or none
# (of `orders`: the first twenty draws of the present one).
DUE = {study.name for study in STUDIES} - {
    "chapters",
    "unnamed",
    "merged",
    "first_lengths",
    "full_scale",
    "playground",
    "photos_vgg",
    *(f"tuning_{method}" for method in TUNED if method != "ewc"),
    *(f"photos_vgg_tuning_{method}" for method in MAIN),
}
FORMER = {
    "widths",
    "tuning",
    "photos_tuning",
    # Of `orders`, before its length and its rates were found:
    "orders_14",
    "orders_28",
}  # read by a chapter, recorded no more
