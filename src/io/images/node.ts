// convlet/images in Node, Deno and Bun: sharp decodes where the application has it.
export { decodeImage } from './node-decode.ts';
export * from './public.ts';
