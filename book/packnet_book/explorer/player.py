"""The player: one filter, stage by stage, with a caption for each."""

from collections.abc import Sequence

from torch import Tensor

from packnet_book.explorer.page import Page, fill

Stage = tuple[str, Tensor, Tensor]


def play(
    stages: Sequence[Stage],
    tasks: Sequence[str],
    captions: Sequence[str],
    title: str = "One filter, step by step",
) -> Page:
    """A page that plays the stages of a filter, forwards and backwards.

    stages: (name, weight, owner), weight float (rows, columns), owner of
    the same shape, 0 for free, k for the k-th task; tasks: their names;
    captions: one for each stage. Raises ValueError if there is not one
    caption a stage, or if an owner has no name.
    """
    if len(captions) != len(stages):
        raise ValueError(
            f"{len(captions)} captions for {len(stages)} stages: give each "
            "stage one"
        )
    most = max(int(owner.max()) for _, _, owner in stages)
    if most > len(tasks):
        raise ValueError(
            f"owner {most}, but names of {len(tasks)} tasks: name them all"
        )
    frames = [
        {
            "name": name,
            "caption": caption,
            "weight": [[float(f"{v:.6g}") for v in row] for row in weight],
            "owner": owner.tolist(),
        }
        for (name, weight, owner), caption in zip(stages, captions)
    ]
    data = {"tasks": list(tasks), "frames": frames}
    return Page(
        fill("player", title, data),
        title,
        f"{title}, in {len(stages)} stages: "
        + ", ".join(name for name, _, _ in stages)
        + ".",
        height=620,
    )
