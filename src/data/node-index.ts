// The namespace `data` of convlet/train in Node, Deno and Bun.
export * from './index.ts';
export { ImageFolder, type ImageFolderOptions } from './node-image-folder.ts';
