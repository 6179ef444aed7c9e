// convlet/images in Node, Deno and Bun: sharp decodes if the application has it.
export { decodeImage } from './node-decode.ts';
export * from './public.ts';
