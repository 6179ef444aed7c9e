// What the tests of the command line share: the program as a process, models, a folder.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { model, type NodeSpec, valueInfo } from '../io/onnx-builder.ts';
import { buildPackage, type Finished, models, root, run } from '../runtime/package.ts';

export const mobilenet: string = join(models, 'mobilenet_v2_tiny.onnx');
export const espcn: string = join(models, 'espcn_bicubic.onnx');
export const shapes: string = join(root, 'examples/workerd/shapes.onnx');
export const samples: string = join(root, 'examples/workerd/samples');

let folder: string;
/** A path in the test's own folder. */
export const file = (name = ''): string => join(folder, name);

/** Builds the package and makes the folder; for the test file's top level. */
export function prepare(): void {
  beforeAll(async () => {
    await buildPackage();
    folder = mkdtempSync(join(tmpdir(), 'convlet-cli-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}

export const convlet = (...args: string[]): Promise<Finished> =>
  run(process.execPath, [join(root, 'build/cli/main.js'), ...args]);

/** A model [N,2,?,?] → [N,2,?,?] of these nodes, from x to y. */
function chain(nodes: readonly NodeSpec[]): string {
  const bytes = model({
    nodes,
    inputs: [valueInfo('x', 'float32', ['N', 2, 'H', 'W'])],
    outputs: [valueInfo('y', 'float32', ['N', 2, null, null])],
  });
  const path = file(`${nodes.map((node) => node.op).join('-')}.onnx`);
  writeFileSync(path, bytes);
  return path;
}

export const relu = (): string => chain([{ op: 'Relu', inputs: ['x'], outputs: ['y'], name: 'the-relu' }]);

/** Two nodes that nobody knows. */
export const strange = (): string =>
  chain([
    { op: 'Wobble', inputs: ['x'], outputs: ['a'], name: 'first' },
    { op: 'Relu', inputs: ['a'], outputs: ['b'], name: 'second' },
    { op: 'Twist', inputs: ['b'], outputs: ['y'], domain: 'org.example' },
  ]);

/** a + b, pictures of one size that is open. */
export function pair(): string {
  const path = file('pair.onnx');
  const inputs = ['a', 'b'].map((name) => valueInfo(name, 'float32', ['N', 1, 'H', 'W']));
  const nodes = [{ op: 'Add', inputs: ['a', 'b'], outputs: ['y'] }];
  writeFileSync(path, model({ nodes, inputs, outputs: [valueInfo('y', 'float32', ['N', 1, 'H', 'W'])] }));
  return path;
}
