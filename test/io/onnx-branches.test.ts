// Branches that the data decides on: compiled once for each choice and set of shapes, like the rest of the model.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { ModelOutput } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import { assertClose, engines } from '../networks/engines.ts';
import { weights } from '../robustness/bad-models.ts';
import type * as onnx from './onnx-builder.ts';
import { floatTensor, int64Tensor, model, valueInfo } from './onnx-builder.ts';
import { f } from './onnx-run.ts';

afterEach(() => vi.restoreAllMocks());

const sub = (nodes: onnx.NodeSpec[], output: string): { graph: onnx.GraphSpec } => ({
  graph: { nodes, outputs: [f(output)] },
});

/**
 * s = sum(x); y = s > 0 ? (s > 10 ? relu(x·w) : x·w) : x, then y + 1. `decided`: both conditions
 * are constants instead, so that the branches are known before run time.
 */
function nested(decided?: readonly [boolean, boolean]): Uint8Array {
  const conditions: onnx.NodeSpec[] = [
    { op: 'ReduceSum', inputs: ['x'], outputs: ['s'], attributes: { keepdims: 0 } },
    { op: 'Greater', inputs: ['s', 'zero'], outputs: ['outer'] },
    { op: 'Greater', inputs: ['s', 'ten'], outputs: ['inner'] },
  ];
  const product: onnx.NodeSpec = { op: 'MatMul', inputs: ['x', 'w'], outputs: ['p'] };
  const choice: onnx.NodeSpec = {
    op: 'If',
    inputs: ['inner'],
    outputs: ['q'],
    attributes: {
      then_branch: sub([{ op: 'Relu', inputs: ['p'], outputs: ['r'] }], 'r'),
      else_branch: sub([], 'p'),
    },
  };
  const nodes: onnx.NodeSpec[] = [
    ...(decided === undefined ? conditions : []),
    {
      op: 'If',
      inputs: ['outer'],
      outputs: ['z'],
      attributes: { then_branch: sub([product, choice], 'q'), else_branch: sub([], 'x') },
    },
    { op: 'Add', inputs: ['z', 'one'], outputs: ['y'] },
  ];
  const flag = (name: string, value: boolean) => int64Tensor(name, [], [Number(value)]);
  const [outer, inner] = decided ?? [false, false];
  const flags = [flag('outer_n', outer), flag('inner_n', inner)];
  const casts = ['outer', 'inner'].map((name) => ({
    ...{ op: 'Cast', inputs: [`${name}_n`], outputs: [name] },
    attributes: { to: 9 },
  }));
  return model({
    nodes: decided === undefined ? nodes : [...casts, ...nodes],
    initializers: [
      weights('w', 4, 4),
      floatTensor('zero', [], [0]),
      floatTensor('ten', [], [10]),
      floatTensor('one', [], [1]),
      ...(decided === undefined ? [] : flags),
    ],
    inputs: [f('x', 'n', 4)],
    outputs: [f('y', 'n', 4)],
  });
}

const rows = (n: number, value: number) => ({
  x: { data: Float32Array.from({ length: n * 4 }, (_, i) => value + Math.sin(i)), shape: [n, 4] },
});
/** Sums below 0, from 0 to 10, and above 10. */
const choices: readonly [value: number, decided: readonly [boolean, boolean]][] = [
  [-2, [false, false]],
  [0.5, [true, false]],
  [9, [true, true]],
];

/** state = relu(state·w + x) for n times, with all states; `branching`: without relu in every second iteration, from the first on. */
function looped(branching: boolean): Uint8Array {
  const relu = sub([{ op: 'Relu', inputs: ['sum'], outputs: ['r'] }], 'r');
  const next: onnx.NodeSpec = branching
    ? { op: 'If', inputs: ['odd'], outputs: ['next'], attributes: { then_branch: relu, else_branch: sub([], 'sum') } }
    : { op: 'Relu', inputs: ['sum'], outputs: ['next'] };
  const body: onnx.GraphSpec = {
    nodes: [
      { op: 'Mod', inputs: ['i', 'two'], outputs: ['rest'] },
      { op: 'Cast', inputs: ['rest'], outputs: ['odd'], attributes: { to: 9 } },
      { op: 'MatMul', inputs: ['state', 'w'], outputs: ['p'] },
      { op: 'Add', inputs: ['p', 'around'], outputs: ['sum'] },
      next,
      { op: 'Identity', inputs: ['going'], outputs: ['on'] },
      { op: 'Identity', inputs: ['next'], outputs: ['row'] },
    ],
    inputs: [valueInfo('i', 'int64', []), valueInfo('going', 'bool', []), f('state')],
    outputs: [valueInfo('on', 'bool', []), f('next'), f('row')],
  };
  return model({
    nodes: [
      { op: 'Abs', inputs: ['x'], outputs: ['around'] },
      { op: 'Loop', inputs: ['n', '', 'x'], outputs: ['y', 'all'], attributes: { body: { graph: body } } },
    ],
    initializers: [weights('w', 4, 4), int64Tensor('two', [], [2])],
    inputs: [f('x', 'b', 4), valueInfo('n', 'int64', [])],
    outputs: [f('y', 'b', 4), f('all')],
  });
}

