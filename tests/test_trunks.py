"""The trunks: torchvision's names and shapes, in every size."""

import re

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision.models import VGG16_Weights

from packnet_book.runs.pretrained import (
    WEIGHTS,
    identifiers,
    load_pretrained,
    read_weights,
    start_head,
)
from packnet_core import PackNet, Phase, Pictures, fit, load
from packnet_core.errors import BadTrunk, DamagedFile
from packnet_core.evaluation import logits
from packnet_core.images import normalise
from packnet_core.masking import shared_out
from packnet_core.trunks import NAMES, Architecture, build


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn"])
def test_full_size_vgg_is_torchvisions_without_its_last_layer(name):
    with torch.device("meta"):
        trunk = build(Architecture(name))
        theirs = torchvision.models.get_model(name, weights=None)
    wanted = {
        key: tensor.shape
        for key, tensor in theirs.state_dict().items()
        if not key.startswith("classifier.6")
    }
    ours = {key: tensor.shape for key, tensor in trunk.state_dict().items()}
    assert ours == wanted
    layers = shared_out(trunk)
    assert len(layers) == 15
    assert sum(w.numel() for w in layers.values()) == 134_248_128


def test_full_size_vgg_computes_what_torchvisions_does():
    torch.manual_seed(0)
    theirs = torchvision.models.vgg16(weights=None).eval()
    trunk = build(Architecture("vgg16")).eval()
    head = load_pretrained(trunk, theirs.state_dict())
    network = PackNet(trunk, trunk.out_features)
    network.add_task("imagenet", identifiers())
    assert start_head(network, *head)
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        difference = (network(images) - theirs(images)).abs().max()
    assert difference < 1e-4


