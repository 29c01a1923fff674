"""Train the network of `segment` on label maps that were checked by eye.

    python -m engines.training.artist3d.train_segment FACES LABELS OUT [--start WEIGHTS] ...

FACES holds aligned portraits (faces.npz with `names` and `landmarks`, and the pictures); LABELS one
NNNNN.npz per labelled face, `q` = uint8 [7, 256, 256], the classes' shares in 1/255. Pictures are
turned, scaled, mirrored, relit, recoloured class by class, blurred and compressed while training.

The weights that ship were trained so: 1100 steps at 128 px, 1850 at 192 px, 1500 at 256 px; the
label maps of the first round came from geometry, colour models and strokes, those of later rounds
from the network itself, corrected by the same means. Each was looked at, and the 800 right ones
were kept.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.errors import ToonifyError
from engines.faces.person import PersonSegmenter
from engines.training.artist3d.segment import PARTS, network_input
from engines.training.artist3d.segment_network import PartsNetwork, parameters_fp16

STORED = 320  # side of the pictures kept in memory
CLASS_WEIGHTS = (1.0, 1.0, 1.2, 2.0, 1.5, 2.5, 2.5)  # in the order of PARTS
COVERED = 0.12  # of the examples have a hand or thing drawn in front
UNKNOWN = 0.2  # of the examples come without a mask of the person
DECAY = 0.995  # of the moving average of the weights

Image: TypeAlias = NDArray[Any]  # uint8 RGB
Floats: TypeAlias = NDArray[Any]  # float32


class Faces:
    """Portraits, landmarks and label maps in memory."""

    def __init__(self, faces: Path, labels: Path, left_out: set[int]) -> None:
        table = np.load(faces / "faces.npz")
        names, landmarks = table["names"], table["landmarks"].astype(np.float32)
        have = sorted(int(path.stem) for path in labels.glob("*.npz"))
        self.indices = [i for i in have if i not in left_out]
        self.pictures: list[Image] = []
        self.labels: list[Image] = []
        self.landmarks: list[Floats] = []
        self.people: list[Image] = []
        segmenter = PersonSegmenter()
        for index in self.indices:
            path = faces / str(names[index])
            bgr = cv2.imread(str(path))
            if bgr is None:
                raise ToonifyError(f"A picture was expected at {path}, but it cannot be read.")
            small = cv2.resize(bgr, (STORED, STORED), interpolation=cv2.INTER_AREA)
            self.pictures.append(np.ascontiguousarray(small[..., ::-1]))
            person: Floats = segmenter.segment(np.ascontiguousarray(bgr[..., ::-1])) * 255
            person = cv2.resize(person, (STORED, STORED), interpolation=cv2.INTER_AREA)
            self.people.append(person.astype(np.uint8))
            with np.load(labels / f"{index:05d}.npz") as stored:
                self.labels.append(np.ascontiguousarray(stored["q"].transpose(1, 2, 0)))
            self.landmarks.append(landmarks[index] * np.float32(STORED / bgr.shape[0]))
        segmenter.close()

    def sample(self, number: int, side: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """One augmented example: network input [9, side, side] and label [7, side, side]."""
        turn, scale = np.radians(rng.normal(0, 8)), side / STORED * np.exp(rng.normal(0, 0.10))
        mirrored = rng.random() < 0.5
        cos, sin = scale * math.cos(turn), scale * math.sin(turn)
        linear = np.array([[cos, -sin], [sin, cos]])
        if mirrored:
            linear[:, 0] *= -1
        centre = np.full(2, (STORED - 1) / 2)
        shift = (side - 1) / 2 + rng.normal(0, 0.03, 2) * side - linear @ centre
        matrix = np.column_stack([linear, shift])
        picture = self.pictures[number]
        if scale < 0.7:
            picture = cv2.GaussianBlur(picture, (0, 0), 0.35 / scale)
        border = cv2.BORDER_REFLECT_101 if rng.random() < 0.5 else cv2.BORDER_REPLICATE
        picture = cv2.warpAffine(picture, matrix, (side, side), borderMode=border)
        stored = self.labels[number]
        to_label = stored.shape[0] / STORED
        undo = matrix @ np.array([[1 / to_label, 0, 0], [0, 1 / to_label, 0], [0, 0, 1]])
        label = np.dstack([
            cv2.warpAffine(part, undo, (side, side), borderMode=border)
            for part in (stored[..., :4], stored[..., 4:])
        ]).astype(np.float32)  # fmt: skip
        label /= np.maximum(label.sum(-1, keepdims=True), 1)
        points = self.landmarks[number].copy()
        points[:, :2] = points[:, :2] @ linear.T + shift
        points[:, 2] *= scale
        points[:, :2] += rng.normal(0, 0.004 * side, 2)
        if rng.random() < COVERED:
            other = self.pictures[rng.integers(len(self.pictures))]
            corner = rng.integers(0, STORED // 2, 2)
            texture = other[corner[0] :, corner[1] :][: STORED // 2, : STORED // 2]
            picture, label = cover(picture, label, texture, rng)
        picture = degrade(recolour(picture, label, rng), rng)
        person: Floats | None = None
        if rng.random() > UNKNOWN:
            person = cv2.warpAffine(
                self.people[number], matrix, (side, side), borderMode=border
            ).astype(np.float32)
            person = cv2.GaussianBlur(person, (0, 0), rng.uniform(0.3, 2)) / 255
        return network_input(picture, points, person), np.moveaxis(label, -1, 0)


def cover(
    picture: Image, label: Floats, texture: Image, rng: np.random.Generator
) -> tuple[Image, Floats]:
    """Put a hand-like shape in the person's skin colour, or a thing, in front of the person."""
    side = picture.shape[0]
    mask = np.zeros((side, side), np.uint8)
    centre = (rng.uniform([0.05, 0.45], [0.95, 1.0]) * side).astype(int)
    radius = int(rng.uniform(0.06, 0.13) * side)
    angle = float(np.arctan2(0.45 * side - centre[1], 0.5 * side - centre[0]) + rng.normal(0, 0.5))
    skin = label[..., PARTS.index("skin")] > 0.9
    if rng.random() < 0.6 and skin.sum() > 50:
        palm = (centre.tolist(), (radius * 2.2, radius * 1.7), float(np.degrees(angle)))
        cv2.ellipse(mask, palm, 255, -1)
        for finger in range(4):
            spread = angle + (finger - 1.5) * rng.uniform(0.12, 0.3)
            length = radius * rng.uniform(1.5, 2.6)
            tip = centre + (np.array([np.cos(spread), np.sin(spread)]) * length).astype(int)
            cv2.line(mask, centre.tolist(), tip.tolist(), 255, max(int(radius * 0.42), 2))
        away = centre - (np.array([np.cos(angle), np.sin(angle)]) * side).astype(int)
        cv2.line(mask, centre.tolist(), away.tolist(), 255, int(radius * 1.5))
        paint = np.median(picture[skin], 0) * rng.uniform(0.75, 1.15) + rng.normal(0, 4, 3)
        edge = np.tanh(cv2.distanceTransform(mask, cv2.DIST_L2, 3) / (0.3 * radius))
        front = paint * (0.7 + 0.3 * edge[..., None])
    else:
        size = radius * rng.uniform([1, 1], [2, 5])
        box = cv2.boxPoints((centre.tolist(), size.tolist(), float(np.degrees(angle)) + 90))
        cv2.fillPoly(mask, [box.astype(np.int32)], 255)
        front = cv2.resize(texture, (side, side)).astype(np.float32)
        front = front * rng.uniform(0.4, 1) + rng.uniform(0, 60, 3)
    share = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None].astype(np.float32) / 255
    picture = np.clip(picture * (1 - share) + front * share, 0, 255).astype(np.uint8)
    label = label * (1 - share)
    label[..., PARTS.index("object")] += share[..., 0]
    return picture, label


