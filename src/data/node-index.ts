// The namespace `data` of convlet/train in Node, Deno and Bun.
export * from './index.ts';
export { ImageFolder, type ImageFolderOptions, type SkippedFile } from './node-image-folder.ts';