/** n times: state = (state + what i inner iterations make of x, with a branch by their sum) / 2. */
function loopInLoop(): Uint8Array {
  const less = sub([{ op: 'Sub', inputs: ['sum', 'x'], outputs: ['r'] }], 'r');
  const flag = (name: string) => valueInfo(name, 'bool', []);
  const inner: onnx.GraphSpec = {
    nodes: [
      { op: 'MatMul', inputs: ['t', 'w'], outputs: ['p'] },
      { op: 'Add', inputs: ['p', 'state'], outputs: ['sum'] },
      { op: 'ReduceSum', inputs: ['sum'], outputs: ['all'], attributes: { keepdims: 0 } },
      { op: 'Less', inputs: ['all', 'one'], outputs: ['low'] },
      {
        op: 'If',
        inputs: ['low'],
        outputs: ['u'],
        attributes: { then_branch: sub([], 'sum'), else_branch: less },
      },
      { op: 'Identity', inputs: ['on'], outputs: ['still'] },
    ],
    inputs: [valueInfo('j', 'int64', []), flag('on'), f('t')],
    outputs: [flag('still'), f('u')],
  };
  const outer: onnx.GraphSpec = {
    nodes: [
      { op: 'Loop', inputs: ['i', '', 'x'], outputs: ['made'], attributes: { body: { graph: inner } } },
      { op: 'Mean', inputs: ['made', 'state'], outputs: ['next'] },
      { op: 'Identity', inputs: ['going'], outputs: ['goes'] },
    ],
    inputs: [valueInfo('i', 'int64', []), flag('going'), f('state')],
    outputs: [flag('goes'), f('next')],
  };
  return model({
    nodes: [{ op: 'Loop', inputs: ['n', '', 'x'], outputs: ['y'], attributes: { body: { graph: outer } } }],
    initializers: [weights('w', 4, 4), floatTensor('one', [], [1])],
    inputs: [f('x', 'b', 4), valueInfo('n', 'int64', [])],
    outputs: [f('y', 'b', 4)],
  });
}

describe.each(engines)('loops, $name', ({ options }) => {
  it.each([false, true])('give what their body says, however often (with a branch: %s)', async (branching) => {
    using made = await load(looped(branching), options);
    const weight = Array.from({ length: 16 }, (_, i) => Math.fround(((i * 7) % 11) / 11 - 0.43));
    for (const [rowCount, trips] of [
      [1, 3],
      [2, 5],
      [1, 1],
      [2, 5],
      [1, 0],
      [1, 9],
    ]) {
      const { x } = rows(rowCount, 0.3);
      let state = [...x.data];
      const all: number[] = [];
      for (let i = 0; i < trips; i++) {
        const before = state;
        state = before.map((_, at) => {
          const [row, column] = [at - (at % 4), at % 4];
          let sum = Math.abs(x.data[at]);
          for (let k = 0; k < 4; k++) sum += before[row + k] * weight[k * 4 + column];
          return branching && i % 2 === 0 ? sum : Math.max(sum, 0);
        });
        all.push(...state);
      }
      const result = await made.run({ x, n: { data: Int32Array.of(trips), shape: [] } });
      assertClose(`${trips} trips`, result.y.data, state, 1e-4, 1e-5);
      if (trips > 0) assertClose(`states of ${trips} trips`, result.all.data, all, 1e-4, 1e-5);
    }
  });

  it('in loops, with branches in them, give what is interpreted', async () => {
    using compiled = await load(loopInLoop(), options);
    using interpreted = await load(loopInLoop(), { leader: 'worker' }); // Its branches and bodies are walked node by node.
    for (const trips of [3, 6, 2, 9, 0, 6]) {
      for (const n of [1, 2, 1]) {
        const inputs = { ...rows(n, 0.2), n: { data: Int32Array.of(trips), shape: [] } };
        const [a, b] = [await compiled.run(inputs), await interpreted.run(inputs)];
        expect(a.y.shape).toEqual(b.y.shape);
        assertClose(`${trips} trips, ${n} rows`, a.y.data, b.y.data, 1e-3, 1e-4);
      }
    }
  });

  it('build their body once', async () => {
    using made = await load(looped(false), options);
    const run = (trips: number) => made.run({ ...rows(2, 0.1), n: { data: Int32Array.of(trips), shape: [] } });
    await run(5);
    const add = vi.spyOn(GraphBuilder.prototype, 'add');
    await run(5);
    const few = add.mock.calls.length;
    add.mockClear();
    await run(50);
    // What is left for every iteration is its row of the stacked states.
    expect(add.mock.calls.length - few).toBe(45);
  });
});

describe.each(engines)('$name', ({ options }) => {
  it('give what the same branches give where they are known beforehand, in any order', async () => {
    using dynamic = await load(nested(), options);
    const expected = new Map<string, ModelOutput>();
    for (const [value, decided] of choices) {
      using fixed = await load(nested(decided), options);
      for (const n of [1, 3]) expected.set(`${value} ${n}`, (await fixed.run(rows(n, value))).y);
    }
    for (const i of [0, 1, 2, 2, 1, 0, 2, 0, 1]) {
      for (const n of [3, 1, 3]) {
        const [value] = choices[i];
        const { y } = await dynamic.run(rows(n, value));
        const right = expected.get(`${value} ${n}`)!;
        expect(y.shape).toEqual(right.shape);
        // Not bit by bit: what is fused depends on where the graph is cut.
        assertClose(`${value}, ${n} rows`, y.data, right.data, 1e-5, 1e-6);
      }
    }
  });

  it('are not built again', async () => {
    using made = await load(nested(), options);
    const add = vi.spyOn(GraphBuilder.prototype, 'add');
    for (const [value] of choices) await made.run(rows(2, value));
    expect(add).toHaveBeenCalled();
    add.mockClear();
    const { total } = made.memory();
    for (const [value] of choices) await made.run(rows(2, value));
    expect(add).not.toHaveBeenCalled();
    expect(made.memory().total).toBe(total);
  });

  it('of many shapes hold a bounded amount of memory', async () => {
    using made = await load(nested(), options);
    const round = async () => {
      for (let n = 1; n <= 12; n++) for (const [value] of choices) await made.run(rows(n, value));
      return made.memory().total;
    };
    const first = await round();
    expect(await round()).toBe(first);
  });
});
