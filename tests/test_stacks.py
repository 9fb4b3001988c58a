"""The examples of *In your own stack* run, and keep what the page says.

Each is taken from the page, with what all examples share before it. Where
a library is missing its example is skipped, unless PACKNET_STACKS says
"required", as `make stacks` does.
"""

import importlib.util
import json
import os
import re
from collections.abc import Iterator

import pytest
import torch
from safetensors.torch import load_file, save_file

from packnet_core import PackNet
from packnet_core.errors import BadState, BadTask
from packnet_core.evaluation import modes_kept
from tests.contents import ROOT

PAGE = (ROOT / "book" / "your_stack.md").read_text("utf-8")
SHARED = "What the examples share"
NEEDS = {
    "timm": ["timm"],
    "Hugging Face models": ["transformers"],
    "Lightning": ["lightning"],
    "Accelerate": [],
    "ONNX Runtime": ["onnx", "onnxscript", "onnxruntime"],
    "The Hub": [],
    "Avalanche": ["avalanche"],
    "Not a classification": [],
}


def examples() -> dict[str, str]:
    """The Python of each section, by its heading."""
    sections = re.split(r"^## (.+)\n", PAGE, flags=re.MULTILINE)[1:]
    return {
        heading: "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))
        for heading, text in zip(sections[::2], sections[1::2])
    }


@torch.no_grad()
def logits(net: PackNet, task: str) -> torch.Tensor:
    """What a task answers on pictures that no example has."""
    chance = torch.Generator().manual_seed(1)
    images = torch.randn(4, 3, 32, 32, generator=chance)
    with modes_kept(net):
        net.eval()
        with net.view(task):
            return net(images.to(next(net.parameters()).device)).cpu()


class Witness:
    """Notes what finished tasks answer whenever a later one is added."""

    def __init__(self):
        self.noted: list[tuple[PackNet, str, torch.Tensor]] = []

    def watch(self, net: PackNet) -> None:
        self.noted += [(net, task, logits(net, task)) for task in net.tasks]

    def see_nothing_forgotten(self) -> None:
        """Earlier tasks answer as they did, and the others have learnt."""
        assert self.noted
        for net, task, before in self.noted:
            assert torch.equal(logits(net, task), before), task
            for number in range(2, len(net.tasks) + 1):
                learnt = [
                    weight[net.owner[name] == number]
                    for name, weight in net.layers.items()
                ]
                assert any((own != 0).any() for own in learnt)


@pytest.fixture
def witness(monkeypatch) -> Witness:
    made, add_task = Witness(), PackNet.add_task

    def noting(net, name, classes):
        made.watch(net)
        add_task(net, name, classes)

    monkeypatch.setattr(PackNet, "add_task", noting)
    return made


@pytest.fixture
def example(request, witness, monkeypatch, tmp_path) -> Iterator[dict]:
    """The names that an example leaves, which was run in `tmp_path`; after
    the test, nothing that it taught a network may be forgotten."""
    heading = request.param
    for library in NEEDS[heading]:
        if importlib.util.find_spec(library) is None:
            assert os.environ.get("PACKNET_STACKS") != "required", library
            pytest.skip(f"{library} is not installed: make stacks")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    torch.manual_seed(0)
    names: dict = {"__name__": heading}
    for part in (SHARED, heading):
        exec(compile(examples()[part], f"<{part}>", "exec"), names)
    yield names
    witness.see_nothing_forgotten()


def of(heading: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "example", [heading], indirect=True, ids=[heading.split()[-1]]
    )


def test_every_example_of_the_page_is_run():
    code = {heading for heading, source in examples().items() if source}
    assert code == {SHARED, *NEEDS}


@of("timm")
def test_a_resnet_and_a_vit_of_timm_are_trunks(example, witness):
    kinds = [type(net.trunk).__name__ for net, *_ in witness.noted]
    assert kinds == ["ResNet", "VisionTransformer"]
    told = example["net"].summary()
    for name in ("cls_token", "pos_embed"):
        assert f"  {name}: " in told and name not in example["net"].owner


@of("Hugging Face models")
def test_a_model_of_hugging_face_is_a_trunk(example):
    again = example["again"]
    assert again.tasks == ["birds", "cars"]
    assert type(again.trunk.model).__module__.startswith("transformers.")
    assert not any("pooler" in name for name in again.owner)


@of("Lightning")
def test_a_callback_of_lightning_packs(example):
    net, logged = example["net"], example["logged"]
    assert [r.fractions for r in net.records] == [(0.5,), (0.5,)]
    assert set(logged["birds"]) == {"error/birds"}
    assert set(logged["cars"]) == {"error/birds", "error/cars"}
    assert example["again"].net.tasks == net.tasks


@of("Accelerate")
def test_what_accelerate_saved_goes_on_bit_for_bit(example):
    net, again = example["net"], example["again"]
    assert again is not net
    undisturbed, resumed = net.state_dict(), again.state_dict()
    assert undisturbed.keys() == resumed.keys()
    for name, value in undisturbed.items():
        assert torch.equal(value, resumed[name]), name
    saved = example["load_file"]("checkpoint/model.safetensors")
    assert any(not torch.equal(saved[n], resumed[n]) for n in saved)


@of("ONNX Runtime")
def test_another_runtime_answers_within_rounding(example):
    session, net = example["session"], example["net"]
    for task_images in (example["images"], example["data"]["cars"][0][:1]):
        [found] = session.run(None, {"images": task_images.numpy()})
        with torch.no_grad(), net.view("birds"):
            expected = net(task_images)
        assert expected.abs().max() > 0.01
        torch.testing.assert_close(
            torch.from_numpy(found), expected, atol=1e-5, rtol=0
        )


@of("The Hub")
def test_a_folder_for_the_hub_gives_the_network_back(example, tmp_path):
    folder, net = tmp_path / "packed", example["net"]
    kinds = {path.suffix for path in folder.iterdir()}
    assert kinds == {".safetensors", ".json", ".md"}
    settings = json.loads((folder / "config.json").read_text())
    assert settings == {"name": "small_vgg", "size": 32}
    assert example["again"].records == net.records
    net.save("network.packnet")
    weights = folder / "model.safetensors"
    packed = (tmp_path / "network.packnet").stat().st_size
    assert packed < weights.stat().st_size
    name, owner = next(iter(net.owner.items()))
    state = load_file(weights)
    state[f"trunk.{name}"][owner == 1] += 1  # of the first task
    save_file(state, weights)
    with pytest.raises(BadState, match=name):
        example["Packed"].from_pretrained("packed")


@of("Avalanche")
def test_a_plugin_of_avalanche_packs(example):
    net, measured = example["net"], example["measured"]
    assert net.tasks == ["birds", "cars"]
    assert [r.fractions for r in net.records] == [(0.5,), (0.5,)]
    for name in ("Loss", "Top1_Acc"):
        key = f"{name}_Exp/eval_phase/test_stream/Task000/Exp000"
        assert measured["birds"][key] == measured["cars"][key]


@of("Not a classification")
def test_one_trunk_names_finds_and_measures(example):
    net, answers = example["net"], example["answers"]
    assert net.tasks == ["birds", "mask", "size"]
    masks, sizes = (example["data"][task][1] for task in ("mask", "size"))
    assert answers(net, "mask").shape == (*masks.shape, 2)
    assert answers(net, "size").mean((1, 2)).shape == sizes.shape
    assert 0 < masks.float().mean() < 1 and (sizes > 0).all()
    with pytest.raises(BadTask):
        net.add_task("one", ["area"])
