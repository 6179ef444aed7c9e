#!/usr/bin/env python3
"""Trains the network of this example and writes shapes.onnx, and samples/ with pictures it has not seen.

Python 3 with PyTorch, onnx, NumPy and Pillow (Debian: python3-torch python3-onnx python3-numpy python3-pil); three
minutes on one core. Pictures are drawn here: a filled or hollow shape, turned, on a gradient with stray lines and noise.
"""
import json
import os

import numpy as np
import onnx
import torch
from PIL import Image
from torch import nn

LABELS = ['circle', 'square', 'triangle', 'star', 'cross']
SIZE, OVER = 32, 4  # pixels, and samples per pixel along each axis
HERE = os.path.dirname(os.path.abspath(__file__))


def polygon(x, y, corners, inner):
    """Inside a regular polygon of radius 1, or a star whose dents lie at radius `inner`."""
    half = np.pi / corners
    angle = np.abs((np.arctan2(y, x) + half) % (2 * half) - half)  # from the nearest corner, 0 to half
    dent = inner * np.exp(1j * half)
    # The edge from corner (1, 0) to the dent: the side of it on which the point lies.
    px, py = np.hypot(x, y) * np.cos(angle), np.hypot(x, y) * np.sin(angle)
    return (dent.real - 1) * py - dent.imag * (px - 1) >= 0


INSIDE = {
    'circle': lambda x, y: x * x + y * y <= 1,
    'square': lambda x, y: polygon(x, y, 4, np.cos(np.pi / 4)),
    'triangle': lambda x, y: polygon(x, y, 3, np.cos(np.pi / 3)),
    'star': lambda x, y: polygon(x, y, 5, 0.4),
    'cross': lambda x, y: (np.minimum(np.abs(x), np.abs(y)) <= 0.3) & (np.maximum(np.abs(x), np.abs(y)) <= 0.95),
}
AXIS = (np.arange(SIZE * OVER) + 0.5) / OVER
GRID = np.meshgrid(AXIS, AXIS)


def coverage(mask):
    return mask.reshape(SIZE, OVER, SIZE, OVER).mean(axis=(1, 3))[..., None]


def draw(rng, label):
    """One picture, uint8 [SIZE, SIZE, 3]."""
    gx, gy = GRID
    radius = rng.uniform(8, 14)
    cx, cy = rng.uniform(radius, SIZE - radius, 2)
    turn = rng.uniform(0, 2 * np.pi)
    dx, dy = (gx - cx) / radius, (gy - cy) / radius
    x, y = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    inside = INSIDE[label](x, y)
    if rng.random() < 0.3 and radius > 10:
        inside &= ~INSIDE[label](x / 0.55, y / 0.55)

    back = rng.uniform(0, 1, (2, 3))
    front = rng.uniform(0, 1, 3)
    while min(np.abs(front - b).max() for b in back) < 0.4 or np.abs(front - back.mean(axis=0)).max() < 0.4:
        front, back = rng.uniform(0, 1, 3), rng.uniform(0, 1, (2, 3))
    along = rng.uniform(0, 2 * np.pi)
    t = (gx * np.cos(along) + gy * np.sin(along))[OVER // 2::OVER, OVER // 2::OVER]
    t = ((t - t.min()) / (t.max() - t.min()))[..., None]
    picture = back[0] * (1 - t) + back[1] * t
    for _ in range(rng.integers(0, 3)):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-12, 12)
        line = np.abs((gx - SIZE / 2) * np.cos(angle) + (gy - SIZE / 2) * np.sin(angle) - offset) < 0.6
        a = coverage(line)
        picture = picture * (1 - a) + rng.uniform(0, 1, 3) * a
    a = coverage(inside)
    picture = picture * (1 - a) + front * a + rng.normal(0, rng.uniform(0, 0.06), picture.shape)
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def dataset(seed, count):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(LABELS)
    pictures = np.stack([draw(rng, LABELS[k]) for k in labels])
    return pictures, labels


def tensor(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def conv(inputs, outputs, **options):
    return nn.Sequential(nn.Conv2d(inputs, outputs, **options, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def network():
    return nn.Sequential(
        conv(3, 16, kernel_size=3, padding=1),
        nn.MaxPool2d(2),
        conv(16, 32, kernel_size=3, padding=1),
        nn.MaxPool2d(2),
        conv(32, 48, kernel_size=3, padding=1),
        conv(48, 48, kernel_size=3, padding=1, stride=2, groups=48),
        conv(48, 64, kernel_size=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, len(LABELS)),
    )


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    pictures, labels = dataset(1, 10000)
    x, y = tensor(pictures), torch.from_numpy(labels)
    held, held_labels = dataset(2, 2000)
    hx, hy = tensor(held), torch.from_numpy(held_labels)
    net = network()
    epochs, batch = 16, 64
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=epochs * (len(x) // batch))
    for epoch in range(epochs):
        net.train()
        order = torch.randperm(len(x))
        for step in range(len(x) // batch):
            at = order[step * batch:(step + 1) * batch]
            # Quarter turns and a mirror: the shapes stay what they are.
            bx = torch.rot90(x[at], int(torch.randint(4, ())), (2, 3))
            if torch.rand(()) < 0.5:
                bx = bx.flip(3)
            loss = nn.functional.cross_entropy(net(bx), y[at])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f'epoch {epoch + 1}  loss {loss.item():.4f}  held back {accuracy(net, hx, hy):.4f}', flush=True)
    assert accuracy(net, hx, hy) >= 0.97

    file = os.path.join(HERE, '..', 'shapes.onnx')
    whole = nn.Sequential(net, nn.Softmax(1)).eval()
    torch.onnx.export(whole, hx[:1], file, opset_version=13, input_names=['image'], output_names=['probabilities'])
    onnx.checker.check_model(onnx.load(file))

    # Two samples of each label and a JPEG of each; a third set of pictures, not picked by what the network says.
    samples, sample_labels = dataset(3, 15)
    folder = os.path.join(HERE, '..', 'samples')
    os.makedirs(folder, exist_ok=True)
    index = {}
    for i, (picture, k) in enumerate(zip(samples, sample_labels)):
        jpeg = i >= 10
        name = f'{LABELS[k]}{i // 5 + 1}.{"jpg" if jpeg else "png"}'
        Image.fromarray(picture).save(os.path.join(folder, name), **({'quality': 92} if jpeg else {'optimize': True}))
        index[name] = LABELS[k]
    with open(os.path.join(folder, 'labels.json'), 'w') as out:
        json.dump(index, out, indent=2)
        out.write('\n')


main()
