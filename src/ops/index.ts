// Every op family: importing this fills the registry.
import './binary.ts';
import './cast.ts';
import './conv.ts';
import './conv-transpose.ts';
import './conv-weight-grad.ts';
import './copy.ts';
import './depth-to-space.ts';
import './detection.ts';
import './gather.ts';
import './mask.ts';
import './matmul.ts';
import './pad.ts';
import './pool.ts';
import './pool-grad.ts';
import './interpolate.ts';
import './norm.ts';
import './norm-grad.ts';
import './reduce.ts';
import './reshape.ts';
import './sample.ts';
import './scatter.ts';
import './select.ts';
import './softmax.ts';
import './sort.ts';
import './unary.ts';

export { getOp } from './registry.ts';
