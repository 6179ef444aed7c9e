// Every op family: importing this fills the registry.
import './conv.ts';
export { getOp } from './registry.ts';
