// Every exported function, class and method that takes options refuses misspelt ones. They are found in the declarations, so a
// new one is tested without being listed: it must check its options before anything else.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import * as images from '../../src/io/images/node.ts';
import * as inference from '../../src/runtime/node.ts';
import * as training from '../../src/runtime/node-train.ts';
import { models, root } from '../runtime/package.ts';
import { type Callable, Declarations, type Param } from '../support/declarations.ts';

const directory = mkdtempSync(join(tmpdir(), 'convlet-declarations-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
execFileSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', directory],
  {
    cwd: root,
  },
);
const declarations = new Declarations(directory);

/** The package's entries: declarations → module. */
const entries = {
  'runtime/node.d.ts': inference,
  'runtime/node-train.d.ts': training,
  'io/images/node.d.ts': images,
} as const;
const callables = Object.entries(entries).map(([path, entry]) => ({ entry, list: declarations.callables(path) }));
for (const [path, constant] of [
  ['methods', 'otherFunctions'],
  ['shape-methods', 'shapeFunctions'],
  ['index-methods', 'indexFunctions'],
])
  callables[1].list.push(...declarations.methods(`autograd/${path}.d.ts`, constant, 'Variable'));

beforeAll(() => training.init({ backend: 'js' }));

const parameter = (): Variable => variable([1], [1], { requiresGrad: true });

/** Values of arguments before the options, by the names of their types. */
const samples: { readonly [type: string]: () => unknown } = {
  TSNumberKeyword: () => 1,
  TSStringKeyword: () => 'text',
  Variable: () => variable([1]),
  PerAxis: () => 1,
  OutputSize: () => 1,
  PerChannel: () => 1,
  Scheduled: () => new training.optim.SGD([parameter()], { lr: 1 }),
  Params: () => [parameter()],
  Iterable: () => [parameter()],
  Dataset: () => new training.data.TensorDataset({ shape: [1], data: new Float32Array(1) }, [0]),
  Image: () => ({ data: new Uint8Array(3), width: 1, height: 1, channels: 3 }),
};

/** A value for arguments that are checked after the options. */
class Something {}

function sample({ type, rest }: Param): unknown {
  if (rest || type === undefined) return undefined;
  const types = type.type === 'TSUnionType' ? type.types : [type];
  for (const each of types) {
    const make = samples[each.typeName?.name ?? each.qualifier?.name ?? each.type];
    if (make !== undefined) return make();
  }
  return new Something();
}

/** Objects whose methods are called. */
const objects: { readonly [type: string]: () => unknown } = {
  Variable: () => variable([1]),
  'nn.Module': () => new training.nn.Linear(1, 1),
  Model: () => inference.load(readFileSync(join(models, 'resnet_tiny.onnx')), { backend: 'js' }),
};

/** The function, constructor or method of a path, as a function of the arguments. */
async function functionOf({ path, kind }: Callable, entry: object): Promise<(...args: unknown[]) => unknown> {
  const [owner, method] = path.split('#');
  const names = (method === undefined ? owner : '').split('.').filter((name) => name !== '');
  let [self, value]: [unknown, unknown] = [undefined, entry];
  for (const name of names) [self, value] = [value, (value as Record<string, unknown>)[name]];
  if (method !== undefined) {
    const make = objects[owner];
    if (make === undefined)
      throw new Error(`the table of objects lacks ${owner}, whose method ${method} takes options`);
    self = await make();
    value = (self as Record<string, unknown>)[method];
  }
  if (typeof value !== 'function') throw new Error(`${path} is declared, and is no function`);
  const Class = value as new (...args: unknown[]) => unknown;
  return kind === 'class' ? (...args) => new Class(...args) : (...args) => Reflect.apply(value, self, args);
}

const misspell = (name: string): string => {
  const at = Math.floor(name.length / 2);
  return name.slice(0, at) + name[at] + name.slice(at);
};
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The error of a call, which may be asynchronous. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

const withOptions = callables.flatMap(({ entry, list }) =>
  list.flatMap((callable) => {
    const at = callable.params.findIndex(({ options }) => options !== null);
    return at < 0 ? [] : [{ path: callable.path, callable, entry, at, names: callable.params[at].options! }];
  }),
);
/** Functions whose options are passed on unchecked: those of JavaScript's Error. */
const handedOn = new Set(['ConvletError']);

/** A method that classes inherit is tested once, at the class that declares it if that is exported. */
const tested = withOptions.filter(({ path, callable: { owner } }) => {
  if (handedOn.has(path)) return false;
  if (owner === undefined) return true;
  const method = path.slice(path.search(/[.#]\w+$/));
  const same = withOptions.filter((other) => other.callable.owner === owner && other.path.endsWith(method));
  const declaring = same.find((other) => other.path.slice(0, -method.length).split('.').at(-1) === owner);
  return path === (declaring ?? same[0]).path;
});

/** The name in errors: `Conv2d` for nn.Conv2d, `MNIST.open` for data.MNIST.open. */
const nameOf = ({ path }: Callable): string => /(?:[A-Z]\w+\.)?\w+$/.exec(path)![0];

describe.each(tested)('$path', ({ callable, entry, at, names: options }) => {
  const call = async (...given: unknown[]): Promise<unknown> => {
    const run = await functionOf(callable, entry);
    const before = callable.params.slice(0, at).map(sample);
    return errorOf(() => run(...before, ...given));
  };
  const refused = (text: string): unknown =>
    expect.objectContaining({ name: 'ConvletError', code: 'argument', message: expect.stringContaining(text) });

  test('a misspelt option', async () => {
    expect(options.length).toBeGreaterThan(0);
    for (const name of options.filter((option) => option.length > 2)) {
      const error = await call({ [misspell(name)]: 1 });
      expect(error).toEqual(refused(`${nameOf(callable)}: unknown option ${misspell(name)}: did you mean ${name}?`));
    }
    expect(await call({ surely: 1 })).toEqual(
      refused(`${nameOf(callable)}: unknown option surely; it has ${options.length > 0 ? '' : 'none'}`),
    );
  });

  test('an option as PyTorch writes it', async () => {
    for (const name of options.filter((option) => snake(option) !== option))
      expect(await call({ [snake(name)]: 1 })).toEqual(refused(`${snake(name)}: did you mean ${name}?`));
  });

  // Functions of F run in every step, so they do not check arguments after their options.
  if (callable.kind === 'class')
    test('an argument behind the options', async () => {
      expect(await call({}, 7)).toEqual(refused(`${nameOf(callable)}: expects no more arguments, got 7: new `));
    });

  test('something else than options', async () => {
    for (const wrong of [null, 7, true, 'text', [1], () => 1])
      expect(await call(wrong)).toEqual(refused(`${nameOf(callable)}: `));
  });
});

describe('the declarations', () => {
  test('functions with options are found', () => {
    const paths = tested.map(({ path }) => path);
    const some = [
      'load',
      'Model#run',
      'init',
      'fit',
      'nn.Conv2d',
      'nn.MaxPool2d',
      'nn.CrossEntropyLoss',
      'F.conv2d',
      'optim.SGD',
    ];
    const more = [
      'optim.StepLR',
      'data.MNIST.open',
      'data.DataLoader',
      'Variable#std',
      'resizeImage',
      'nn.Module#loadStateDict',
    ];
    for (const path of [...some, ...more]) expect(paths).toContain(path);
    expect(paths.length).toBeGreaterThan(120);
  });

  test('everything that is exported is read', () => {
    // A class counts as read by any of its members: constructors may be private.
    const known = new Set(
      callables.flatMap(({ list }) => list.flatMap(({ path }) => [path, path.replace(/[.#]\w+$/, '')])),
    );
    const missing: string[] = [];
    const visit = (value: object, prefix: string): void => {
      for (const [name, member] of Object.entries(value)) {
        if (typeof member === 'function' && !known.has(prefix + name)) missing.push(prefix + name);
        else if (Object.prototype.toString.call(member) === '[object Module]')
          visit(member as object, `${prefix}${name}.`);
      }
    };
    for (const { entry } of callables) visit(entry, '');
    expect(missing).toEqual([]);
  });
});
