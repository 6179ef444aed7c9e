// Compiled, not run: what applications do with the package, without the types of a browser or of Node.
import { ConvletError, type ConvletErrorCode, load, type Model, type ModelOutput, type Tensor, tensor } from 'convlet';
import { decodeImage, encodePng, type Image, imageToTensor, resizeImage, tensorToImage } from 'convlet/images';
import relaxed from 'convlet/kernels/relaxed.wasm';
import simd from 'convlet/kernels/simd.wasm';
import * as fixed from 'convlet/static';
import {
  Function as AutogradFunction,
  compileModel,
  compileStep,
  data,
  evaluate,
  F,
  type FunctionContext,
  fit,
  init,
  metrics,
  nn,
  noGrad,
  optim,
  type Variable,
  variable,
  zeros,
} from 'convlet/train';

/** Fails to compile where a type is any. */
type Exactly<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => {};

export async function infer(bytes: Uint8Array): Promise<number> {
  const model: Model = await load(bytes, { backend: 'wasm', variant: 'auto', threads: 'auto', kernels: simd });
  const picture: Image = resizeImage(await decodeImage(bytes, { channels: 3 }), 224, 224);
  const out = await model.run({ input: imageToTensor(picture), more: tensor([1, 2], [2]) });
  isTrue<Exactly<typeof out, { [name: string]: ModelOutput }>>();
  const sum: number = out.logits.shape.reduce((a, b) => a + b, 0) + Number(out.logits.data[0]);
  const file: Uint8Array = encodePng(tensorToImage({ data: new Float32Array(3), shape: [1, 3, 1, 1] }));
  model.runSync({ input: { data: new Float32Array(4), shape: [4] } }, { logits: new Float32Array(2) });
  model.dispose();
  const wide = await fixed.load('model.onnx', { int64: 'bigint', kernels: relaxed });
  const { data: values } = (await wide.run({})).indices;
  isTrue<Exactly<typeof values extends BigInt64Array ? true : false, false>>();
  return sum + file.length;
}

export function explain(error: unknown): ConvletErrorCode | null {
  return error instanceof ConvletError ? error.code : null;
}

class Block extends nn.Module {
  conv = new nn.Conv2d(1, 8, 3, { padding: 1 });
  norm = new nn.BatchNorm2d(8);
  head = new nn.Sequential(new nn.ReLU(), new nn.Flatten(), new nn.Linear(8 * 28 * 28, 10));
  forward(x: Variable): Variable {
    return this.head.forward(F.relu(this.norm.forward(this.conv.forward(x))));
  }
}

class Reverse extends AutogradFunction {
  static forward(ctx: FunctionContext, x: Variable, factor: number): Variable {
    ctx.saveForBackward(x);
    ctx.factor = factor;
    return x;
  }
  static backward(ctx: FunctionContext, grad: Variable): (Variable | null)[] {
    return [grad.mul(-(ctx.factor as number)), null];
  }
}

export async function train(): Promise<number> {
  const engine = await init({ backend: 'js' });
  const model = new Block();
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, weightDecay: 0.01 });
  const schedule = new optim.CosineAnnealingLR(optimizer, { tMax: 10 });
  const x = zeros(2, 1, 28, 28);
  const loss = F.crossEntropy(model.forward(x), variable([1, 2], [2], { dtype: 'int64' }));
  loss.backward();
  optim.clipGradNorm(model.parameters(), 1);
  optimizer.step();
  optimizer.zeroGrad();
  schedule.step();
  const step = compileStep(model, F.crossEntropy, optimizer);
  const value: number = step.step(x, { shape: [2], data: new Int32Array([1, 2]) });
  const set = new data.TensorDataset({ shape: [2, 1, 28, 28], data: new Float32Array(2 * 784) }, [1, 2]);
  const loader = new data.DataLoader(set, { batchSize: 2, shuffle: true });
  for await (const batch of loader) isTrue<Exactly<typeof batch.input, Tensor>>();
  const { history } = await fit(model, { train: loader, loss: F.crossEntropy, optimizer, epochs: 1 });
  const result = await evaluate(model, loader, { loss: F.crossEntropy, metrics: [metrics.accuracy()] });
  const compiled = compileModel(model, [1, 1, 28, 28]);
  const answer: Tensor = compiled.run(new Float32Array(784));
  const folder = await data.ImageFolder.open('pictures', { size: 224 });
  const { grad } = Reverse.apply(x, 0.5);
  const same = noGrad(() => x.add(1).relu().reshape(2, -1).sum().item());
  engine.dispose();
  return value + answer.size + folder.length + same + (grad === null ? 0 : 1) + history.epochs.length + result.loss;
}
