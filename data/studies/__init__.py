"""The recorded studies: what each runs for one seed, and its table.

A study takes a seed and a directory for its runs, and returns tidy rows.
Runs with the same first task share the network that has learnt it.
"""

from dataclasses import asdict

from packnet_book.runs.presets import MINIATURE, PHOTOS
from studies.ablations import (
    FRACTIONS,
    NORMED,
    RETRAINED,
    WIDTHS,
    capacity,
    many_tasks,
    norms,
    orders,
    pruning,
    steps,
    widths,
)
from studies.common import Study, study, without
from studies.error_table import (
    HIGHER,
    MOMENTS,
    RATES,
    higher,
    joint,
    lwf,
    main_table,
    matrices,
    switch,
    tuning,
)
from studies.full_size import FULL, SCALE, full_scale, sizes
from studies.photographs import (
    PHOTO_RATES,
    PRECISION,
    RETRAINING,
    photos,
    photos_inherited,
    photos_tuning,
)
from studies.playground import DRAWS, SETTINGS, playground

FIVE, THREE = (0, 1, 2, 3, 4), (0, 1, 2)
SMALL = asdict(MINIATURE)
PACKING = ("retrain_first", "add", "retrain", "alone")
REFERENCES = ("classifier", "lwf", "joint")
OTHERS = ("alone", *REFERENCES)
STUDIES: tuple[Study, ...] = (
    study(tuning, (100,), SMALL, RATES),
    study(
        main_table,
        FIVE,
        without(MINIATURE, "lwf", "joint"),
        name="miniature",
    ),
    study(lwf, FIVE, without(MINIATURE, *PACKING, "classifier", "joint")),
    study(joint, FIVE, without(MINIATURE, *PACKING, "classifier", "lwf")),
    study(higher, FIVE, without(HIGHER, *OTHERS)),
    study(matrices, FIVE, without(MINIATURE, "joint")),
    study(switch, THREE, without(MINIATURE, "joint", "classifier"), MOMENTS),
    study(sizes, (0,), SMALL),
    study(full_scale, (0,), asdict(FULL), asdict(SCALE)),
    study(pruning, THREE, without(MINIATURE, *OTHERS), FRACTIONS, RETRAINED),
    study(steps, THREE, without(MINIATURE, *OTHERS)),
    study(orders, THREE, without(MINIATURE, *OTHERS)),
    study(norms, THREE, without(NORMED, *OTHERS)),
    study(widths, THREE, without(MINIATURE, *REFERENCES), WIDTHS),
    study(capacity, THREE, without(many_tasks(), *REFERENCES)),
    study(playground, (0,), SETTINGS, DRAWS),
    study(
        photos_tuning,
        (0,),
        without(PHOTOS, "joint"),
        (PHOTO_RATES, RETRAINING),
        PRECISION,
        photographs=True,
    ),
    study(
        photos, (0, 1), without(PHOTOS, "joint"), PRECISION, photographs=True
    ),
    study(
        photos_inherited,
        (0, 1),
        without(PHOTOS, "alone", "lwf", "joint"),
        PRECISION,
        photographs=True,
    ),
)
