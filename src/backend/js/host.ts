import type { JsPrim } from '../backend.ts';

export const host: JsPrim<'host'> = (inputs, outputs, attrs) => attrs.run(inputs, outputs);
