// Every op family: importing this fills the registry.
import './binary.ts';
import './pool.ts';
import './conv-transpose.ts';
import './conv.ts';
import './cast.ts';
import './copy.ts';
import './gather.ts';
import './matmul.ts';
import './pad.ts';
import './reduce.ts';
import './reshape.ts';
import './softmax.ts';
import './unary.ts';

export { getOp } from './registry.ts';