def recolour(picture: Image, label: Floats, rng: np.random.Generator) -> Image:
    """Other light and colours: of the picture, of each class for itself, and a hard shadow."""
    lab: Floats = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    side = picture.shape[0]
    if rng.random() < 0.5:
        shift = np.zeros((len(PARTS), 3), np.float32)
        shift[:, 0] = rng.normal(0, 7, len(PARTS))
        shift[:, 1:] = rng.normal(0, 8, (len(PARTS), 2))
        shift[1] *= 0.3
        shift[3] = shift[2] if rng.random() < 0.7 else shift[3]
        lab += label @ shift
    lab[..., 0] *= np.exp(rng.normal(0, 0.15))
    lab[..., 1:] *= np.exp(rng.normal(0, 0.25))
    if rng.random() < 0.1:
        lab[..., 1:] *= 0.1
    lab[..., 1:] += rng.normal(0, 4, 2)
    if rng.random() < 0.3:  # a cast shadow or one-sided light
        angle, offset = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.15) * side
        rows, columns = np.mgrid[0:side, 0:side].astype(np.float32) - side / 2
        bend = rng.normal(0, 0.002) * rows * columns / side * 100 / side
        across = columns * np.cos(angle) + rows * np.sin(angle) - offset + bend * 20
        soft = rng.uniform(0.005, 0.2) * side
        shade = 1 / (1 + np.exp(-np.clip(across / soft, -20, 20)))
        lab[..., 0] *= 1 - rng.uniform(0.2, 0.65) * shade.astype(np.float32)
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    rgb = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)
    rgb = np.clip(rgb, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.15)))
    return np.asarray(rgb * 255 + 0.5, np.uint8)


