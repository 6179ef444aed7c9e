import { data, F, nn, type Variable } from 'convlet/train';

/** Two stages of convolutions and a classifier: 28×28 pixels in, ten scores out. */
export class DigitNet extends nn.Module {
  conv1: InstanceType<typeof nn.Conv2d>;
  bn1: InstanceType<typeof nn.BatchNorm2d>;
  conv2: InstanceType<typeof nn.Conv2d>;
  bn2: InstanceType<typeof nn.BatchNorm2d>;
  conv3: InstanceType<typeof nn.Conv2d>;
  bn3: InstanceType<typeof nn.BatchNorm2d>;
  drop: InstanceType<typeof nn.Dropout>;
  fc: InstanceType<typeof nn.Linear>;

  /** `width`: channels of the first stage; the second has twice as many. */
  constructor(width = 16, drop = 0.2) {
    super();
    this.conv1 = new nn.Conv2d(1, width, 5, { padding: 2, bias: false });
    this.bn1 = new nn.BatchNorm2d(width);
    this.conv2 = new nn.Conv2d(width, 2 * width, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(2 * width);
    this.conv3 = new nn.Conv2d(2 * width, 2 * width, 3, { padding: 1, bias: false });
    this.bn3 = new nn.BatchNorm2d(2 * width);
    this.drop = new nn.Dropout(drop);
    this.fc = new nn.Linear(2 * width * 7 * 7, 10);
  }

  forward(x: Variable): Variable {
    x = F.maxPool2d(F.relu(this.bn1.forward(this.conv1.forward(x))), 2);
    x = F.relu(this.bn2.forward(this.conv2.forward(x)));
    x = F.maxPool2d(F.relu(this.bn3.forward(this.conv3.forward(x))), 2);
    return this.fc.forward(this.drop.forward(x.flatten(1)));
  }
}

/** Mean and deviation of MNIST's pixels. */
export const normalize = data.normalize(0.1307, 0.3081);
/** Digits that stand two pixels to the side are the same digits. */
export const augment = [data.randomCrop(28, { padding: 2 }), normalize];
