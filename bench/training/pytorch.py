"""The same steps by PyTorch. Commands are lines of JSON on standard input, each is answered by a line on standard output."""
import json
import struct
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


def conv(channels, out, kernel, stride):
    return nn.Conv2d(channels, out, kernel, stride=stride, padding=kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.c1 = conv(channels, out, 3, stride)
        self.b1 = nn.BatchNorm2d(out)
        self.c2 = conv(out, out, 3, 1)
        self.b2 = nn.BatchNorm2d(out)
        self.sc = nn.Sequential(conv(channels, out, 1, stride), nn.BatchNorm2d(out)) if channels != out else None

    def forward(self, x):
        y = self.b2(self.c2(F.relu(self.b1(self.c1(x)))))
        return F.relu(y + (x if self.sc is None else self.sc(x)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = conv(3, 16, 3, 1)
        self.b = nn.BatchNorm2d(16)
        blocks = []
        for stage, out in enumerate((16, 32, 64)):
            for i in range(3):
                begins = stage > 0 and i == 0
                blocks.append(Block(out // 2 if begins else out, out, 2 if begins else 1))
        self.l = nn.Sequential(*blocks)
        self.f = nn.Linear(64, 10)

    def forward(self, x):
        x = self.l(F.relu(self.b(self.c(x))))
        return self.f(F.adaptive_avg_pool2d(x, 1).flatten(1))


NETWORKS = {"lenet": LeNet, "resnet20": ResNet20}
DTYPES = {"F32": torch.float32, "I32": torch.int32, "I64": torch.int64}


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        data = bytearray(content[8 + size + begin : 8 + size + end])
        tensors[name] = torch.frombuffer(data, dtype=DTYPES[info["dtype"]]).reshape(info["shape"])
    return tensors


class Trainer:
    def load(self, network, path, sgd, steps):
        tensors = read_safetensors(path)
        self.x, self.y = tensors.pop("batch.x"), tensors.pop("batch.y").long()
        self.model = NETWORKS[network]()
        state = self.model.state_dict()
        self.model.load_state_dict({name: value.reshape(state[name].shape) for name, value in tensors.items()})
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=sgd["lr"], momentum=sgd["momentum"], weight_decay=sgd["weightDecay"]
        )
        return {"losses": [self.step() for _ in range(steps)]}

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def run(self, count):
        times = []
        cpu, start = time.process_time(), time.perf_counter()
        for _ in range(count):
            before = time.perf_counter()
            self.step()
            times.append(1000 * (time.perf_counter() - before))
        return {"times": times, "busy": (time.process_time() - cpu) / max(time.perf_counter() - start, 1e-6)}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    trainer = Trainer()
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        command = request.pop("command")
        try:
            answer = {"load": trainer.load, "run": trainer.run}[command](**request)
        except Exception as error:
            answer = {"failure": str(error)[:300]}
        print(json.dumps(answer), flush=True)


main()