def degrade(picture: Image, rng: np.random.Generator) -> Image:
    """Blur, noise and JPEG, each sometimes."""
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.6))
    if rng.random() < 0.3:
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(1, 9)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(25, 90))
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return picture


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Weighted cross entropy with soft labels, and soft Dice of each class present."""
    weights = torch.tensor(CLASS_WEIGHTS)[:, None, None]
    log = logits.log_softmax(1)
    entropy = -(weights * target * log).sum(1).mean()
    share = log.exp()
    both, total = (share * target).sum((0, 2, 3)), (share + target).sum((0, 2, 3))
    present = (target.sum((0, 2, 3)) > 50).float()
    dice = 1 - (2 * both + 1) / (total + 1)
    return entropy + 0.3 * (dice * present).sum() / present.sum()


def train(
    network: nn.Module, faces: Faces, steps: int, batch: int, side: int, rate: float, out: Path
) -> None:
    """Train for ``steps`` batches at ``side`` pixels; the averaged weights go to ``out``."""
    rng = np.random.default_rng()
    average = {k: v.clone() for k, v in network.state_dict().items()}
    groups = [[p for p in network.parameters() if p.ndim > 1],
              [p for p in network.parameters() if p.ndim <= 1]]  # fmt: skip
    optimiser = torch.optim.AdamW(
        [{"params": groups[0], "weight_decay": 0.02}, {"params": groups[1], "weight_decay": 0.0}],
        lr=rate,
    )
    order: list[int] = []
    began, total = time.time(), 0.0
    network.train()
    for number in range(1, steps + 1):
        fade = 0.02 + 0.98 * math.cos(number / steps * math.pi / 2) ** 2
        for group in optimiser.param_groups:
            group["lr"] = rate * min(number / 40, 1) * fade
        if len(order) < batch:
            order += list(rng.permutation(len(faces.indices)))
        examples = [faces.sample(order.pop(), side, rng) for _ in range(batch)]
        inputs, labels = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
        loss = loss_of(network(inputs.contiguous(memory_format=torch.channels_last)), labels)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        decay = min(DECAY, (1 + number) / (10 + number))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1 - decay)
        total += float(loss.detach())
        if number % 50 == 0 or number == steps:
            print(f"{number}/{steps} loss {total / 50:.4f} {time.time() - began:.0f} s", flush=True)
            total = 0.0
            held = PartsNetwork()
            held.load_state_dict({**held.state_dict(), **average})
            save_file(parameters_fp16(held), out)


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--leave-out", type=Path, help="file of indices kept for measurement")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rate", type=float, default=3e-3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    network = PartsNetwork()
    if args.start:
        network.load_state_dict(
            {k: v.float() for k, v in load_file(args.start).items()}, strict=False
        )
    words = args.leave_out.read_text().split() if args.leave_out else []
    faces = Faces(args.faces, args.labels, {int(word) for word in words})
    print(f"{len(faces.indices)} faces", flush=True)
    train(network, faces, args.steps, args.batch, args.side, args.rate, args.out)


if __name__ == "__main__":
    main()