@pytest.mark.parametrize("name", ["resnet50", "densenet121"])
def test_other_networks_compute_what_torchvisions_do(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).eval()
    trunk = build(Architecture(name)).eval()
    weight, bias = load_pretrained(trunk, theirs.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        ours = trunk(images) @ weight.T + bias
        assert (ours - theirs(images)).abs().max() < 1e-4
    counts = {"resnet50": 53, "densenet121": 120}  # convolutions
    assert len(shared_out(trunk)) == counts[name]


def test_the_convolutions_of_vgg_compute_what_torchvisions_do(tmp_path):
    """With their own means and deviations, as they are published."""
    torch.manual_seed(0)
    theirs = torchvision.models.vgg16(weights=None).eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    trunk = build(Architecture("vgg16_features")).eval()
    assert (
        load_pretrained(trunk, read_weights(trunk, tmp_path / "w.pth"))
        is None
    )
    assert len(shared_out(trunk)) == 13
    assert sum(p.numel() for p in trunk.parameters()) == 14_714_688
    pixels = torch.randint(0, 256, (1, 3, 96, 96), dtype=torch.uint8)
    published = VGG16_Weights.IMAGENET1K_FEATURES.transforms()
    mean, std = (torch.tensor(v).view(3, 1, 1)
                 for v in (published.mean, published.std))  # fmt: skip
    with torch.no_grad():
        ours = trunk(normalise(pixels)) * 32
        places = theirs.features((pixels / 255 - mean) / std)
    wanted = places.mean((2, 3))
    assert torch.allclose(ours, wanted, rtol=0.05, atol=0.02 * wanted.max())


NAMED = [n for n in NAMES if n not in (*WEIGHTS, "small_vgg")]


@pytest.mark.parametrize("name", NAMED)
def test_the_weight_file_of_every_network_loads_by_name(name, tmp_path):
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    former = {  # as in the files that torchvision publishes
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", key): t
        for key, t in theirs.items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(former, tmp_path / f"{name}.pth")
    trunk = build(Architecture(name))
    weights = read_weights(trunk, tmp_path / f"{name}.pth")
    weight, bias = load_pretrained(trunk, weights)
    assert weight.shape == (1000, trunk.out_features)
    assert bias.shape == (1000,)
    for key, value in trunk.state_dict().items():
        assert torch.equal(value, theirs[key]), key


def test_squeezenet_differs_from_torchvisions_by_one_relu_only():
    torch.manual_seed(0)
    theirs = torchvision.models.squeezenet1_1(weights=None).eval()
    theirs.classifier[2] = torch.nn.Identity()  # the ReLU before averaging
    trunk = build(Architecture("squeezenet1_1")).eval()
    weight, bias = load_pretrained(trunk, theirs.state_dict())
    images = torch.randn(2, 3, 112, 112)
    with torch.no_grad():
        ours = trunk(images) @ weight.T + bias
        assert (ours - theirs(images)).abs().max() < 1e-4


def test_the_small_vgg_is_that_of_the_survey():
    trunk = build(Architecture("small_vgg", size=64, dropout=0.0))
    shapes = [tuple(w.shape) for w in shared_out(trunk).values()]
    assert shapes == [
        (64, 3, 3, 3), (64, 64, 3, 3), (64, 64, 3, 3), (64, 64, 3, 3),
        (128, 64, 3, 3), (128, 128, 3, 3), (128, 128 * 4 * 4), (128, 128),
    ]  # fmt: skip
    halvings = [n for n, m in enumerate(trunk.features.children())
                if isinstance(m, nn.MaxPool2d)]  # fmt: skip
    assert halvings == [2, 5, 10, 15]  # after convolutions 1, 2, 4 and 6


@pytest.mark.parametrize("size", [32, 40, 48, 64, 112])
@pytest.mark.parametrize("name", NAMES)
def test_a_trunk_takes_the_size_it_was_built_for(name, size):
    trunk = build(Architecture(name, width=1 / 16, size=size)).eval()
    features = trunk(torch.rand(2, 3, size, size))
    assert features.shape == (2, trunk.out_features)


def test_an_unknown_or_too_small_trunk_is_refused():
    with pytest.raises(BadTrunk, match=r"choose from .*vgg16"):
        build(Architecture("lenet"))
    with pytest.raises(BadTrunk, match="at least 32 px"):
        build(Architecture("vgg16", size=16))


def test_rows_of_the_classifier_are_found_by_identifier():
    trunk = build(Architecture("squeezenet1_1", size=64))
    weight = torch.arange(1000.0)[:, None].expand(1000, 512)
    bias = torch.arange(1000.0)
    known = identifiers()
    assert known == sorted(known) and len(set(known)) == 1000
    network = PackNet(trunk, 512)
    network.add_task("some", [known[7], known[3], known[999]])
    assert start_head(network, weight, bias)
    assert network.heads[0].bias.tolist() == [7, 3, 999]
    assert network.heads[0].weight[:, 5].tolist() == [7, 3, 999]
    other = PackNet(trunk, 512)
    other.add_task("others", ["hen", known[0]])
    assert not start_head(other, weight, bias)


def test_weight_files_are_read_by_name_and_wrong_ones_refused(tmp_path):
    trunk = build(Architecture("squeezenet1_1", size=64))
    theirs = torchvision.models.squeezenet1_1(weights=None).state_dict()
    torch.save(theirs, tmp_path / "w.pth")
    halves = {name: tensor.half() for name, tensor in theirs.items()}
    save_file(halves, tmp_path / "w.safetensors")
    for name in ("w.pth", "w.safetensors"):
        weights = read_weights(trunk, tmp_path / name)
        weight, bias = load_pretrained(trunk, weights)
        assert weight.shape == (1000, 512) and bias.shape == (1000,)
        own = trunk.state_dict()["features.0.weight"]
        assert torch.allclose(own, theirs["features.0.weight"], atol=1e-3)
    with pytest.raises(BadTrunk, match="not those of vgg16"):
        load_pretrained(build(Architecture("vgg16", 1 / 16, 32)), theirs)
    with pytest.raises(FileNotFoundError, match="no such file of weights"):
        read_weights(trunk, tmp_path / "nothing.pth")
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    (tmp_path / "bad.pth").write_bytes(b"nonsense")
    torch.save({"weights": print}, tmp_path / "hostile.pth")
    for name in ("bad.safetensors", "bad.pth", "hostile.pth"):
        with pytest.raises(DamagedFile, match="fetch it again"):
            read_weights(trunk, tmp_path / name)


def vision_transformer() -> nn.Module:
    trunk = torchvision.models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2,
        hidden_dim=32, mlp_dim=64,
    )  # fmt: skip
    trunk.heads = nn.Identity()
    return trunk


def residual_network() -> nn.Module:
    trunk = torchvision.models.resnet18()
    trunk.fc = nn.Identity()
    return trunk


@pytest.mark.parametrize(
    "make, features", [(vision_transformer, 32), (residual_network, 512)]
)
def test_torchvisions_networks_hold_two_tasks_exactly(
    make, features, tmp_path
):
    torch.manual_seed(0)
    network = PackNet(make(), features)
    images = torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8)
    pictures = Pictures(images, torch.arange(12) % 3, ("a", "b", "c"))
    phase = Phase(2, 0.01, batch=4, weight_decay=0.1)
    network.add_task("one", 3)
    fit(network, pictures, phase, size=32)
    network.prune(0.5)
    fit(network, pictures, phase, size=32)
    with network.view("one"):
        before = logits(network, pictures, size=32)
    network.add_task("two", 3)
    fit(network, pictures, phase, size=32)
    network.save(tmp_path / "network.packnet")
    again = load(tmp_path / "network.packnet", make())
    for loaded in (network, again):
        with loaded.view("one"):
            assert torch.equal(logits(loaded, pictures, size=32), before)
    assert not torch.equal(logits(network, pictures, size=32), before)


def test_attention_is_shared_out_and_a_summary_says_what_is_not():
    network = PackNet(vision_transformer(), 32)
    network.add_task("one", 3)
    network.prune(0.5)
    attention = "encoder.layers.encoder_layer_0.self_attention"
    matrix = network.owner[f"{attention}.in_proj_weight"]
    assert int((matrix == 0).sum()) == 32 * 96 // 2
    told = network.summary()
    assert f"{attention}.in_proj_weight" in told
    assert "encoder.pos_embedding: [1, 17, 32], not shared out" in told
    shared = sum(w.numel() for w in network.layers.values())
    whole = sum(p.numel() for p in network.trunk.parameters() if p.dim() > 1)
    assert shared == whole - 18 * 32  # the positions, and the class's token
