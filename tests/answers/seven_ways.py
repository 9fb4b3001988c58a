"""Answers to the exercises of *Seven ways to get PackNet wrong*."""

from copy import deepcopy

import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from packnet_book.exercises.seven_ways import (
    check_diagnosis,
    check_pencil,
    check_report,
    check_step,
    check_test,
    check_view,
    example,
)
from tests.answers.cases import Case

DIAGNOSIS = {"a": 4, "b": 2, "c": 3, "d": 1, "e": 5, "f": 7}


def report(validation, test):
    epoch = min(range(len(validation)), key=validation.__getitem__)
    return epoch, test[epoch]


def best_on_test(validation, test):
    epoch = min(range(len(test)), key=test.__getitem__)
    return epoch, test[epoch]


def best_on_both(validation, test):
    both = [a + b for a, b in zip(validation, test)]
    epoch = both.index(min(both))
    return epoch, test[epoch]


def error_of_the_choice(validation, test):
    return report(validation, test)[0], min(validation)


def least_of_each(validation, test):
    return report(validation, test)[0], min(test)


def one_based(validation, test):
    epoch, error = report(validation, test)
    return epoch + 1, error


def step(optimizer, weight, fixed):
    kept = weight.detach().clone()
    optimizer.step()
    with torch.no_grad():
        weight[fixed] = kept[fixed]


def step_where(optimizer, weight, fixed):
    weight.grad[fixed] = 0
    kept = weight.detach()[fixed]  # a mask makes a copy
    optimizer.step()
    weight.data.masked_scatter_(fixed, kept)


def clear_gradients(optimizer, weight, fixed):
    weight.grad[fixed] = 0
    optimizer.step()


def no_decay(optimizer, weight, fixed):
    for group in optimizer.param_groups:
        group["weight_decay"] = 0
    clear_gradients(optimizer, weight, fixed)


def no_clone(optimizer, weight, fixed):
    kept = weight.detach()  # the same memory
    optimizer.step()
    weight.data[fixed] = kept[fixed]


def zeroed(optimizer, weight, fixed):
    optimizer.step()
    weight.data[fixed] = 0


def everything(optimizer, weight, fixed):
    kept = weight.detach().clone()
    optimizer.step()
    weight.data.copy_(kept)


def no_momentum(optimizer, weight, fixed):
    optimizer.state.clear()
    step(optimizer, weight, fixed)


def look(trunk, owner, task, images):
    copy = deepcopy(trunk).eval()
    for name, owners in owner.items():
        hidden = (owners == 0) | (owners > task)
        copy.get_parameter(name).data[hidden] = 0
    with torch.no_grad():
        return copy(images)


def look_functional(trunk, owner, task, images):
    seen = {
        name: trunk.get_parameter(name) * ((owners > 0) & (owners <= task))
        for name, owners in owner.items()
    }
    mode = trunk.training
    trunk.eval()
    try:
        return functional_call(trunk, seen, images)
    finally:
        trunk.train(mode)


def look_put_back(trunk, owner, task, images):
    kept = deepcopy(trunk.state_dict())
    try:
        trunk.eval()
        hide(trunk, owner, task)
        return trunk(images)
    finally:
        trunk.load_state_dict(kept)
        trunk.train()


def hide(trunk, owner, task):
    for name, owners in owner.items():
        trunk.get_parameter(name).data[(owners == 0) | (owners > task)] = 0


def in_place(trunk, owner, task, images):
    trunk.eval()
    hide(trunk, owner, task)
    found = trunk(images)
    trunk.train()
    return found


def not_after_an_error(trunk, owner, task, images):
    kept = deepcopy(trunk.state_dict())
    trunk.eval()
    hide(trunk, owner, task)
    found = trunk(images)
    trunk.load_state_dict(kept)
    trunk.train()
    return found


def in_train_mode(trunk, owner, task, images):
    copy = deepcopy(trunk)
    hide(copy, owner, task)
    return copy(images)


