// Every op family: importing this fills the registry.
export { getOp } from './registry.ts';
