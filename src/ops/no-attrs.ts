/** Of an op that has no attributes. */
export type NoAttrs = { readonly [name: string]: never };
