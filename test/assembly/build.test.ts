import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readDeclarations } from '../../assembly/tools/declarations.ts';
import { abiHash, abiModule } from '../../assembly/tools/generate.ts';
import { checkModule } from '../../assembly/tools/module.ts';
import type { KernelExports } from '../../src/abi/generated/abi.ts';
import relaxed from '../../src/abi/generated/kernels.relaxed.ts';
import simd from '../../src/abi/generated/kernels.simd.ts';

const inflate = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(inflateRawSync(Buffer.from(text, 'base64')));

const read = (text: string) => readDeclarations([{ path: 'assembly/test.ts', text }]);

const source = `
import { fma } from './common/simd';

const inflate = (text: string): Buffer => inflateRawSync(Buffer.from(text, 'base64'));
/**
 * Of a GEMM.
 *   { not a brace
 */
// @ts-ignore: decorator
@unmanaged
export class GemmDesc {
  /** Rows' address. */
  a: usize;
  n: i32; // columns
  flags: u32;
  alpha: f32;
}
const text = '} class FakeDesc { x: i64; }';
@inline
function helper<T>(x: T): T { return x; }
/** Scales. */
export function gemm(d: GemmDesc, begin: i32, end: i32): void { if (begin < end) { helper<i32>(d.n); } }
export function fused(): i32 { return 0; }
`;

