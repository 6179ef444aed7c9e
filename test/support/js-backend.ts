import { JsBackend } from '../../src/backend/js/backend.ts';
import { allJsPrims } from '../../src/backend/js/training-prims.ts';

/** Plain JS with every prim. */
export const jsBackend = (maxMemoryBytes?: number): JsBackend => new JsBackend({ prims: allJsPrims, maxMemoryBytes });
