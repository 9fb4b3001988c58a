"""The owner map equals the paper's rule, on every input."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from packnet_core.errors import BadFraction, Diverged
from packnet_core.masking import hand_over, visible
from packnet_core.pruning import cutoff, free_up_to

# Few different values, so that ties and zeros are frequent.
values = st.sampled_from([-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0])
layers = st.lists(st.tuples(values, st.integers(0, 3)), min_size=1)
fractions = st.floats(0, 1, exclude_max=True)


def free_smallest(weight, owner, task, fraction):
    """What `prune` does in one layer."""
    free_up_to(weight, owner, task, cutoff(weight, owner, task, fraction))


def by_the_rule(weights, owners, task, fraction):
    """The rule as it is written down, in plain Python."""
    mine = sorted(
        abs(w) for w, o in zip(weights, owners, strict=True) if o == task
    )
    rank = round(fraction * len(mine))
    freed = [
        o == task and rank > 0 and abs(w) <= mine[rank - 1]
        for w, o in zip(weights, owners, strict=True)
    ]
    return (
        [0.0 if f else w for w, f in zip(weights, freed, strict=True)],
        [0 if f else o for o, f in zip(owners, freed, strict=True)],
    )


@given(layers, fractions)
def test_pruning_frees_what_the_rule_says(layer, fraction):
    weights, owners = zip(*layer, strict=True)
    weight = torch.tensor(weights)
    owner = torch.tensor(owners, dtype=torch.uint8)
    free_smallest(weight, owner, 2, fraction)
    wanted_weight, wanted_owner = by_the_rule(weights, owners, 2, fraction)
    assert owner.tolist() == wanted_owner
    assert weight.tolist() == wanted_weight


@given(layers, fractions, st.integers(1, 3))
def test_the_map_never_loses_or_moves_another_owner(layer, fraction, task):
    weights, owners = zip(*layer, strict=True)
    weight = torch.tensor(weights)
    owner = torch.tensor(owners, dtype=torch.uint8)
    before, values = owner.clone(), weight.clone()
    free_smallest(weight, owner, task, fraction)
    others = before != task
    assert torch.equal(owner[others], before[others])
    assert torch.equal(weight[others], values[others])
    assert set(owner[~others].tolist()) <= {0, task}


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_the_rule_holds_in_every_precision(kind):
    weight = torch.linspace(-3, 5, 101).to(kind)
    owner = torch.ones(101, dtype=torch.uint8)
    expected = by_the_rule(weight.tolist(), owner.tolist(), 1, 0.6)
    free_smallest(weight, owner, 1, 0.6)
    assert (weight.tolist(), owner.tolist()) == expected


def sampled_layer(kind):
    """A layer large enough for bounds from a sample, of three owners."""
    shape = (700, 1000)
    torch.manual_seed(0)
    weight = torch.randn(shape)
    if kind == "ties":
        weight = weight.mul(4).round()
    if kind == "misleading":  # what the sample sees is not what there is
        weight.flatten()[::10] = 100.0
    return weight, torch.randint(0, 3, shape, dtype=torch.uint8)


@pytest.mark.parametrize("kind", ["plain", "ties", "misleading"])
@pytest.mark.parametrize("fraction", [1e-6, 0.3, 0.75, 0.999999])
def test_the_rule_holds_in_large_layers(kind, fraction):
    weight, owner = sampled_layer(kind)
    mine = owner == 1
    rank = round(fraction * int(mine.sum()))
    freed = torch.zeros_like(mine)
    if rank:
        limit = weight[mine].abs().sort().values[rank - 1]
        freed = mine & (weight.abs() <= limit)
    expected = weight.masked_fill(freed, 0), owner.masked_fill(freed, 0)
    free_smallest(weight, owner, 1, fraction)
    assert torch.equal(weight, expected[0])
    assert torch.equal(owner, expected[1])


def test_the_rule_holds_in_any_order_of_storage():
    weight = torch.randn(64, 32, 3, 3)
    owner = torch.ones_like(weight, dtype=torch.uint8)
    stored = weight.to(memory_format=torch.channels_last)
    maps = owner.clone(), owner.to(memory_format=torch.channels_last)
    free_smallest(weight, owner, 1, 0.5)
    for other in maps:
        values = stored.clone()
        free_smallest(values, other, 1, 0.5)
        assert torch.equal(values, weight)
        assert torch.equal(other, owner)


def test_weights_that_are_no_numbers_are_refused():
    weight = torch.full((8,), torch.nan)
    owner = torch.ones(8, dtype=torch.uint8)
    with pytest.raises(Diverged, match="learning rate"):
        free_smallest(weight, owner, 1, 0.5)


def test_ties_at_the_cutoff_go_too():
    weight = torch.tensor([3.0, 1.0, -1.0, 1.0, 5.0, 4.0])
    owner = torch.ones(6, dtype=torch.uint8)
    free_smallest(weight, owner, 1, 1 / 6)
    assert owner.tolist() == [1, 0, 0, 0, 1, 1]


def test_halves_are_rounded_as_python_rounds():
    for n, expected in ((1, 0), (3, 2), (5, 2), (7, 4)):  # round(n / 2)
        owner = torch.ones(n, dtype=torch.uint8)
        free_smallest(torch.arange(1.0, n + 1), owner, 1, 0.5)
        assert int((owner == 0).sum()) == expected


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan")])
def test_a_fraction_outside_its_range_is_refused(fraction):
    weight, owner = torch.ones(3), torch.ones(3, dtype=torch.uint8)
    with pytest.raises(BadFraction, match="from 0 to below 1"):
        free_smallest(weight, owner, 1, fraction)
    assert owner.tolist() == [1, 1, 1]


def test_later_tasks_start_from_zero_and_the_first_from_what_is_there():
    weight, owner = torch.tensor([1.0, 2.0]), torch.zeros(2).byte()
    hand_over(weight, owner, 1)
    assert weight.tolist() == [1.0, 2.0]
    owner[0] = 0
    hand_over(weight, owner, 2)
    assert weight.tolist() == [0.0, 2.0]
    assert owner.tolist() == [2, 1]


def test_a_task_sees_earlier_owners_and_nothing_free_or_later():
    owner = torch.tensor([0, 1, 2, 3], dtype=torch.uint8)
    assert visible(owner, 2).tolist() == [False, True, True, False]
