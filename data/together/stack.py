"""Networks of one shape as one network of grouped convolutions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from packnet_core.errors import BadRun
from packnet_core.network import PackNet
from packnet_core.trunks import Divide


class Stack:
    """Networks of one shape as one: each parameter (K, …) in a row.

    trunk: by name, (K * rows, …); heads: weights (K, C, F), biases (K, C).
    """

    def __init__(
        self,
        module: nn.Module,
        trunks: Sequence[dict[str, Tensor]],
        heads: Sequence[Sequence[nn.Linear]],
        device: torch.device,
    ):
        self.module, self.count = module, len(trunks)
        self.device = device
        self.trunk = {
            name: one_of([values[name] for values in trunks], device)
            for name in trunks[0]
        }
        self.heads = [
            (
                one_of([head.weight for head in same], device),
                one_of([head.bias for head in same], device),
            )
            for same in zip(*heads, strict=True)
        ]

    @classmethod
    def of(cls, networks: Sequence[PackNet], device: torch.device) -> "Stack":
        trunks = [dict(n.trunk.named_parameters()) for n in networks]
        heads = [list(n.heads) for n in networks]
        return cls(networks[0].trunk, trunks, heads, device)

    def features(self, images: Tensor) -> Tensor:
        """(B, 3 K, H, W) to (K, B, F), each network's own three colours."""
        x, count = images, self.count
        for name, layer in self.module.named_modules():
            if next(layer.children(), None) is not None:
                continue
            weight, bias = (
                self.trunk.get(f"{name}.{part}")
                for part in ("weight", "bias")
            )
            if isinstance(layer, nn.Conv2d):
                x = conv2d(
                    x, weight, bias, layer.stride, layer.padding,
                    layer.dilation, count * layer.groups,
                )  # fmt: skip
            elif isinstance(layer, nn.Linear):
                x = torch.baddbmm(
                    bias.unflatten(0, (count, 1, -1)), x,
                    weight.unflatten(0, (count, -1)).mT,
                )  # fmt: skip
            elif isinstance(layer, nn.Flatten):
                x = x.unflatten(1, (count, -1)).transpose(0, 1).flatten(2)
            elif isinstance(layer, nn.ReLU):
                x = x.relu()
            elif isinstance(
                layer, nn.MaxPool2d | nn.AdaptiveAvgPool2d | Divide
            ):
                x = layer(x)
            elif not isinstance(layer, nn.Dropout) or layer.p:
                raise BadRun(f"{type(layer).__name__} is trained alone only")
        return x

    def answers(self, features: Tensor, head: int) -> Tensor:
        """(K, B, F) to the logits of one head of each network, (K, B, C)."""
        weight, bias = self.heads[head]
        return torch.baddbmm(
            bias.unflatten(0, (self.count, 1, -1)), features,
            weight.unflatten(0, (self.count, -1)).mT,
        )  # fmt: skip

    def apart(self, values: Tensor) -> Tensor:
        """(K * rows, …) to (K, entries), or a copy of it."""
        return values.unflatten(0, (self.count, -1)).flatten(1)


def one_of(values: Sequence[Tensor], device: torch.device) -> Tensor:
    one = torch.cat([v.detach() for v in values]).to(device)
    if one.dim() == 4:
        return one.contiguous(memory_format=torch.channels_last)
    return one.contiguous()
