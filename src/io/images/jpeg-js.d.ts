// jpeg-js's decoder and encoder as separate modules: its own declarations have both in one.
declare module 'jpeg-js/lib/decoder.js' {
  import type { decode } from 'jpeg-js';

  const decoder: typeof decode;
  export default decoder;
}
declare module 'jpeg-js/lib/encoder.js' {
  import type { encode } from 'jpeg-js';

  const encoder: typeof encode;
  export default encoder;
}
