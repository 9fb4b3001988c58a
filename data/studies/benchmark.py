"""A standard benchmark, with an accuracy that others have published."""

from pathlib import Path

from pandas import DataFrame

from packnet_book.runs.presets import SPLIT_TINY_IMAGENET
from studies.common import with_own_error
from studies.photographs import photos_at

# PackNet's average accuracy after the last task: De Lange et al., TPAMI
# 2021, table 4, "small"; reproduced by ContinualAI's continual-learning-
# baselines. Ours is claimed to be within so many points of the first.
PUBLISHED = {"De Lange et al. 2021": 47.0, "ContinualAI": 46.0}
WITHIN = 2.0


def split_tiny_imagenet(seed: int, folder: Path) -> DataFrame:
    """PackNet on Split Tiny-ImageNet: ten tasks of twenty classes.

    `own_error`: right after a task's own last stage.
    """
    made = photos_at(SPLIT_TINY_IMAGENET, seed, folder)
    return with_own_error(made, "packnet")
