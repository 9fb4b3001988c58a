"""The README's Python example runs as it stands, and keeps its promise."""

import re

import torch

from packnet_book.drawn import draw
from packnet_core.evaluation import logits
from tests.contents import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_trains_both_tasks_and_forgets_nothing(
    tmp_path, monkeypatch, capsys
):
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    start, end = example.split("optimizer = torch.optim.AdamW")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    names: dict = {}
    exec(start, names)
    net, birds = names["net"], names["birds"]
    with net.view("birds"):
        before = logits(net, birds, size=32)
    grown, rest = end.split("for _ in range(10):")
    exec("optimizer = torch.optim.AdamW" + grown, names)
    head = net.heads[1].weight.detach().clone()
    owned = {n: w.detach().clone() for n, w in net.layers.items()}
    exec("for _ in range(10):" + rest, names)
    assert not torch.equal(net.heads[1].weight, head)
    for name, weight in net.layers.items():
        mine = net.owner[name] == 2
        assert not torch.equal(weight[mine], owned[name][mine]), name
    with net.view("birds"):
        assert torch.equal(logits(net, birds, size=32), before)
    cars = draw("cars", "train", 8, size=36)
    assert torch.equal(
        logits(names["again"], cars, size=32), logits(net, cars, size=32)
    )
    assert torch.equal(
        logits(names["alone"], cars, size=32), logits(net, cars, size=32)
    )
    assert "shared out among the tasks" in capsys.readouterr().out
