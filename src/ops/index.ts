// Every op that networks are made of: importing this fills the registry. training.ts adds what only training needs.
import './binary.ts';
import './cast.ts';
import './conv.ts';
import './conv-transpose.ts';
import './copy.ts';
import './depth-to-space.ts';
import './detection.ts';
import './gather.ts';
import './mask.ts';
import './matmul.ts';
import './max-unpool.ts';
import './pad.ts';
import './pool.ts';
import './interpolate.ts';
import './norm.ts';
import './reduce.ts';
import './reshape.ts';
import './sample.ts';
import './scatter.ts';
import './select.ts';
import './softmax.ts';
import './sort.ts';
import './unary.ts';

export { getOp } from './registry.ts';
