/** The kernel builds: plain SIMD, and relaxed SIMD (fused multiply–add). */
export type Variant = 'simd' | 'relaxed';

/**
 * A module of one function that needs the feature in question, for WebAssembly.validate: `i32x4.splat` for SIMD,
 * `f32x4.relaxed_madd` for relaxed SIMD. Validation compiles nothing, so it is allowed on every edge runtime.
 */
const probes: { readonly [V in Variant]: readonly number[] } = {
  // (func (result v128) i32.const 0; i32x4.splat)
  simd: [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 17, 11],
  // (func (result v128) three splats; f32x4.relaxed_madd)
  relaxed: [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 17, 65, 0, 253, 17,
    65, 0, 253, 17, 253, 133, 2, 11,
  ],
};

export function supports(variant: Variant): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(new Uint8Array(probes[variant]));
}

/** Supported variants, fastest first. */
export function supportedVariants(): Variant[] {
  return (['relaxed', 'simd'] as const).filter(supports);
}

/** Turns the text of an embedded build into its bytes. */
export type Inflate = (text: string) => Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>;

/**
 * Bytes of a base64 text of deflated bytes; without Buffer, which edge runtimes and browsers lack. DecompressionStream is read from
 * globalThis, since Next warns about the bare name.
 */
export async function inflateBase64(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const binary = atob(text);
  const deflated = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) deflated[i] = binary.charCodeAt(i);
  const stream = new Blob([deflated]).stream().pipeThrough(new globalThis.DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