describe('readDeclarations', () => {
  it('reads descriptors and functions with their comments', () => {
    const { descriptors, functions } = read(source);
    expect(descriptors).toEqual([
      {
        name: 'GemmDesc',
        doc: 'Of a GEMM.\n  { not a brace',
        fields: [
          { name: 'a', kind: 'ptr', doc: "Rows' address." },
          { name: 'n', kind: 'i32', doc: '' },
          { name: 'flags', kind: 'u32', doc: '' },
          { name: 'alpha', kind: 'f32', doc: '' },
        ],
      },
    ]);
    expect(functions.map(({ name, result, doc }) => [name, result, doc])).toEqual([
      ['gemm', 'void', 'Scales.'],
      ['fused', 'i32', ''],
    ]);
    expect(functions[0].parameters.map(({ type }) => type)).toEqual(['GemmDesc', 'i32', 'i32']);
  });

  it('reads the constants and enumerations with @abi, and no others', () => {
    const { constants, enumerations } = read(`
      @unmanaged class Tile { taps: i32; alpha: f32; }
      /** Bytes of a head. @abi at least offsetof<Tile>() + 2 * pitch */
      // @ts-ignore: decorator
      @inline
      export const head: usize = 64;
      /** @abi */
      const pitch: i32 = 28;
      const own: i32 = 3;
      /** How. @abi */
      export const enum Mode { /** One. */ one, two, five = 5, six }
      const enum Other { a }
    `);
    expect(constants).toEqual([
      { name: 'head', doc: 'Bytes of a head.', value: 64 },
      { name: 'pitch', doc: '', value: 28 },
    ]);
    expect(enumerations.map(({ name, doc }) => [name, doc])).toEqual([['Mode', 'How.']]);
    expect(enumerations[0].members).toEqual([
      { name: 'one', doc: 'One.', value: 0 },
      { name: 'two', doc: '', value: 1 },
      { name: 'five', doc: '', value: 5 },
      { name: 'six', doc: '', value: 6 },
    ]);
  });

  it.each([
    ['a head that is too small', '/** @abi at least 4 * 2 + 1 */ const a: i32 = 8;', /a is 8, must be at least .* = 9/],
    [
      'an unknown bound',
      '/** @abi at least offsetof<Lost>() */ const a: i32 = 8;',
      /Nothing is known of offsetof<Lost>/,
    ],
    ['a constant that is computed', '/** @abi */ const a: i32 = 8 + 1;', /a: expected '= INTEGER;'/],
    ['another declaration with the tag', '/** @abi */ let a: i32 = 8;', /@abi marks constants and const enums/],
    ['a member that is computed', '/** @abi */ const enum A { a = b }', /A\.a: expected an integer/],
    ['two numbers of one name', '/** @abi */ const a = 1; /** @abi */ const a = 2;', /a: declared twice/],
    ['a field of another width', '@unmanaged class ADesc { x: i64; }', /ADesc\.x: expected usize, i32, u32 or f32/],
    ['a missing decorator', 'class ADesc { x: i32; }', /must be @unmanaged/],
    ['a method', '@unmanaged class ADesc { x: i32; f(): void {} }', /fields 'name: type;' only, got f/],
    ['a static field', '@unmanaged class ADesc { static x: i32; }', /fields 'name: type;' only/],
    ['a base class', '@unmanaged class ADesc extends B { x: i32; }', /must not extend/],
    ['no fields', '@unmanaged class ADesc {}', /no fields/],
    ['two of one name', '@unmanaged class ADesc { x: i32; } @unmanaged class ADesc { y: i32; }', /declared twice/],
    ['an open brace', 'function f(): void { {', /not closed/],
  ])('refuses %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('abiModule', () => {
  it('types kernels, their descriptors and the other exports', () => {
    const code = abiModule(read(source), ['fused', 'gemm']);
    expect(code).toContain("export type KernelName =\n  | 'gemm';");
    expect(code).toContain('  gemm(d: number, begin: number, end: number): void;');
    expect(code).toContain('  fused(): number;');
    expect(code).toContain("  fields: 'ptr a i32 n u32 flags f32 alpha',");
    expect(code).toContain('  size: 16,');
    expect(code).toContain('  gemm: GemmDesc,');
  });

  it('numbers the interface: another field, signature or constant is another number, another comment is not', () => {
    const hash = abiHash(read(source));
    expect(hash).toBe(hash | 0);
    expect(abiHash(read(source.replace('Scales.', 'Multiplies.')))).toBe(hash);
    for (const [from, to] of [
      ['n: i32;', 'n: u32;'],
      ['alpha: f32;', 'beta: f32;'],
      ['end: i32)', 'end: u32)'],
      ["const text = '", "/** @abi */ const head = 64; const text = '"],
    ]) {
      expect(abiHash(read(source.replace(from, to)))).not.toBe(hash);
    }
  });

  it('writes constants and enumerations', () => {
    const code = abiModule(
      read('/** Of a head. @abi */ const head = 64; /** @abi */ const enum Mode { one, two }'),
      [],
    );
    expect(code).toContain('/** Of a head. */\nexport const head = 64;');
    expect(code).toContain('export const Mode = {\n  one: 0,\n  two: 1,\n} as const;');
  });

  it('refuses an export that no source declares, and one that the host cannot call', () => {
    expect(() => abiModule(read(source), ['lost'])).toThrow(/export lost: expected one exported function/);
    expect(() => abiModule(read('export function f(x: v128): void {}'), ['f'])).toThrow(/has type v128/);
  });
});

describe('checkModule', () => {
  const wasm = (...sections: number[][]) => new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...sections.flat()]);
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const section = (id: number, ...body: number[]) => [id, body.length, ...body];
  const memory = section(2, 1, ...name('env'), ...name('memory'), 2, 1, 1, 16);

  it('lists the exported functions', () => {
    const exports = section(7, 2, ...name('b'), 0, 0, ...name('a'), 0, 1);
    expect(checkModule('test', wasm(memory, exports))).toEqual(['a', 'b']);
  });

  it.each([
    ['another import', section(2, 1, ...name('env'), ...name('abort'), 0, 0), /imports function env\.abort/],
    ['another memory', section(2, 1, ...name('env'), ...name('heap'), 2, 0, 1), /imports memory env\.heap/],
    ['an exported memory', section(7, 1, ...name('memory'), 2, 0), /exports memory memory/],
    ['a global', section(6, 1, 0x7f, 1, 0x41, 0, 0x0b), /global variables/],
    ['a start function', section(8, 0), /start function/],
    ['data', section(11, 1, 0, 0x41, 0, 0x0b, 1, 65), /data segments/],
  ])('refuses %s', (_, part, message) => {
    expect(() => checkModule('test', wasm(part))).toThrow(message);
  });
});

describe('the built modules', () => {
  const folder = new URL('../../build/', import.meta.url);
  const load = (base64: string): KernelExports => {
    const module = new WebAssembly.Module(inflate(base64));
    const env = { memory: new WebAssembly.Memory({ initial: 1 }) };
    return new WebAssembly.Instance(module, { env }).exports as unknown as KernelExports;
  };

  it('are the same as bytes and as base64', () => {
    expect(readFileSync(new URL('kernels.simd.wasm', folder)).equals(inflate(simd))).toBe(true);
    expect(readFileSync(new URL('kernels.relaxed.wasm', folder)).equals(inflate(relaxed))).toBe(true);
  });

  it('round twice in the plain build', () => {
    expect(load(simd).fused()).toBe(0);
  });

  it('answer the probe in the relaxed build, where the runtime has it', (context) => {
    const bytes = inflate(relaxed);
    if (!WebAssembly.validate(bytes)) context.skip('this runtime has no relaxed SIMD');
    expect([0, 1]).toContain(load(relaxed).fused());
  });
});
