import { ConvletError } from '../../common/error.ts';
import type { OnnxAttribute, OnnxGraph } from './model.ts';
import type { OnnxTensor } from './tensor-proto.ts';

type AttributeType = OnnxAttribute['type'];

/** Typed access to a node's attributes. Throws `malformed` for an attribute of another type, or a missing one without default. */
export class Attributes {
  private readonly map: ReadonlyMap<string, OnnxAttribute>;

  constructor(map: ReadonlyMap<string, OnnxAttribute>) {
    this.map = map;
  }

  has(name: string): boolean {
    return this.map.has(name);
  }

  get names(): string[] {
    return [...this.map.keys()];
  }

  int(name: string, fallback?: number): number {
    return this.read(name, 'INT', fallback, (a) => a.i);
  }

  /** An int used as a flag. */
  flag(name: string, fallback = false): boolean {
    return this.int(name, Number(fallback)) !== 0;
  }

  /** In single precision, like attributes of a file; the default is rounded too, so that an absent attribute equals an explicit one. */
  float(name: string, fallback?: number): number {
    const single = fallback === undefined ? undefined : Math.fround(fallback);
    return this.read(name, 'FLOAT', single, (a) => a.f);
  }

  string(name: string, fallback?: string): string {
    return this.read(name, 'STRING', fallback, (a) => a.s);
  }

  /** A string that must be one of `allowed`, else `unsupported`. */
  choice<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.string(name, fallback);
    if ((allowed as readonly string[]).includes(value)) return value as T;
    throw new ConvletError('unsupported', `attribute ${name} expects ${allowed.join(', ')}, got '${value}'`);
  }

  ints(name: string, fallback?: readonly number[]): readonly number[] {
    return this.read(name, 'INTS', fallback, (a) => a.ints);
  }

  floats(name: string, fallback?: readonly number[]): readonly number[] {
    return this.read(name, 'FLOATS', fallback, (a) => a.floats);
  }

  strings(name: string, fallback?: readonly string[]): readonly string[] {
    return this.read(name, 'STRINGS', fallback, (a) => a.strings);
  }

  tensor(name: string): OnnxTensor {
    return this.read<'TENSOR', OnnxTensor>(name, 'TENSOR', undefined, (a) => a.t);
  }

  graph(name: string): OnnxGraph {
    return this.read<'GRAPH', OnnxGraph>(name, 'GRAPH', undefined, (a) => a.g);
  }

  private read<T extends AttributeType, V>(
    name: string,
    type: T,
    fallback: V | undefined,
    value: (attribute: Extract<OnnxAttribute, { type: T }>) => V,
  ): V {
    const attribute = this.map.get(name);
    if (attribute === undefined) {
      if (fallback !== undefined) return fallback;
      throw new ConvletError('malformed', `attribute ${name} is missing`);
    }
    if (attribute.type === type) return value(attribute as Extract<OnnxAttribute, { type: T }>);
    throw new ConvletError('malformed', `attribute ${name} expects type ${type}, got ${attribute.type}`);
  }
}
