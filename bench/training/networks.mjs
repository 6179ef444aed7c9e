// The networks that are trained, with PyTorch's names of parameters (pytorch.py has the same ones), and one seeded batch for each.

/** LeNet-5 (LeCun et al. 1998) as in PyTorch's tutorials, with ReLU and max pooling. */
const lenet = ({ nn, F }) =>
  new (class extends nn.Module {
    conv1 = new nn.Conv2d(1, 6, 5, { padding: 2 });
    conv2 = new nn.Conv2d(6, 16, 5);
    fc1 = new nn.Linear(400, 120);
    fc2 = new nn.Linear(120, 84);
    fc3 = new nn.Linear(84, 10);

    forward(x) {
      x = F.maxPool2d(F.relu(this.conv1.forward(x)), 2);
      x = F.maxPool2d(F.relu(this.conv2.forward(x)), 2);
      x = F.relu(this.fc1.forward(x.flatten(1)));
      return this.fc3.forward(F.relu(this.fc2.forward(x)));
    }
  })();

/** He et al. 2016, section 4.2, with projections where a stage begins (their option B). */
function resnet20({ nn, F }) {
  const conv = (from, to, kernel, stride) =>
    new nn.Conv2d(from, to, kernel, { stride, padding: kernel >> 1, bias: false });

  class Block extends nn.Module {
    constructor(from, to, stride) {
      super();
      this.c1 = conv(from, to, 3, stride);
      this.b1 = new nn.BatchNorm2d(to);
      this.c2 = conv(to, to, 3, 1);
      this.b2 = new nn.BatchNorm2d(to);
      if (from !== to) this.sc = new nn.Sequential(conv(from, to, 1, stride), new nn.BatchNorm2d(to));
    }

    forward(x) {
      const y = this.b2.forward(this.c2.forward(F.relu(this.b1.forward(this.c1.forward(x)))));
      return F.relu(y.add(this.sc === undefined ? x : this.sc.forward(x)));
    }
  }

  const stages = [16, 32, 64];
  const blocks = stages.flatMap((to, stage) =>
    [0, 1, 2].map((i) => {
      const begins = stage > 0 && i === 0;
      return new Block(begins ? to / 2 : to, to, begins ? 2 : 1);
    }),
  );
  return new (class extends nn.Module {
    c = conv(3, 16, 3, 1);
    b = new nn.BatchNorm2d(16);
    l = new nn.Sequential(...blocks);
    f = new nn.Linear(64, 10);

    forward(x) {
      x = this.l.forward(F.relu(this.b.forward(this.c.forward(x))));
      return this.f.forward(F.adaptiveAvgPool2d(x, 1).flatten(1));
    }
  })();
}

/** Weight decay keeps velocities of weights without a gradient from becoming denormal numbers, which are slow. */
export const sgd = { lr: 0.01, momentum: 0.9, weightDecay: 1e-4 };

/** `least`: the project's aims. */
export const networks = {
  lenet: { build: lenet, input: [64, 1, 28, 28], classes: 10, least: { pytorch: 0.8, eager: 1.3 } },
  resnet20: { build: resnet20, input: [32, 3, 32, 32], classes: 10, least: { pytorch: 0.9 } },
};

/** Pictures uniform in [−1, 1) (mulberry32, seed 7), labels in turn. */
export function batchOf({ input, classes }) {
  const data = new Float32Array(input.reduce((a, b) => a * b, 1));
  let s = 7;
  for (let i = 0; i < data.length; i++) {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    data[i] = (((t ^ (t >>> 14)) >>> 0) / 4294967296) * 2 - 1;
  }
  return { data, labels: Int32Array.from({ length: input[0] }, (_, i) => i % classes) };
}
