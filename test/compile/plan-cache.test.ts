import { describe, expect, it } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import { PlanCache, shapesKey } from '../../src/compile/plan-cache.ts';

/** An entry with a plan that notes in `disposed` when it is disposed of. */
function entries() {
  const disposed: string[] = [];
  const make = (name: string, heldBytes = 1) => ({
    name,
    plan: { heldBytes, dispose: () => void disposed.push(name) },
  });
  return { disposed, make };
}

type Entry = ReturnType<ReturnType<typeof entries>['make']>;

const noMemory = () => new ConvletError('memory', 'no room');

describe('PlanCache', () => {
  it('gives what was added under the same key', () => {
    const { make, disposed } = entries();
    const cache = new PlanCache<Entry>();
    expect(cache.get('a')).toBeUndefined();
    const added = cache.add('a', () => make('a', 3));
    cache.add('b', () => make('b', 4));
    expect(cache.get('a')).toBe(added);
    expect(cache.heldBytes).toBe(7);
    expect(disposed).toEqual([]);
  });

  it('disposes of the plan that was used least recently when it is full', () => {
    const { make, disposed } = entries();
    const cache = new PlanCache<Entry>(3);
    for (const name of ['a', 'b', 'c']) cache.add(name, () => make(name));
    cache.get('a');
    cache.add('d', () => make('d'));
    expect(disposed).toEqual(['b']);
    cache.add('e', () => make('e'));
    expect(disposed).toEqual(['b', 'c']);
    expect(cache.get('b')).toBeUndefined();
    expect(cache.plans).toEqual([cache.get('a')!.plan, cache.get('d')!.plan, cache.get('e')!.plan]);
  });

  it('keeps eight plans by default', () => {
    const { make, disposed } = entries();
    const cache = new PlanCache<Entry>();
    for (let i = 0; i < 9; i++) cache.add(`${i}`, () => make(`${i}`));
    expect(disposed).toEqual(['0']);
    expect(cache.plans.length).toBe(8);
  });

  it('knows the latest entry until it is disposed of', () => {
    const { make } = entries();
    const cache = new PlanCache<Entry>(2);
    expect(cache.latest).toBeNull();
    const a = cache.add('a', () => make('a'));
    const b = cache.add('b', () => make('b'));
    expect(cache.latest).toBe(b);
    cache.get('a');
    cache.get('unknown');
    expect(cache.latest).toBe(a);
    cache.dispose();
    expect(cache.latest).toBeNull();
  });

  it('disposes of every plan once and may be used again', () => {
    const { make, disposed } = entries();
    const cache = new PlanCache<Entry>();
    for (const name of ['a', 'b']) cache.add(name, () => make(name));
    cache.dispose();
    cache.dispose();
    expect(disposed).toEqual(['a', 'b']);
    expect(cache.heldBytes).toBe(0);
    cache.add('a', () => make('a again'));
    expect(cache.get('a')!.name).toBe('a again');
  });

  it('adds nothing when the factory fails, and keeps the other plans', () => {
    const { make, disposed } = entries();
    const cache = new PlanCache<Entry>(2);
    const a = cache.add('a', () => make('a'));
    const fail = () => {
      throw new ConvletError('shape', 'does not fit');
    };
    expect(() => cache.add('b', fail)).toThrow('does not fit');
    expect(cache.get('b')).toBeUndefined();
    expect(cache.latest).toBe(a);
    expect(disposed).toEqual([]);
  });

  it('makes room plan by plan when the factory finds no memory', () => {
    const { make, disposed } = entries();
    const cache = new PlanCache<Entry>();
    for (const name of ['a', 'b', 'c']) cache.add(name, () => make(name));
    const d = cache.add('d', () => {
      if (disposed.length < 2) throw noMemory();
      return make('d');
    });
    expect(disposed).toEqual(['a', 'b']);
    expect(cache.plans).toEqual([cache.get('c')!.plan, d.plan]);
  });

  it('gives up when no other plan is left to free memory', () => {
    const { make, disposed } = entries();
    const cache = new PlanCache<Entry>();
    cache.add('a', () => make('a'));
    let calls = 0;
    const fail = () => {
      calls++;
      throw noMemory();
    };
    expect(() => cache.add('b', fail)).toThrow('no room');
    expect([calls, disposed, cache.latest]).toEqual([2, ['a'], null]);
  });
});

describe('shapesKey', () => {
  it('differs where a name or a shape does', () => {
    const keys = [
      [['x', [1, 23]]],
      [['x', [12, 3]]],
      [['y', [1, 23]]],
      [['x', []]],
      [
        ['x', [1]],
        ['y', [23]],
      ],
    ].map((inputs) => shapesKey(inputs.map(([name, shape]) => [name, { shape }] as [string, { shape: number[] }])));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys[0]).toBe(shapesKey(new Map([['x', { shape: [1, 23] }]])));
  });
});
