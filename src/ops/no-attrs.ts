/** The attributes of an op that has none. */
export type NoAttrs = { readonly [name: string]: never };
