"""Weights of a cascaded ResNet in PyTorch.

    npx cascade runs pytorch <run> weights.safetensors
    python docs/pytorch_resnet.py weights.safetensors            # what is in it, and logits of a grey image

`plain_resnet` loads them into a ResNet as PyTorch users write it, with `load_state_dict(strict=True)`: the network that
was trained, for one of ordinary training (serial-ce, cascaded-ce); of a cascade, its blocks with the statistics of one
timestep. `cascade_logits` runs the cascade itself, timestep after timestep:

    out[t] = relu(residual(x)[t - 1] + shortcut(x[t])),   stem and residuals 0 before they have an input

Needs torch and safetensors. Images are [B, 3, H, W], 0 to 255.
"""

import json
import sys

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


def read(path):
    """Tensors by name, and what the file says of the network."""
    with safe_open(path, framework="pt") as file:
        about = {name: json.loads(text) for name, text in file.metadata().items() if name != "format"}
        return {name: file.get_tensor(name) for name in file.keys()}, about


class Block(nn.Module):
    """Two 3x3 convolutions, or three of 1x1, 3x3 and 1x1; the shortcut has no batch norm."""

    def __init__(self, inputs, channels, stride, depth, eps):
        super().__init__()
        sizes = [(1, 1), (3, stride), (1, 1)] if depth == 50 else [(3, stride), (3, 1)]
        widths = [inputs, *[channels] * (len(sizes) - 1), 4 * channels if depth == 50 else channels]
        self.count = len(sizes)
        for i, (size, step) in enumerate(sizes):
            conv = nn.Conv2d(widths[i], widths[i + 1], size, step, size // 2, bias=False)
            setattr(self, f"conv{i + 1}", conv)
            setattr(self, f"bn{i + 1}", nn.BatchNorm2d(widths[i + 1], eps=eps))
        self.outputs = widths[-1]
        changes = stride != 1 or inputs != self.outputs
        self.downsample = nn.Sequential(nn.Conv2d(inputs, self.outputs, 1, stride, bias=False)) if changes else None

    def residual(self, x):
        for i in range(1, self.count + 1):
            x = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))
            x = F.relu(x) if i < self.count else x
        return x

    def shortcut(self, x):
        return x if self.downsample is None else self.downsample(x)

    def forward(self, x):
        return F.relu(self.residual(x) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, depth, stem, channels, classes, eps, mean, std):
        super().__init__()
        size, stride = (3, 1) if stem == "cifar" else (7, 2)
        self.conv1 = nn.Conv2d(3, channels[0], size, stride, size // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0], eps=eps)
        inputs = channels[0]
        for stage, count in enumerate(BLOCKS[depth]):
            blocks = []
            for index in range(count):
                blocks.append(Block(inputs, channels[stage], 2 if stage > 0 and index == 0 else 1, depth, eps))
                inputs = blocks[-1].outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)
        self.mean, self.std = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, std))

    def blocks(self):
        return [block for stage in range(1, 5) for block in getattr(self, f"layer{stage}")]

    def stem(self, images):
        x = (images / 255 - self.mean) / self.std
        return F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)

    def head(self, x):
        return self.fc(x.mean(dim=(2, 3)))

    def forward(self, images):
        x = self.stem(images)
        for block in self.blocks():
            x = block(x)
        return self.head(x)


def at_timestep(tensors, timestep):
    """The tensors of one timestep: rows of running statistics, and of heads and scales that each timestep has."""
    state = {}
    for name, tensor in tensors.items():
        parts = name.split(".")
        if parts[0] == "fc" and len(parts) == 3:
            if int(parts[1]) == timestep:
                state[f"fc.{parts[2]}"] = tensor
        else:
            is_row = name.endswith(("running_mean", "running_var")) or (tensor.dim() == 2 and ".bn" in f".{name}")
            state[name] = tensor[timestep] if is_row else tensor
    return state


def plain_resnet(path, timestep=-1):
    """A ResNet in evaluation, with the statistics of one timestep: the last unless told."""
    tensors, about = read(path)
    timestep %= about["timesteps"]
    last = "conv3" if about["depth"] == 50 else "conv2"
    outputs = [tensors[f"layer{stage}.0.{last}.weight"].shape[0] for stage in range(1, 5)]
    channels = [width // 4 if about["depth"] == 50 else width for width in outputs]
    model = ResNet(
        about["depth"], about["stem"], channels, len(about["classNames"]), about["epsilon"], about["mean"], about["std"]
    )
    state = at_timestep(tensors, timestep)
    counters = {name: torch.tensor(0) for name in model.state_dict() if name.endswith("num_batches_tracked")}
    model.load_state_dict({**state, **counters}, strict=True)
    return model.eval()


@torch.no_grad()
def cascade_logits(path, images):
    """Logits [T, B, K] of a cascade whose blocks update in parallel with a delay of one step."""
    _, about = read(path)
    if about["scheme"] != {"kind": "parallel", "delay": {"kind": "oneStepDelay"}}:
        raise SystemExit(f"only cascades with a delay of one step are run here, not {about['scheme']}")
    logits, waiting = [], {}

    def delayed(name, value):
        before = waiting.get(name, torch.zeros_like(value))
        waiting[name] = value
        return before

    for timestep in range(about["timesteps"]):
        model = plain_resnet(path, timestep)
        x = delayed("stem", model.stem(images))
        for number, block in enumerate(model.blocks()):
            x = F.relu(delayed(number, block.residual(x)) + block.shortcut(x))
        logits.append(model.head(x))
    return torch.stack(logits)


if __name__ == "__main__":
    tensors, about = read(sys.argv[1])
    print({name: value for name, value in about.items() if name != "classNames"})
    print(f"{len(tensors)} tensors, {sum(tensor.numel() for tensor in tensors.values()):,} numbers")
    grey = torch.full((1, 3, 32, 32), 128.0)
    print("plain ResNet:", plain_resnet(sys.argv[1])(grey)[0].tolist())
    if about["scheme"]["kind"] == "parallel":
        print("cascade, last timestep:", cascade_logits(sys.argv[1], grey)[-1, 0].tolist())