def drifts(trunk, owner, task, images):
    trunk(images)
    return look(trunk, owner, task, images)


def stays_in_eval_mode(trunk, owner, task, images):
    trunk.eval()
    return look(trunk, owner, task, images)


def own_only(trunk, owner, task, images):
    only = {n: torch.where(o == task, o, 0) for n, o in owner.items()}
    return look(trunk, only, task, images)


def free_seen(trunk, owner, task, images):
    ones = {name: owners.clamp(min=1) for name, owners in owner.items()}
    return look(trunk, ones, task, images)


def swallows(trunk, owner, task, images):
    try:
        return look(trunk, owner, task, images)
    except MemoryError:
        return None


def tested(train):
    """What a test can see: outputs, losses, weights before and after."""
    net, images, labels = example()
    mine = {name: owner == 2 for name, owner in net.owner.items()}
    seen = []
    for _ in range(2):
        with torch.no_grad(), net.view("one"):
            one = net(images)
        with torch.no_grad():
            two = cross_entropy(net(images), labels).item()
        weights = {n: w.detach().clone() for n, w in net.layers.items()}
        seen.append((one, two, weights))
        if len(seen) == 1:
            train(net, images, labels)
    return net, mine, *seen


def kept(train):
    _, _, before, after = tested(train)
    return torch.equal(before[0], after[0])


def still_free(train):
    net, _, _, after = tested(train)
    return all(bool((w[net.owner[n] == 0] == 0).all())
               for n, w in after[2].items())  # fmt: skip


def learnt(train):
    _, _, before, after = tested(train)
    return after[1] < before[1]


def holds(train):
    return kept(train) and still_free(train) and learnt(train)


def always(train):
    return True


def never(train):
    return False


def no_look_at_free(train):
    return kept(train) and learnt(train)


def no_look_at_new(train):
    return kept(train) and still_free(train)


def answers_nearly(train):
    _, _, before, after = tested(train)
    close = torch.allclose(before[0], after[0], atol=0.1)
    return close and still_free(train) and learnt(train)


def weights_only(train):
    _, mine, before, after = tested(train)
    same = all(
        torch.equal(w[~mine[n]], after[2][n][~mine[n]])
        for n, w in before[2].items()
    )
    return same and learnt(train)


CASES = (
    Case(
        check_diagnosis,
        right=((DIAGNOSIS,),),
        wrong=(
            ({},),
            (DIAGNOSIS | {"a": 1},),
            (DIAGNOSIS | {"b": 8},),
            (DIAGNOSIS | {"d": 4},),
            (DIAGNOSIS | {"f": 2},),
        ),
    ),
    Case(
        check_pencil,
        right=((1.9406, 0.9), (2 * 0.99**3, 0.9)),
        wrong=((1.94, 0.09), (1.4, 0.9), (1.98, 0.9), (1.9406, 1.0),
               (1.9406, 9.0)),
    ),
    Case(
        check_report,
        right=((report,),),
        wrong=((best_on_test,), (best_on_both,), (error_of_the_choice,),
               (least_of_each,), (one_based,)),
    ),
    Case(
        check_step,
        right=((step,), (step_where,)),
        wrong=((clear_gradients,), (no_decay,), (no_clone,), (zeroed,),
               (everything,), (no_momentum,)),
    ),
    Case(
        check_view,
        right=((look,), (look_functional,), (look_put_back,)),
        wrong=((in_place,), (not_after_an_error,), (in_train_mode,),
               (drifts,), (stays_in_eval_mode,), (own_only,), (free_seen,),
               (swallows,)),
    ),
    Case(
        check_test,
        right=((holds,),),
        wrong=((always,), (never,), (kept,), (no_look_at_free,),
               (no_look_at_new,), (answers_nearly,), (weights_only,)),
    ),
)  # fmt: skip
