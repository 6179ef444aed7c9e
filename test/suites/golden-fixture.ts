// npx tsx test/suites/golden-fixture.ts ../shared/golden: extracts the small golden set of test/fixtures/golden from the full one:
// the first small case of every operation of the groups below; of interpolate one for every kind of resize.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TensorValue } from '../../src/io/elements.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import { type GoldenCase, type GoldenTensor, readManifest } from './golden-set.ts';

const groups = [
  ...['conv1d', 'conv2d', 'conv3d', 'conv_transpose', 'linear', 'norm', 'pool', 'interpolate', 'activation'],
  ...['tensor', 'loss', 'optim', 'quant'],
];
const maximumCaseBytes = 12_000;
const target = fileURLToPath(new URL('../fixtures/golden/', import.meta.url));

type FullCase = GoldenCase & { readonly grads?: readonly GoldenTensor[] };
type WithGradient = GoldenTensor & { readonly gy?: string };

const [, , source] = process.argv;
if (source === undefined) {
  console.error('usage: npx tsx test/suites/golden-fixture.ts DIR');
  process.exit(2);
}
const manifest = readManifest(source);

const keysOf = (c: FullCase): string[] =>
  [...c.inputs, ...c.outputs, ...(c.grads ?? [])].flatMap((t: WithGradient) => (t.gy ? [t.key, t.gy] : [t.key]));

/** One case of each kind is kept. */
function kindOf({ op, attrs, inputs }: GoldenCase): string {
  if (op !== 'interpolate') return op;
  const { mode, align_corners: corners, antialias, size } = attrs;
  return JSON.stringify([mode, corners, antialias, size === undefined, inputs[0].shape.length]);
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const kinds = new Set<string>();
const kept: FullCase[] = [];
let total = 0;
for (const group of groups) {
  const tensors = readSafetensors(readFileSync(join(source, manifest.files[group])));
  const cut: [string, TensorValue][] = [];
  for (const c of manifest.cases as readonly FullCase[]) {
    if (c.group !== group || kinds.has(kindOf(c))) continue;
    const values = keysOf(c).map((key): [string, TensorValue] => [key, tensors.get(key)!]);
    if (values.reduce((sum, [, { data }]) => sum + data.byteLength, 0) > maximumCaseBytes) continue;
    kinds.add(kindOf(c));
    kept.push(c);
    cut.push(...values);
  }
  const bytes = writeSafetensors(cut);
  total += bytes.byteLength;
  writeFileSync(join(target, manifest.files[group]), bytes);
}
const files = Object.fromEntries(groups.map((group) => [group, manifest.files[group]]));
const text = `${JSON.stringify({ ...manifest, files, cases: kept, dropout: undefined })}\n`;
writeFileSync(join(target, 'manifest.json'), text);
console.log(`${kept.length} cases, ${total + text.length} bytes in ${target}`);
